import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultLane, type Lane } from '../../core/compute/lane.ts';
import { IngotError } from '../../core/errors.ts';
import { modelKeys } from '../../core/keys.ts';
import { familyOf } from '../../core/models/families.ts';
import type { FoldFit, Matrix } from '../../core/models/model.ts';
import { takeMatrix } from '../../core/models/take-matrix.ts';
import { putJson } from '../../core/object-store.ts';
import { MemoryObjectStore } from '../../core/registry/memory-object-store.ts';
import { fitAssembly } from '../../core/search/auto/assemble.ts';
import { portfolioOf } from '../../core/search/auto/candidates.ts';
import { doneRung, keepFit, rungsOf } from '../../core/search/auto/objects.ts';
import { planAuto } from '../../core/search/auto/plan-auto.ts';
import { boardOf, type DoneRung, promote } from '../../core/search/auto/promote.ts';
import { runAutoTrial } from '../../core/search/auto/run-trial.ts';
import { trialRows } from '../../core/search/auto/rung-rows.ts';
import { planRungs, rungWork, within } from '../../core/search/auto/rungs.ts';
import { selectWeights } from '../../core/search/auto/weights.ts';
import { score } from '../../core/search/metrics.ts';
import { knownRows } from '../../core/search/out-of-fold.ts';
import type { Candidate, Leaderboard, Plan, TrialResult } from '../../core/search/plan.ts';
import { searchOf } from '../../core/search/plan-search.ts';
import type { DatasetSpec } from '../../core/spec.ts';
import { lazy, makeSample, type Sample } from '../models/data.ts';

const laptop: Lane = { ...defaultLane, concurrency: 2, cores: 2 };

const shapes = fc.record({
  rows: fc.integer({ min: 20, max: 1_000_000 }),
  features: fc.integer({ min: 1, max: 200 }),
  classes: fc.constantFrom(0, 2, 3, 12),
});

function planOf({ x, y }: Sample, spec: DatasetSpec = {}): Plan {
  const question = { run: 'r', dataset: 'd', revision: 'v', task: y.task, spec, rows: x.rows };
  return planAuto(question, { rows: x.rows, features: x.columns, classes: y.task === 'classification' ? y.classes : 0 }, laptop);
}

/** A whole search without functions: trials, rungs, and the model. @param isOver whether a trial's time is over, asked before each piece */
async function search({ x, y }: Sample, spec: DatasetSpec, workers: number, isOver: (trial: string) => boolean = () => false) {
  const models = new MemoryObjectStore();
  const plan = planOf({ x, y }, spec);
  let board: Leaderboard | undefined;
  while (!board) {
    const rungs: DoneRung[] = [];
    for (const trials of await rungsOf(models, plan)) {
      for (const trial of trials.trials) {
        const keep = (candidate: number, fit: FoldFit) => keepFit(models, plan.run, trial, candidate, fit);
        const result = await runAutoTrial(plan, trial, x, y, { workers, isOver: () => isOver(trial.id), keep });
        await putJson(models, modelKeys.trial(plan.run, trial.id), result);
      }
      rungs.push((await doneRung(models, plan, trials))!);
    }
    if (rungs.length === plan.rungs!.length) board = boardOf(plan, rungs);
    else await putJson(models, modelKeys.rung(plan.run, rungs.length), promote(plan, rungs.at(-1)!, laptop));
  }
  const fit = ({ family }: { family: string }, params: Plan['candidates'][number]['params']) =>
    familyOf(family).fit(x, y, params, { seed: plan.seed, workers });
  return { models, plan, board, ...(await fitAssembly(models, plan, board, y, fit)) };
}

describe('the rungs', () => {
  test('an automatic search is the default; grids ask for a grid, and both together are refused', () => {
    expect(searchOf({})).toBe('auto');
    expect(searchOf({ families: ['linear'] })).toBe('auto');
    expect(searchOf({ grids: { forest: { nEstimators: [10] } } })).toBe('grid');
    expect(() => searchOf({ search: 'auto', grids: { forest: { nEstimators: [10] } } })).toThrow(/automatic search and for a grid/);
  });

  test('the portfolio has every family, the best of each before its second ones', () => {
    const portfolio = portfolioOf(undefined);
    const firsts = new Set(portfolio.map(({ family }) => family)).size;
    expect(new Set(portfolio.slice(0, firsts).map(({ family }) => family)).size).toBe(firsts);
    expect(new Set(portfolioOf(['linear']).map(({ family }) => family))).toEqual(new Set(['linear']));
  });

  test('one rung where there is work for all on all folds, else a sample of one fold first, within the work where that can be', () => {
    fc.assert(
      fc.property(shapes, fc.double({ min: 0.5, max: 1000, noNaN: true }), (shape, work) => {
        const { folds, rungs, candidates } = planRungs(portfolioOf(undefined), shape, work, undefined);
        const last = rungs.at(-1)!;
        expect(last.folds).toHaveLength(folds);
        expect(last.validRows).toBe(Math.min(shape.rows - last.trainRows, 200_000));
        expect(rungs.length).toBeLessThanOrEqual(2);
        expect(candidates.length).toBeGreaterThan(0);
        const taken = candidates.reduce((sum, candidate) => sum + rungs[0]!.folds.length * rungWork(candidate, shape, rungs[0]!), 0);
        if (candidates.length > 1) expect(taken).toBeLessThanOrEqual(rungs[0]!.work * (1 + 1e-9));
      }),
    );
  });

  test('a sample is tried alike with all rows at hand, in memory or in a file, and with its own alone', async () => {
    const { x, y } = makeSample(3000, 6, 2, 1);
    const planned = planOf({ x, y });
    const plan = { ...planned, rungs: [{ ...planned.rungs![0]!, trainRows: 500, validRows: 200 }] };
    const ofEachFamily = [...new Map(plan.candidates.toReversed().map(({ family, id }) => [family, id])).values()];
    const trial = { ...plan.trials[0]!, candidates: ofEachFamily };
    const tried = async (table: Matrix, rows?: Int32Array) => {
      const kept: Uint8Array[] = [];
      await runAutoTrial(plan, trial, table, y, { workers: 1, rows, keep: async (_, { model }) => void kept.push(model.serialize()) });
      return kept;
    };
    const expected = await tried(x);
    expect(expected).toHaveLength(ofEachFamily.length);
    expect(await tried(lazy(x))).toEqual(expected);
    const own = trialRows(plan, trial, y);
    expect(own).toHaveLength(700);
    expect(await tried(takeMatrix(x, own), own)).toEqual(expected);
  });

  test('more work tries no fewer candidates, and folds that are asked for are kept', () => {
    const shape = { rows: 20_000, features: 30, classes: 2 };
    const counts = [5, 20, 80, 1000].map((work) => planRungs(portfolioOf(undefined), shape, work, 5).candidates.length);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(planRungs(portfolioOf(undefined), shape, 1, 7).folds).toBe(7);
  });

  test('who goes on is decided by score, a family’s best before others’ second ones, within the work', () => {
    const plan = planOf(makeSample(60_000, 20, 2, 1));
    expect(plan.rungs).toHaveLength(2);
    const results: TrialResult[] = plan.trials.map(({ id, fold, candidates }) => ({
      ...{ trial: id, fold, seconds: 1 },
      scores: candidates!.map((candidate) => ({ candidate, scores: { logLoss: candidate / 100 } })),
    }));
    const trials = { rung: 0, candidates: plan.candidates.map(({ id }) => id), trials: plan.trials };
    const next = promote(plan, { trials, results }, laptop);
    const families = new Set(plan.candidates.map(({ family }) => family));
    expect(next.candidates).toEqual([...next.candidates].sort((a, b) => a - b));
    const promoted = plan.candidates.filter(({ id }) => next.candidates.includes(id));
    expect(promoted.length).toBeGreaterThanOrEqual(families.size);
    const work = promoted.reduce((sum, candidate) => sum + plan.folds * rungWork(candidate, plan.shape!, plan.rungs![1]!), 0);
    expect(work).toBeLessThanOrEqual(2 * plan.rungs![1]!.work);
    const sorted = next.trials.flatMap(({ fold, candidates }) => candidates!.map((candidate) => `${fold}-${candidate}`)).sort();
    expect(sorted).toEqual(plan.rungs![1]!.folds.flatMap((fold) => next.candidates.map((candidate) => `${fold}-${candidate}`)).sort());
  });

  test('where absolute errors count, boosting looks for medians too', () => {
    const medians = (asked: boolean) => portfolioOf(undefined, false, 0, asked).filter(({ params }) => params['loss'] === 'quantile');
    expect(medians(false)).toEqual([]);
    expect(medians(true).length).toBeGreaterThan(3);
    for (const { family, params } of medians(true)) expect([family, params['quantile']]).toEqual(['boosting', 0.5]);
  });

  describe('of many classes', () => {
    const classes = 40;
    const plan = planOf(makeSample(8000, 20, classes, 1));
    /** Who goes on after a first rung on which every candidate has learned that share of what there is, and has those rounds and trees. */
    const promoted = (seen: (candidate: Candidate) => { share: number; steps?: number }) => {
      const results: TrialResult[] = plan.trials.map(({ id, fold, candidates }) => ({
        ...{ trial: id, fold, seconds: 1 },
        scores: candidates!.map((candidate) => {
          const { share, ...sizes } = seen(plan.candidates.find(({ id }) => id === candidate)!);
          return { candidate, scores: { logLoss: Math.log(classes) * (1 - share) }, ...sizes };
        }),
      }));
      const trials = { rung: 0, candidates: plan.candidates.map(({ id }) => id), trials: plan.trials };
      const next = promote(plan, { trials, results }, laptop).candidates;
      return plan.candidates.filter(({ id }) => next.includes(id));
    };
    const shareOf = ({ family, id }: Candidate) => (family === 'network' ? 0.8 : family === 'boosting' ? 0.6 : 0.3) - id / 1000;

    test('who has learned much less than the best does not go on, whatever the family', () => {
      expect(plan.rungs).toHaveLength(2);
      expect(new Set(promoted((candidate) => ({ share: shareOf(candidate), steps: 5 })).map(({ family }) => family))).toEqual(
        new Set(['network', 'boosting']),
      );
    });

    test('boosting has no more rounds than a graph has room for the trees of, and takes larger steps', () => {
      const boosted = (of: number) => portfolioOf(['boosting'], false, of).map(({ params }) => params);
      const [few, many] = [boosted(3), boosted(100)];
      expect(few.map(({ nEstimators }) => nEstimators)).toEqual(few.map(() => 2000));
      expect(Math.max(...many.map(({ nEstimators }) => Number(nEstimators))) * 100).toBeLessThan(10_000);
      expect(many.map(({ learningRate }) => learningRate)).toEqual(few.map(({ learningRate }) => 2 * Number(learningRate)));
    });

    test('the fewer rounds candidates had before they stopped, the more go on', () => {
      const goOn = (steps: number) => promoted(({ id }) => ({ share: 0.8 - id / 1000, steps })).length;
      expect(goOn(5)).toBeGreaterThan(goOn(2000));
    });

    test('neither pairs of lines nor lines with hardly any penalty are tried', () => {
      const points = (of: number) =>
        portfolioOf(undefined, false, of).map(({ family, params }) => `${family} ${params['kernel'] ?? params['alpha'] ?? ''}`);
      for (const dear of ['svm linear', 'linear 0.0001']) {
        expect(points(3)).toContain(dear);
        expect(points(classes)).not.toContain(dear);
      }
    });
  });

  test('where the work is enough for nobody, the cheapest goes on', () => {
    const [a, b, c] = portfolioOf(undefined);
    expect(within([a!, b!, c!], ({ id }) => 10 - id, 1)).toEqual([c]);
  });
});

describe('the weights', () => {
  const truth = { task: 'classification', classes: 2, labels: Int32Array.of(0, 1, 0, 1) } as const;
  const sure = (...ones: number[]) => Float32Array.from(ones.flatMap((one) => [1 - one, one]));

  test('members that err apart are mixed, one that only harms is not', () => {
    const [a, b, bad] = [sure(0.1, 0.4, 0.2, 0.9), sure(0.4, 0.9, 0.1, 0.7), sure(0.9, 0.1, 0.9, 0.1)];
    const weights = selectWeights([a, b, bad], truth, 'logLoss');
    expect(weights[0]).toBeGreaterThan(0);
    expect(weights[1]).toBeGreaterThan(0);
    expect(weights[2]).toBe(0);
  });

  test('of equals the first is taken, alone', () => {
    const a = sure(0.1, 0.9, 0.2, 0.8);
    expect(selectWeights([a, a.slice(), a.slice()], truth, 'logLoss')).toEqual([1, 0, 0]);
  });
});

const quick: DatasetSpec = { folds: 3 };

describe.each([
  ['two classes', 2],
  ['three classes', 3],
  ['a regression', 0],
])('a search on %s', (_, classes) => {
  const sample = makeSample(300, 4, classes, 5);

  test('gives the same bytes with one worker and two', async () => {
    const [one, two] = [await search(sample, quick, 1), await search(sample, quick, 2)];
    expect(two.model.serialize()).toEqual(one.model.serialize());
    expect(two.board).toEqual(one.board);
    expect(two.assembly).toEqual(one.assembly);
  });

  test('keeps what the model says of rows that its parts have not seen, and the card’s score is that', async () => {
    const { plan, assembly, outOfFold } = await search(sample, quick, 1);
    expect(knownRows(outOfFold!)).toHaveLength(300);
    expect(score(sample.y, outOfFold!)[plan.metric]).toBeCloseTo(assembly.score!, 12);
    expect(assembly.members.reduce((sum, { weight }) => sum + weight, 0)).toBeGreaterThan(0);
  });
});

describe('where the time is over', () => {
  const sample = makeSample(300, 4, 2, 5);

  test('in one trial after its second candidate: the model is made of what all folds have', async () => {
    let asked = 0;
    const { board, assembly } = await search(sample, quick, 1, (trial) => trial.startsWith('0-1') && asked++ > 6);
    expect(assembly.members.length).toBeGreaterThan(0);
    const whole = board.entries.filter(({ perFold }) => perFold.length === 3).map(({ candidate }) => candidate);
    expect(whole.length).toBeLessThan(board.entries.length);
    for (const { candidate } of assembly.members) expect(whole).toContain(candidate);
  });

  test('before a member is fitted anew: it keeps fold models, which are whole', async () => {
    // Lines are fitted anew, as the mean of those of the folds is no better.
    const { models, plan, board } = await search(sample, { families: ['linear'], folds: 3 }, 1);
    const asked: boolean[] = [];
    const noTime = (_: unknown, __: unknown, whole: boolean) => {
      asked.push(whole);
      return Promise.reject(new IngotError('Unavailable', 'The time is over.'));
    };
    const { assembly, model } = await fitAssembly(models, plan, board, sample.y, noTime);
    expect(new Set(asked)).toEqual(new Set([true]));
    expect(assembly.members.every(({ from, models: count }) => from === 'folds' && count >= 1 && count <= 3)).toBe(true);
    const { logLoss } = score(sample.y, await model.predict(sample.x));
    expect(logLoss).toBeLessThan(0.5);
    expect(assembly.why.join()).toMatch(/keeps \d of its 3 fold models: there is no time/);
  });

  test('on the last rung after a round of its first candidate: what the first rung knows is better, and leads', async () => {
    const large = makeSample(20_000, 6, 2, 5);
    const begun = new Set<string>();
    const { plan, board, assembly, model } = await search(large, { families: ['boosting'], folds: 2 }, 1, (trial) => {
      const isOver = trial.startsWith('1-') && begun.has(trial);
      begun.add(trial);
      return isOver;
    });
    expect(plan.rungs).toHaveLength(2);
    expect(board.entries.map(({ rung }) => rung)).toEqual(plan.candidates.map(() => 0));
    expect(assembly.members.map(({ candidate }) => candidate)).toContain(board.best);
    const { accuracy, logLoss } = score(large.y, await model.predict(large.x));
    const first = board.entries[0]!.mean;
    expect(accuracy).toBeGreaterThan(first.accuracy! - 0.02);
    expect(logLoss).toBeLessThan(first.logLoss! * 1.1);
  });

  test('in all trials at once: there is a model all the same', async () => {
    const { assembly, model } = await search(sample, quick, 1, () => true);
    expect(assembly.why.join()).toMatch(/before any candidate/);
    expect(await model.predict(sample.x)).toBeDefined();
  });
});
