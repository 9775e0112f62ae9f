import { describe, expect, test } from 'vitest';
import { transform, transformTrain } from '../../core/features/tabular.ts';
import type { FittedEncoding, Learning } from '../../core/features/target-encoding.ts';
import type { Target } from '../../core/models/model.ts';
import { Random } from '../../core/random.ts';
import { type Cells, fitCells, frameOf } from './tables.ts';

const folds = 5;
const learningOf = (target: Target, rows: number): Learning => ({
  target,
  foldOf: Int32Array.from({ length: rows }, (_, row) => row % folds),
});

/** A category of `values` values, of which each has an effect on a number, beside noise. */
function madeTable(rows: number, values: number, effect: number): { columns: Cells[]; target: Target } {
  const random = new Random(3);
  const effects = Array.from({ length: values }, () => random.uniform() - 0.5);
  const codes = Array.from({ length: rows }, () => random.below(values));
  const numbers = Float64Array.from(codes, (code) => 10 + effect * effects[code]! + (random.uniform() - 0.5));
  return {
    columns: [{ name: 'c', type: 'category', cells: codes.map((code) => (code === 0 ? null : `v${code}`)) }],
    target: { task: 'regression', values: numbers },
  };
}

function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const mean = (x: ArrayLike<number>) => Array.from(x).reduce((sum, value) => sum + value, 0) / x.length;
  const [ma, mb] = [mean(a), mean(b)];
  const dot = (x: ArrayLike<number>, mx: number, y: ArrayLike<number>, my: number) =>
    Array.from(x).reduce((sum, value, i) => sum + (value - mx) * (y[i]! - my), 0);
  return dot(a, ma, b, mb) / Math.sqrt(dot(a, ma, a, ma) * dot(b, mb, b, mb));
}

const tableOf = (columns: Cells[], learning: Learning) => (fitCells(columns, {}, learning).columns[0] as FittedEncoding).table;

describe('a category of many values', () => {
  const rows = 3000;
  const { columns, target } = madeTable(rows, 300, 2);
  const learning = learningOf(target, rows);
  const values = target.task === 'regression' ? [...target.values] : [];

  test('is encoded by its target and by how many rows have it; without a target by its frequent values', () => {
    expect(fitCells(columns, {}, learning).features).toEqual(['c: target', 'c: rows alike']);
    expect(fitCells(columns).features).toHaveLength(65 + 1);
    const few: Cells[] = [{ name: 'c', type: 'category', cells: columns[0]!.cells.map((_, i) => `v${i % 64}`) }];
    expect(fitCells(few, {}, learning).features).toHaveLength(64 + 1);
  });

  test('serves each value’s mean, drawn to the mean of all; an unseen one is the mean of all', () => {
    const [means] = tableOf(columns, learning);
    const overall = values.reduce((sum, value) => sum + value, 0) / rows;
    expect(means!.at(-1)).toBeCloseTo(overall, 5);
    const { spellings } = fitCells(columns, {}, learning).columns[0] as FittedEncoding;
    for (const [value, code] of Object.entries(spellings)) {
      if (!/^v\d+$/.test(value)) continue;
      const own = values.filter((_, row) => columns[0]!.cells[row] === value);
      const mean = own.reduce((sum, number) => sum + number, 0) / own.length;
      expect(Math.abs(means![code]! - overall)).toBeLessThanOrEqual(Math.abs(mean - overall) + 1e-5);
      expect((means![code]! - overall) * (mean - overall)).toBeGreaterThanOrEqual(0);
    }
  });

  test('draws little where values differ much, and altogether where they don’t differ', () => {
    const spread = (effect: number) => {
      const made = madeTable(rows, 300, effect);
      const [means] = tableOf(made.columns, learningOf(made.target, rows));
      return Math.max(...means!) - Math.min(...means!);
    };
    expect(spread(20)).toBeGreaterThan(18);
    expect(spread(0)).toBeLessThan(0.1);
  });

  test('a train row never sees its own target', () => {
    const preprocess = fitCells(columns, {}, learning);
    const before = transformTrain(preprocess, frameOf(columns), learning);
    const changed = { ...target, values: Float64Array.from(values, (value, row) => (row % folds === 2 ? value + 1000 : value)) } as Target;
    const after = transformTrain(preprocess, frameOf(columns), learningOf(changed, rows));
    const isOwn = (row: number) => row % folds === 2;
    for (let row = 0; row < rows; row++) expect(after.data[row] === before.data[row]).toBe(isOwn(row));
  });

  test('what a single row said of a value is served, and train rows whose value one other row has look the same', () => {
    const pairs: Cells[] = [{ name: 'c', type: 'category', cells: Array.from({ length: 401 }, (_, row) => `v${row >> 1}`) }];
    const told: Target = { task: 'regression', values: Float64Array.from({ length: 401 }, (_, row) => (row >> 1) % 7) };
    const foldOf = Int32Array.from({ length: 401 }, (_, row) => row % 2);
    const preprocess = fitCells(pairs, {}, { target: told, foldOf });
    const { spellings, table } = preprocess.columns[0] as FittedEncoding;
    const [once, twice] = ['v200', 'v3'].map((value) => spellings[value]!);
    expect(table[0]![once!]).toBeCloseTo(200 % 7, 0);
    expect([once!, twice!, table[1]!.length - 1].map((code) => Math.round(Math.expm1(table[1]![code]!)))).toEqual([1, 2, 0]);
    const served = transform(preprocess, frameOf([{ ...pairs[0]!, cells: ['v200', 'new'] }])).data.subarray(2);
    const train = transformTrain(preprocess, frameOf(pairs), { target: told, foldOf }).data.subarray(401);
    expect([...new Set(train)].sort()).toEqual([...served].sort());
  });

  test('does not leak: where there is nothing to learn the train rows’ encoding says nothing, and the naive one would', () => {
    const random = new Random(8);
    const many: Cells[] = [{ name: 'c', type: 'category', cells: Array.from({ length: rows }, () => `v${random.below(1000)}`) }];
    const noise: Target = { task: 'classification', classes: 2, labels: Int32Array.from({ length: rows }, () => random.below(2)) };
    const labels = noise.task === 'classification' ? [...noise.labels] : [];
    const preprocess = fitCells(many, {}, learningOf(noise, rows));
    const outOfFold = transformTrain(preprocess, frameOf(many), learningOf(noise, rows)).data.subarray(0, rows);
    expect(Math.abs(correlation(outOfFold, labels) || 0)).toBeLessThan(0.08);
    const means = new Map<string, number[]>();
    many[0]!.cells.forEach((cell, row) => {
      means.set(cell as string, [...(means.get(cell as string) ?? []), labels[row]!]);
    });
    const naive = many[0]!.cells.map((cell) => means.get(cell as string)!.reduce((a, b) => a + b, 0) / means.get(cell as string)!.length);
    expect(correlation(naive, labels)).toBeGreaterThan(0.4);
  });

  test('what it tells of the rows it was not fitted on is what it tells of train rows, closely', () => {
    const preprocess = fitCells(columns, {}, learning);
    const served = transform(preprocess, frameOf(columns)).data.subarray(0, rows);
    const trained = transformTrain(preprocess, frameOf(columns), learning).data.subarray(0, rows);
    expect(correlation(served, trained)).toBeGreaterThan(0.9);
    expect(correlation(trained, values)).toBeGreaterThan(0.7);
  });
});

test('of three classes each has a feature, of thirty the ten most frequent', () => {
  const rows = 2000;
  const cells = Array.from({ length: rows }, (_, row) => `v${row % 200}`);
  const labelled = (classes: number) => {
    const labels = Int32Array.from({ length: rows }, (_, row) => Math.min(row % (classes + 2), classes - 1));
    return fitCells([{ name: 'c', type: 'category', cells }], {}, learningOf({ task: 'classification', classes, labels }, rows)).features;
  };
  expect(labelled(3)).toEqual(['c: target no', 'c: target yes', 'c: target 2', 'c: rows alike']);
  expect(labelled(30)).toHaveLength(11);
  expect(labelled(30)).toContain('c: target 29');
});
