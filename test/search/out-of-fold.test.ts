import { expect, test } from 'vitest';
import { findAnswers } from '../../core/answers/find-answers.ts';
import { OutOfTime } from '../../core/compute/budget.ts';
import { familyOf } from '../../core/models/families.ts';
import type { Params } from '../../core/models/model.ts';
import { splitFolds } from '../../core/search/folds.ts';
import { outOfFold } from '../../core/search/out-of-fold.ts';
import type { Plan } from '../../core/search/plan.ts';
import { type TrainingSize, trainingSizes } from '../../core/search/training-sizes.ts';
import { makeSample, numbersOf, pickRows } from '../models/data.ts';

const plan = { folds: 4, seed: 7, metric: 'accuracy', coverage: 0.9, candidates: [], trials: [] } as unknown as Plan;
const candidate = { family: 'forest', params: familyOf('forest').parse({ nEstimators: 5 }) };

test('each row is predicted by a model of the folds that it is not in', async () => {
  const sample = makeSample(120, 4, 3, 1);
  const found = numbersOf(await outOfFold(plan, candidate, sample.x, sample.y, { workers: 1 }));
  for (const { train, valid } of splitFolds(sample.y, plan.folds, plan.seed)) {
    const [known, fresh] = [pickRows(sample, train), pickRows(sample, valid)];
    const model = await familyOf('forest').fit(known.x, known.y, candidate.params, { seed: plan.seed, workers: 2 });
    const own = numbersOf(await model.predict(fresh.x));
    valid.forEach((row, i) => {
      expect(found.subarray(row * 3, row * 3 + 3)).toEqual(own.subarray(i * 3, i * 3 + 3));
    });
  }
});

test('training sizes end with all rows of the first fold, and cost nothing but the smaller ones', async () => {
  const { x, y } = makeSample(400, 4, 2, 1);
  const all = await outOfFold(plan, candidate, x, y, { workers: 1 });
  const sizes: TrainingSize[] = [];
  for await (const size of trainingSizes(plan, candidate, x, y, all, { workers: 1 })) sizes.push(size);
  expect(sizes.map(({ rows }) => rows)).toEqual([300, 38, 75, 150]);
  for (const { score } of sizes) expect(score).toBeGreaterThan(0.5);
});

test('training sizes are of the rows that were asked, where a large fold had more', async () => {
  const { x, y } = makeSample(400, 4, 2, 1);
  const all = await outOfFold(plan, candidate, x, y, { workers: 1 });
  numbersOf(all).fill(Number.NaN, 0, 400);
  const scores: number[] = [];
  for await (const { score } of trainingSizes(plan, candidate, x, y, all, { workers: 1 })) scores.push(score);
  expect(scores).toHaveLength(4);
  for (const score of scores) expect(score).toBeGreaterThan(0.5);
});

test('a member stands for its mixture with as many sizes as there is work for', async () => {
  const { x, y } = makeSample(400, 4, 2, 1);
  const all = await outOfFold(plan, candidate, x, y, { workers: 1 });
  const rowsOf = async (features: number, grown: Params = candidate.params) => {
    const rows: number[] = [];
    const shape = { rows: 400, features, classes: 2 };
    for await (const size of trainingSizes({ ...plan, shape }, candidate, x, y, all, { workers: 1, grown })) rows.push(size.rows);
    return rows;
  };
  expect(await rowsOf(4)).toEqual([300, 38, 75, 150]);
  expect(await rowsOf(1e8)).toEqual([300]);
  expect(await rowsOf(4, { ...candidate.params, nEstimators: 1e7 })).toEqual([300]);
});

test('where the time is over there are no answers, and that is said', async () => {
  const { x, y } = makeSample(200, 4, 2, 1);
  const over = await findAnswers(plan, candidate, x, y, { workers: 1, left: () => 0 });
  expect(over).toMatchObject({ answers: {}, skipped: expect.stringContaining('the time was over') });
  let looks = 0;
  const midway = await findAnswers(plan, candidate, x, y, { workers: 1, left: () => 3 - looks++ });
  expect(midway.skipped).toBeDefined();
  const weighted = await findAnswers({ ...plan, classWeights: [1, 4] }, candidate, x, y, { workers: 1, left: () => 0 });
  expect(weighted.answers).toEqual({ decision: [1, 4] });
  await expect(
    outOfFold(plan, candidate, x, y, {
      workers: 1,
      onProgress: () => {
        throw new OutOfTime();
      },
    }),
  ).rejects.toThrow(OutOfTime);
});

test('a family that cannot be fitted on few rows costs the curve, not the answers', async () => {
  const { x, y } = makeSample(200, 4, 2, 1);
  const stored = await outOfFold(plan, candidate, x, y, { workers: 1 });
  const exemplar = { candidate: { id: 3, family: 'none', params: {} }, grown: {}, outOfFold: stored };
  const found = await findAnswers(plan, candidate, x, y, { workers: 1, left: () => 1e6, stored, exemplar });
  expect(found).toMatchObject({ answers: { coverage: 0.9 }, exemplar: { candidate: 3, family: 'none' }, trainingSizes: [{ rows: 150 }] });
});

test('a member of which nothing is known on the first fold has no curve', async () => {
  const { x, y } = makeSample(200, 4, 2, 1);
  const all = await outOfFold(plan, candidate, x, y, { workers: 1 });
  const { valid } = splitFolds(y, plan.folds, plan.seed)[0]!;
  const numbers = numbersOf(all);
  for (const row of valid) numbers.fill(Number.NaN, row * 2, row * 2 + 2);
  const sizes = trainingSizes(plan, candidate, x, y, all, { workers: 1, grown: candidate.params });
  expect((await sizes.next()).done).toBe(true);
});
