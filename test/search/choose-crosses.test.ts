import { describe, expect, test } from 'vitest';
import { transform, withCrosses } from '../../core/features/tabular.ts';
import type { Learning } from '../../core/features/target-encoding.ts';
import { applyView } from '../../core/models/view/apply-view.ts';
import { filledView } from '../../core/models/view/filled.ts';
import { Random } from '../../core/random.ts';
import { checkOf, chooseCrosses } from '../../core/search/choose-crosses.ts';
import { type Cells, fitCells, frameOf, sourceOf } from '../features/tables.ts';

const context = { seed: 1, workers: 1 };

/** Numbers of which the target follows from two in some way, beside noise. */
function madeTable(rows: number, of: (a: number, b: number) => number): { columns: Cells[]; learning: Learning } {
  const random = new Random(9);
  const draw = () => Array.from({ length: rows }, () => Math.fround(1 + random.uniform() * 9));
  const [a, b, c, d] = [draw(), draw(), draw(), draw()];
  const values = Float64Array.from(a, (x, row) => of(x, b[row]!) + random.uniform() * 0.1);
  const columns = [a, b, c, d].map((cells, i): Cells => ({ name: 'abcd'[i]!, type: 'number', cells }));
  return { columns, learning: { target: { task: 'regression', values }, foldOf: Int32Array.from(a, (_, row) => row % 5) } };
}

async function chosen(rows: number, of: (a: number, b: number) => number, workers = 1) {
  const { columns, learning } = madeTable(rows, of);
  return chooseCrosses(fitCells(columns, {}, learning), sourceOf(columns), learning, { ...context, workers });
}

describe('crosses are chosen', () => {
  test.each([
    ['minus', (a: number, b: number) => Math.sin(a - b)],
    ['times', (a: number, b: number) => Math.sin(a * b * 0.3)],
    ['over', (a: number, b: number) => Math.min(3, Math.max(a / b, b / a))],
  ] as const)('where the target follows from a %s b', async (operation, of) => {
    const crosses = await chosen(3000, of);
    expect(crosses.map((cross) => cross.operation)).toContain(operation);
    for (const { a, b } of crosses.slice(0, 1)) expect([a, b].sort()).toEqual([0, 1]);
  });

  test('where it follows from how far a number is from its mean in a category', async () => {
    const random = new Random(7);
    const shops = Array.from({ length: 40 }, () => random.uniform() * 100);
    const shop = Array.from({ length: 4000 }, () => random.below(40));
    const off = shop.map(() => random.uniform() - 0.5);
    const columns: Cells[] = [
      { name: 'price', type: 'number', cells: shop.map((code, row) => Math.fround(shops[code]! + off[row]!)) },
      { name: 'shop', type: 'category', cells: shop.map((code) => `shop ${code}`) },
    ];
    const values = Float64Array.from(off, (value) => value * 10);
    const learning = { target: { task: 'regression' as const, values }, foldOf: Int32Array.from(off, (_, row) => row % 5) };
    expect(await chooseCrosses(fitCells(columns, {}, learning), sourceOf(columns), learning, context)).toEqual([
      { operation: 'within', a: 0, b: 1 },
    ]);
  });

  test('nowhere where it follows from none, and of few rows none', async () => {
    expect(await chosen(3000, (a, b) => a + 2 * b)).toEqual([]);
    expect(await chosen(3000, () => 0)).toEqual([]);
    expect(await chosen(500, (a, b) => Math.sin(a - b))).toEqual([]);
  });

  test('in so much time: of many classes in fewer rounds, and not at all where those would be too few', () => {
    const shape = { rows: 8000, features: 20, classes: 2 };
    expect(checkOf(shape)).toMatchObject({ rows: 8000, rounds: 60 });
    const many = checkOf({ ...shape, classes: 100 })!;
    expect(many.rounds).toBeLessThan(30);
    expect(many.coreSeconds).toBeLessThanOrEqual(5);
    expect(checkOf({ ...shape, classes: 100 }, 1)).toBeUndefined();
    expect(checkOf({ ...shape, rows: 1999 })).toBeUndefined();
  });

  test('alike, whatever the workers', async () => {
    expect(await chosen(2500, (a, b) => Math.sin(a - b), 2)).toEqual(await chosen(2500, (a, b) => Math.sin(a - b)));
  });
});

test('crosses are the last features, of imputed numbers; infinite ones are moved to the bound where no outliers are wanted', () => {
  const columns: Cells[] = [
    { name: 'a', type: 'number', cells: [1, 2, 3, 4, null] },
    { name: 'b', type: 'number', cells: [1, 0, 2, 4, 1] },
    { name: 'c', type: 'category', cells: ['x', 'y', 'x', 'y', 'x'] },
  ];
  const crosses = [
    { operation: 'over', a: 0, b: 1 },
    { operation: 'within', a: 1, b: 2 },
    { operation: 'minus', a: 1, b: 0 },
  ] as const;
  const preprocess = withCrosses(fitCells(columns), crosses, frameOf(columns));
  expect(preprocess.features).toEqual(['a', 'b', 'a is missing', 'c = x', 'c = y', 'b − a', 'a ÷ b', 'b within c']);
  const x = transform(preprocess, frameOf(columns));
  const { data, rows } = applyView(filledView(x)!, x);
  const [minus, over] = preprocess.crosses!;
  const unscaled = (at: number, { mean, scale }: { mean: number; scale: number }) =>
    [...data.subarray(at * rows, (at + 1) * rows)].map((value) => value * scale + mean);
  expect(unscaled(5, minus!).map(Math.round)).toEqual([0, -2, -1, 0, -1]);
  expect(unscaled(6, over!)[1]).toBeCloseTo(over!.high, 3);
  expect(data.every(Number.isFinite)).toBe(true);
});
