/** Amounts learned as logarithms: answers are amounts, in the graph too. */
import { describe, expect, test } from 'vitest';
import { families, familyOf } from '../../core/models/families.ts';
import { isSkewed } from '../../core/models/log-target.ts';
import type { Target } from '../../core/models/model.ts';
import { Random } from '../../core/random.ts';
import { portfolioOf } from '../../core/search/auto/candidates.ts';
import { makeSample, numbersOf, pickRows, type Sample } from './data.ts';
import { askGraph, edgeRows } from './graph.ts';

const context = { seed: 3, workers: 1 };

/** Amounts of which the logarithm is a line with noise; every tenth is zero where asked for. */
function amounts(rows: number, { zeros = false } = {}): Sample & { y: Extract<Target, { task: 'regression' }> } {
  const { x } = makeSample(rows, 4, 0, 2);
  const random = new Random(8);
  const values = Float64Array.from({ length: rows }, (_, row) =>
    zeros && row % 10 === 0 ? 0 : 1000 * Math.exp(3 * x.data[row]! - x.data[rows + row]! + random.uniform() - 0.5),
  );
  return { x, y: { task: 'regression', values } };
}

const squared = ({ y }: ReturnType<typeof amounts>, numbers: Float32Array) =>
  numbers.reduce((sum, number, row) => sum + (number - y.values[row]!) ** 2, 0);

describe.each(families)('$name', (family) => {
  const few = 'nEstimators' in family.parse({}) ? { nEstimators: 8, target: 'log' } : { target: 'log' };

  test.each([{ zeros: false }, { zeros: true }])('the graph answers the same bits as predict: %j', async (asked) => {
    const { x, y } = amounts(250, asked);
    const model = await family.fit(x, y, few, context);
    const rows = edgeRows(x);
    const said = numbersOf(await model.predict(rows));
    expect(await askGraph(model, rows)).toEqual(said);
    const most = Math.max(...y.values);
    for (const value of said) {
      expect(value).toBeGreaterThan(-0.02 * most);
      expect(value).toBeLessThan(9 * most);
    }
    const back = family.deserialize(model.serialize());
    expect(back.serialize()).toEqual(model.serialize());
    expect(numbersOf(await back.predict(rows))).toEqual(said);
    if (model.first) expect(await askGraph(model.first(3), rows)).toEqual(numbersOf(await back.first!(3).predict(rows)));
  });

  test('candidates of a grid, of both sorts, are fitted together as each would be alone', async () => {
    const sample = amounts(250);
    const train = Int32Array.from({ length: 200 }, (_, row) => row);
    const valid = Int32Array.from({ length: 50 }, (_, row) => 200 + row);
    const candidates = [few, { ...few, target: 'asIs' }];
    const seen = new Set<number>();
    for await (const { candidate, predictions } of family.predictGrid(sample.x, sample.y, train, valid, candidates, context)) {
      const alone = pickRows(sample, train);
      const model = await family.fit(alone.x, alone.y, candidates[candidate]!, context);
      expect(numbersOf(predictions)).toEqual(numbersOf(await model.predict(pickRows(sample, valid).x)));
      seen.add(candidate);
    }
    expect(seen.size).toBe(2);
  });

  test('negative amounts, and classes, are learned as they are', async () => {
    for (const { x, y } of [
      makeSample(120, 4, 2, 1),
      { ...amounts(120), y: { task: 'regression', values: amounts(120).y.values.map((v) => v - 900) } } as Sample,
    ]) {
      const [a, b] = [await family.fit(x, y, few, context), await family.fit(x, y, { ...few, target: 'asIs' }, context)];
      expect(numbersOf(await a.predict(x))).toEqual(numbersOf(await b.predict(x)));
    }
  });
});

test('a line of logarithms is learned better, and the answers are right on average', async () => {
  const sample = amounts(400);
  const [log, plain] = await Promise.all(
    ['log', 'asIs'].map(async (target) =>
      numbersOf(await (await familyOf('linear').fit(sample.x, sample.y, { alpha: 0.001, target }, context)).predict(sample.x)),
    ),
  );
  expect(squared(sample, log!)).toBeLessThan(squared(sample, plain!) / 2);
  const mean = (numbers: ArrayLike<number>) => Array.from(numbers).reduce((sum, value) => sum + value, 0) / numbers.length;
  expect(mean(log!) / mean(sample.y.values)).toBeCloseTo(1, 2);
});

test('the rows of a fold say what makes its answers right on average', async () => {
  const { x, y } = amounts(400);
  const [rows, valid] = [0, 1].map((own) => Int32Array.from({ length: 200 }, (_, i) => 2 * i + own)) as [Int32Array, Int32Array];
  const fold = await familyOf('boosting').fitFold!(x, y, rows, valid, { nEstimators: 60, target: 'log' }, context);
  const said = numbersOf(fold.predictions);
  const mean = (numbers: ArrayLike<number>) => Array.from(numbers).reduce((sum, value) => sum + value, 0) / numbers.length;
  expect(mean(said) / mean(Float64Array.from(valid, (row) => y.values[row]!))).toBeCloseTo(1, 4);
  expect(numbersOf(await fold.model.predict(pickRows({ x, y }, valid).x))).toEqual(said);
});

test('amounts are told from other numbers, and tried both ways', () => {
  expect(isSkewed(amounts(500).y.values)).toBe(true);
  expect(isSkewed(amounts(500, { zeros: true }).y.values)).toBe(true);
  expect(isSkewed(amounts(500).y.values.map((value) => value - 500))).toBe(false);
  expect(isSkewed(Float64Array.from({ length: 500 }, (_, i) => i))).toBe(false);
  expect(isSkewed(new Float64Array(9))).toBe(false);
  const log = portfolioOf(undefined, true).filter(({ params }) => params['target'] === 'log');
  expect(new Set(log.map(({ family }) => family)).size).toBe(families.length);
  expect(portfolioOf(undefined).some(({ params }) => params['target'] === 'log')).toBe(false);
});
