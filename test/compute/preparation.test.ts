import { describe, expect, test } from 'vitest';
import { deadlineOf } from '../../core/compute/budget.ts';
import { timeLeft } from '../../core/compute/clock.ts';
import { defaultLane, type Lane } from '../../core/compute/lane.ts';
import type { Limits } from '../../core/compute/limits.ts';
import { OptionalParts, preparationOf, secondsForCrosses, without } from '../../core/compute/preparation.ts';
import type { FittedText } from '../../core/features/fitted-text.ts';
import type { Preprocess } from '../../core/features/preprocess.ts';
import { dataKeys, modelKeys } from '../../core/keys.ts';
import { getJson, putJson } from '../../core/object-store.ts';
import { Random } from '../../core/random.ts';
import type { ModelCard } from '../../core/registry/card.ts';
import { MemoryObjectStore } from '../../core/registry/memory-object-store.ts';
import { remainingSeconds } from '../../core/registry/runs.ts';
import { planAuto } from '../../core/search/auto/plan-auto.ts';
import type { Plan } from '../../core/search/plan.ts';
import { Laboratory } from '../functions/laboratory.ts';

const laptop: Lane = { ...defaultLane, concurrency: 2, cores: 2 };
const shape = { rows: 160_000, features: 50, classes: 2 };
const planOf = (limits?: Limits, of = shape): Plan =>
  planAuto({ run: 'r', dataset: 'd', revision: 'v', task: 'classification', spec: { budget: limits }, rows: of.rows }, of, laptop);

describe('what comes before a run', () => {
  test('is taken off its budget, and a refusal tells of both together', () => {
    const columns = Array.from({ length: 50 }, () => ({ type: 'number' }));
    const preparation = preparationOf(shape, columns, laptop, { minutes: 1 });
    expect(preparationOf(shape, [...columns, { type: 'text' }], laptop, { minutes: 1 }).seconds).toBeGreaterThan(preparation.seconds + 10);
    expect(preparationOf(shape, [...columns, { type: 'encoding' }], laptop, { minutes: 1 }).seconds).toBeCloseTo(
      preparation.seconds + 0.8,
      1,
    );
    expect(preparation.seconds).toBeGreaterThan(5);
    expect(without(preparation, { minutes: 1, dollars: 0.01 })).toEqual({
      minutes: 1 - preparation.seconds / 60,
      dollars: 0.01 - preparation.dollars,
      preparation,
    });
    const [alone, both] = [planRefusal({ minutes: 0.1 }), planRefusal(without(preparation, { minutes: 0.1 }))];
    expect(both - alone).toBeCloseTo(preparation.seconds / 60, 1);
  });

  test('chooses crosses in a twentieth of the budget, and in five seconds at most', () => {
    expect(secondsForCrosses(undefined)).toBe(5);
    expect(secondsForCrosses({ minutes: 1 })).toBeCloseTo(3);
    expect(secondsForCrosses({ minutes: 60, dollars: 0.001 })).toBeLessThan(2);
  });
});

describe('what preparation can do without', () => {
  const uploadedAt = '2026-11-25T08:00:00.000Z';
  const at = (seconds: number) => () => new Date(Date.parse(uploadedAt) + seconds * 1000);

  test('is left out from three tenths of the budget on, and told of', () => {
    const [early, late] = [
      OptionalParts.within({ minutes: 1 }, uploadedAt, at(17)),
      OptionalParts.within({ minutes: 1 }, uploadedAt, at(19)),
    ];
    expect([early.hasTime('No crosses'), late.hasTime('No crosses')]).toEqual([true, false]);
    expect(early.leftOut).toEqual([]);
    expect(late.leftOut).toEqual(['No crosses: preparation had used its share of the budget.']);
  });

  test('is always done without a budget, and where the budget does not count preparation', () => {
    for (const parts of [OptionalParts.within(undefined, uploadedAt, at(1e6)), OptionalParts.within({ minutes: 1 }, undefined, at(1e6))])
      expect([parts.hasTime('No crosses'), parts.isOver, parts.leftOut]).toEqual([true, false, []]);
  });

  test('is crosses, wrong labels and the runs of characters of texts; numbers, words and the model are there all the same', async () => {
    const [hurried, free] = [await prepared({ budget: { minutes: 1 } }, 30), await prepared({}, 30)];
    expect(hurried.preprocess.leftOut!.map((sentence) => sentence.split(':')[0])).toEqual([
      "Of the texts in 'said' words alone are learned from, no runs of characters",
      'Crosses of columns were not chosen',
      'Labels that are likely wrong were not looked for',
    ]);
    const text = (preprocess: Preprocess) => preprocess.columns.find((column) => column.type === 'text') as FittedText;
    expect(text(hurried.preprocess).vocabulary).toMatchObject({ characters: {}, characterTerms: [] });
    expect(text(hurried.preprocess).vocabulary.wordTerms).toEqual(text(free.preprocess).vocabulary.wordTerms);
    expect(text(free.preprocess).vocabulary.characterTerms.length).toBeGreaterThan(10);
    expect(free.preprocess.leftOut).toBeUndefined();
    expect(await hurried.lab.rawData.head(dataKeys.suspiciousLabels('d', hurried.preprocess.revision))).toBeUndefined();
    expect(await free.lab.rawData.head(dataKeys.suspiciousLabels('d', free.preprocess.revision))).toBeDefined();
    await hurried.lab.runAll();
    const card = await getJson<ModelCard>(hurried.lab.rawModels, modelKeys.card('d', 1));
    expect(card!.budget!.leftOut.slice(0, 3)).toEqual(hurried.preprocess.leftOut);
  });

  test('does not depend on the clock without a budget: the same bytes, however slow the machine', async () => {
    const [quick, slow] = [await prepared({}, 0), await prepared({}, 10_000)];
    expect(slow.preprocess).toEqual(quick.preprocess);
    expect(slow.train).toEqual(quick.train);
  });

  /** A small table with a column of texts, cleaned and transformed so many seconds after its upload. */
  async function prepared(spec: object, seconds: number) {
    const random = new Random(4);
    const lab = new Laboratory();
    const words = ['bread', 'butter', 'cheese', 'onion', 'pepper', 'salad', 'tomato', 'walnut'];
    const lines = Array.from({ length: 240 }, (_, row) => {
      const said = Array.from({ length: 6 }, () => words[random.below(words.length)]!);
      return `${random.uniform().toFixed(3)},${said.join(' ')} ${row},${said[0]! < 'd' ? 'yes' : 'no'}`;
    });
    await lab.rawData.put('raw/d/dataset.json', JSON.stringify({ families: ['linear'], ...spec }));
    const uploaded = await lab.upload('raw/d/data.csv', `n,said,y\n${lines.join('\n')}\n`);
    let time = lab.services.now().getTime() + seconds * 1000;
    lab.services.now = () => {
      time += 5;
      return new Date(time);
    };
    await lab.prepare(uploaded);
    const { revision } = lab.queue.records[0]!;
    const preprocess = (await getJson<Preprocess>(lab.rawData, dataKeys.preprocess('d', revision)))!;
    return { lab, preprocess, train: (await lab.rawData.get(dataKeys.train('d', revision)))!.body };
  }
});

describe('what is kept for the last stages', () => {
  const budget = { minutes: 1, preparation: { seconds: 5, dollars: 0 }, searchUntil: 40, fitUntil: 45, gateUntil: 54 };
  const planned = { run: 'r', trials: [{ id: 'forest-0', family: 'forest' }], budget: { ...budget, trialSeconds: {} } };
  const uploadedAt = '2026-11-25T08:00:00.000Z';

  /** Seconds from the upload until search, fit and gate are over, where preparation has taken so many. */
  async function overAfter(prepared: number): Promise<number[]> {
    const store = new MemoryObjectStore();
    const now = () => new Date(Date.parse(uploadedAt) + prepared * 1000);
    await putJson(store, modelKeys.run('r'), { run: 'r', createdAt: now().toISOString(), uploadedAt });
    const ends = ['forest-0', 'fit', 'gate'].map((work) => timeLeft(store, planned as unknown as Plan, work, now));
    return (await Promise.all(ends)).map((left) => Math.round((prepared + left!() / 1000) * 10) / 10);
  }

  test('is what was planned where preparation takes what it usually does, and grows with its slowness, to two thirds of what is left', async () => {
    expect(await overAfter(2)).toEqual([45, 50, 59]);
    expect(await overAfter(4)).toEqual([45, 50, 59]);
    expect(await overAfter(5)).toEqual([41.3, 47.5, 58.8]);
    expect(await overAfter(6)).toEqual([37.5, 45, 58.5]);
    expect(await overAfter(8)).toEqual([30, 40, 58]);
    expect(await overAfter(12)).toEqual([28.8, 39.2, 57.9]);
    expect(await overAfter(30)).toEqual([40.5, 47, 58.7]);
  });
});

/** Minutes that a refusal asks for. */
function planRefusal(limits: Limits): number {
  try {
    planOf(limits);
  } catch (error) {
    return Number(/minutes: ([\d.]+)/.exec((error as { fix: string }).fix)![1]);
  }
  throw new Error('it was not refused');
}

describe('a trial of an automatic search', () => {
  test('has its share of what is left when it begins, so that a late start costs all of them and an early one helps', () => {
    const { rungs } = planOf({ minutes: 2 });
    expect(rungs!.map(({ share }) => share)).toEqual([expect.closeTo(0.25), 1]);
    const start = new Date(0);
    const stop = { until: 100, share: 0.25 };
    expect(deadlineOf(new Date(0), start, stop)).toBe(25_000);
    expect(deadlineOf(new Date(60_000), start, stop)).toBe(70_000);
    expect(deadlineOf(new Date(120_000), start, stop)).toBe(100_000);
  });
});

describe('what is left of a run', () => {
  const plan = { ...planOf(), estimate: { ...planOf().estimate!, seconds: { low: 20, point: 50, high: 100 } } };
  const record = { run: 'r', dataset: 'd', revision: 'v', createdAt: '2026-11-25T08:00:00Z' };

  test('is the estimate at first, follows the pace later, and falls while nothing is heard', () => {
    expect(remainingSeconds(plan, record, 0.05, 0, 0)).toBe(50);
    // Half done in 100 seconds, twice as slow as was thought: a hundred more, or 25, and something between.
    const half = remainingSeconds(plan, record, 0.525, 100, 0);
    expect(half).toBeGreaterThan(25);
    expect(half).toBeLessThan(100);
    expect(remainingSeconds(plan, record, 0.525, 110, 10)).toBeCloseTo(half - 10);
    expect(remainingSeconds(plan, record, 0.525, 1000, 900)).toBeCloseTo(half / 10);
    expect(remainingSeconds(plan, record, 1, 200, 0)).toBe(0);
  });

  test('is no more than the budget', () => {
    const bound = { ...plan, budget: { ...planOf({ minutes: 1 }).budget!, minutes: 1 } };
    const late = { ...record, uploadedAt: '2026-11-25T07:59:40Z' };
    expect(remainingSeconds(bound, late, 0.05, 30, 0)).toBe(10);
  });
});
