import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runSchema } from '../../core/api/schemas.ts';
import { modelKeys } from '../../core/keys.ts';
import { getJson } from '../../core/object-store.ts';
import type { ModelCard } from '../../core/registry/card.ts';
import { getRun } from '../../core/registry/runs.ts';
import type { Plan } from '../../core/search/plan.ts';
import { Laboratory } from '../functions/laboratory.ts';

const cancer = readFileSync(resolve(import.meta.dirname, '../../examples/breast-cancer/breast-cancer.csv'));

async function run(spec: object, clock?: (lab: Laboratory) => () => Date) {
  const lab = new Laboratory();
  if (clock) lab.services.now = clock(lab);
  await lab.rawData.put('raw/cancer/dataset.json', JSON.stringify(spec));
  await lab.prepare(await lab.upload('raw/cancer/breast-cancer.csv', cancer));
  const { run } = lab.queue.records[0]!;
  await lab.runAll();
  const card = await getJson<ModelCard>(lab.rawModels, modelKeys.card('cancer', 1));
  const plan = await getJson<Plan>(lab.rawModels, modelKeys.plan(run));
  const fitted = (await lab.rawModels.get(modelKeys.fitted(run)))?.body;
  return { card: card!, plan: plan!, fitted, detail: (await getRun(lab.rawModels, lab.queue, run))! };
}

describe('a run of a real file', () => {
  // Of minutes by the real clock, bench/budget.ts has the figures.
  test('under one minute and $0.01 costs less and has a model', async () => {
    const { card, detail } = await run({ budget: { minutes: 1, dollars: 0.01 } }, () => () => new Date());
    expect(detail.status).toBe('SUCCEEDED');
    expect(card.spent!.dollars).toBeLessThan(0.01);
    expect(card.budget).toMatchObject({ minutes: 1, dollars: 0.01 });
    expect(card.estimate!.dollars.high).toBeLessThan(0.01);
  });

  test('whose time does not run out has the whole search', async () => {
    const spec = { search: 'grid', families: ['forest'], budget: { minutes: 1, dollars: 0.01 } };
    const { card } = await run(spec, () => () => new Date('2026-11-25T08:00:00Z'));
    expect(card.budget!.leftOut).toEqual([]);
    expect(card.leaderboard.entries).toHaveLength(36);
  });

  test('that its budget does not bind has the bytes of one without a budget', async () => {
    const grid = { folds: 2, grids: { forest: { nEstimators: [10, 30] } } };
    const [free, bound] = [await run(grid), await run({ ...grid, budget: { minutes: 60 } }, () => () => new Date('2026-11-25T08:00:00Z'))];
    const { estimate: _, ...planned } = free.plan;
    const { estimate: __, budget, ...under } = bound.plan;
    expect({ ...under, run: planned.run, revision: planned.revision }).toEqual(planned);
    expect(budget!.leftOut).toEqual([]);
    expect(bound.card.leaderboard).toEqual(free.card.leaderboard);
    expect(bound.fitted).toEqual(free.fitted);
    expect(free.card.budget).toBeUndefined();
  });

  test('whose clock runs away stops with the best so far, and the card says so', async () => {
    // While it searches each look at the clock takes a second, and a fit looks at it after every few trees.
    let time = Date.parse('2026-11-25T08:00:00Z');
    let look = 1000;
    const { card, detail } = await run({ grids: { forest: { nEstimators: [10, 4096] } }, budget: { minutes: 1 } }, ({ rawModels }) => {
      const put = rawModels.put.bind(rawModels);
      rawModels.put = (key, ...rest) => {
        if (key.endsWith('/leaderboard.json')) look = 10;
        return put(key, ...rest);
      };
      return () => {
        time += look;
        return new Date(time);
      };
    });
    expect(detail.status).toBe('SUCCEEDED');
    expect(card.budget!.leftOut.join(' ')).toMatch(/trials stopped before all their candidates were tried|not tried/);
    expect(card.heldOut.scores.accuracy).toBeGreaterThan(0.9);
  });

  test('is refused at once where not even the smallest run fits', async () => {
    const { detail } = await run({ budget: { dollars: 0.000_01 } });
    expect(detail).toMatchObject({
      status: 'FAILED',
      stage: 'Plan',
      error: { code: 'InvalidSpec', message: expect.stringContaining('the smallest run takes'), where: 'dataset.json, field budget' },
    });
  });

  test('shows what it was to take, what it has spent and, while it is under way, what is left', async () => {
    const { detail } = await run({ folds: 2, grids: { forest: { nEstimators: [10] } } });
    expect(runSchema.parse(detail).estimate!.seconds.point).toBeGreaterThan(0);
    expect(detail.spent!.dollars).toBeGreaterThan(0);
    expect(detail.remaining).toBeUndefined();
  });
});
