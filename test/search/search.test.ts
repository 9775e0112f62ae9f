import { expect, test } from 'vitest';
import { expandGrid } from '../../core/search/grid.ts';
import type { Plan, TrialResult } from '../../core/search/plan.ts';
import { planSearch } from '../../core/search/plan-search.ts';
import { runTrial } from '../../core/search/run-trial.ts';
import { select } from '../../core/search/selection.ts';
import { makeSample } from '../models/data.ts';

const question = { run: 'r', dataset: 'd', revision: 'v', task: 'classification', spec: {}, rows: 500 } as const;

test('a grid is every combination of its values', () => {
  expect(expandGrid({ a: [1, 2], b: [null, 'x', true] })).toEqual([
    { a: 1, b: null },
    { a: 1, b: 'x' },
    { a: 1, b: true },
    { a: 2, b: null },
    { a: 2, b: 'x' },
    { a: 2, b: true },
  ]);
  expect(expandGrid({})).toEqual([{}]);
});

test('the default plan is 36 forests on 5 folds, one trial a fold', () => {
  const plan = planSearch(question);
  expect(plan).toMatchObject({ metric: 'accuracy', folds: 5, seed: 0 });
  expect(plan.candidates.length).toBe(36);
  expect(plan.candidates[35]).toMatchObject({ id: 35, family: 'forest', params: { nEstimators: 300, maxDepth: 30, minSamplesSplit: 10 } });
  expect(plan.trials.map(({ id }) => id)).toEqual(['forest-0', 'forest-1', 'forest-2', 'forest-3', 'forest-4']);
});

test('a spec has its way: metric, seed, folds and the values of a parameter', () => {
  const spec = { metric: 'mae', seed: 9, folds: 3, grids: { forest: { nEstimators: [5], maxFeatures: ['sqrt', 0.5] } } } as const;
  const plan = planSearch({ ...question, task: 'regression', spec: structuredClone(spec) as never });
  expect(plan).toMatchObject({ metric: 'mae', seed: 9, folds: 3 });
  expect(plan.candidates.length).toBe(24);
  expect(plan.candidates[1]!.params).toMatchObject({ nEstimators: 5, maxDepth: null, minSamplesSplit: 2, maxFeatures: 0.5 });
});

test('there are no more folds than rows', () => {
  expect(planSearch({ ...question, rows: 3 }).folds).toBe(3);
  expect(planSearch({ ...question, rows: 1 }).folds).toBe(2);
});

test('parameters and metrics that cannot be are refused before anything runs', () => {
  expect(() => planSearch({ ...question, spec: { grids: { forest: { maxDepth: [0] } } } })).toThrow(/maxDepth must be/);
  expect(() => planSearch({ ...question, spec: { metric: 'rmse' } })).toThrow(/not one for classification/);
});

test('a search finds the same whatever the workers and the order of its trials, and better candidates first', async () => {
  const { x, y } = makeSample(300, 6, 3, 1);
  const plan = planSearch({
    ...question,
    spec: { grids: { forest: { nEstimators: [5, 20], maxDepth: [1, null], minSamplesSplit: [2] } } },
  });
  const trials = await Promise.all(plan.trials.map(({ id }) => runTrial(plan, id, x, y, { workers: 1 })));
  const again = [];
  for (const { id } of [...plan.trials].reverse()) again.push(await runTrial(plan, id, x, y, { workers: 2 }));
  const board = select(plan, trials);
  expect(select(plan, again)).toEqual(board);
  expect(board.entries.map(({ rank }) => rank)).toEqual([1, 2, 3, 4]);
  expect(board.entries[0]!.params).toMatchObject({ maxDepth: null });
  expect(board.entries[0]!.perFold.length).toBe(5);
  expect(board.best).toBe(board.entries[0]!.candidate);
  await expect(runTrial(plan, 'forest-9', x, y, { workers: 1 })).rejects.toThrow(RangeError);
});

function board(metric: Plan['metric'], scores: (number | undefined)[][]) {
  const plan = planSearch({ ...question, task: metric === 'mae' ? 'regression' : 'classification', spec: { metric } });
  const results: TrialResult[] = scores[0]!.map((_, fold) => ({
    trial: `forest-${fold}`,
    fold,
    seconds: 0,
    scores: scores.map((byFold, candidate) => ({ candidate, scores: byFold[fold] === undefined ? {} : { [metric]: byFold[fold] } })),
  }));
  return select({ ...plan, candidates: plan.candidates.slice(0, scores.length) }, results);
}

test('mean and population deviation over the folds', () => {
  const [first] = board('accuracy', [[0.5, 0.7]]).entries;
  expect(first!.mean.accuracy).toBeCloseTo(0.6);
  expect(first!.std.accuracy).toBeCloseTo(0.1);
});

test('equal means go to the cheaper candidate: fewer trees, then shallower, then splitting less', () => {
  // Candidates 0 to 11 have 100 trees: depths none, 10, 20, 30, each with splits of 2, 5, 10.
  const equal = board(
    'accuracy',
    Array.from({ length: 13 }, (_, i) => (i % 2 ? [0.1, 0.2] : [0.2, 0.1])),
  );
  expect(equal.entries.map(({ candidate }) => candidate)).toEqual([5, 4, 3, 8, 7, 6, 11, 10, 9, 2, 1, 0, 12]);
});

test('where less is better the least comes first, and what is not defined on a fold comes last', () => {
  expect(
    board('mae', [
      [3, 3],
      [1, 2],
      [2, 3],
    ]).entries.map(({ candidate }) => candidate),
  ).toEqual([1, 2, 0]);
  const undefinedFirst = board('rocAuc', [
    [undefined, 0.9],
    [0.1, 0.1],
    [0.8, 0.8],
  ]);
  expect(undefinedFirst.entries.map(({ candidate }) => candidate)).toEqual([2, 1, 0]);
  expect(undefinedFirst.entries[2]!.mean).toEqual({});
});
