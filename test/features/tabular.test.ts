import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { transform } from '../../core/features/tabular.ts';
import { applyView } from '../../core/models/view/apply-view.ts';
import { filledView } from '../../core/models/view/filled.ts';
import { type Cells, fitCells, frameOf, tables } from './tables.ts';

const matrixOf = (preprocess: ReturnType<typeof fitCells>, columns: readonly Cells[]) => transform(preprocess, frameOf(columns));

/** As families see them that want no gaps and no outliers. */
function filled(preprocess: ReturnType<typeof fitCells>, columns: readonly Cells[]) {
  const x = matrixOf(preprocess, columns);
  return applyView(filledView(x)!, x);
}

/** The features of a table by name. */
function featuresOf(
  preprocess: ReturnType<typeof fitCells>,
  columns: readonly Cells[],
  { names, rows, data } = matrixOf(preprocess, columns),
): Record<string, number[]> {
  return Object.fromEntries(names.map((name, i) => [name, [...data.subarray(i * rows, (i + 1) * rows)]]));
}

describe('numbers', () => {
  test('missing ones stay so, or become the median, and a feature says so where the train rows have any', () => {
    const train: Cells[] = [{ name: 'age', type: 'number', cells: [1, null, 3, 8] }];
    const preprocess = fitCells(train);
    expect(preprocess.columns[0]).toMatchObject({ impute: 3, indicator: true });
    const { age, 'age is missing': missing } = featuresOf(preprocess, train);
    expect(missing).toEqual([0, 1, 0, 0]);
    expect(age![1]).toBe(Number.NaN);
    const { age: full } = featuresOf(preprocess, train, filled(preprocess, train));
    expect(full).toEqual([age![0], age![2], age![2], age![3]]);
  });

  test('the features of the train rows have mean 0 and deviation 1', () => {
    const cells = Array.from({ length: 1000 }, (_, i) => Math.sin(i) * 40 + 7);
    const values = featuresOf(fitCells([{ name: 'n', type: 'number', cells }]), [{ name: 'n', type: 'number', cells }])['n']!;
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    expect(mean).toBeCloseTo(0, 5);
    expect(deviation).toBeCloseTo(1, 5);
  });

  test('values beyond three interquartile ranges from the quartiles stay, or stand at the bound, infinities too', () => {
    const cells = Array.from({ length: 101 }, (_, i) => i);
    const preprocess = fitCells([{ name: 'n', type: 'number', cells }]);
    expect(preprocess.columns[0]).toMatchObject({ low: -125, high: 225 });
    const columns: Cells[] = [{ name: 'n', type: 'number', cells: [-Infinity, -125, 225, 226, Infinity] }];
    const whole = featuresOf(preprocess, columns)['n']!;
    expect([whole[0], whole[4]]).toEqual([-Infinity, Infinity]);
    expect(whole[3]).toBeGreaterThan(whole[2]!);
    const asked = featuresOf(preprocess, columns, filled(preprocess, columns))['n']!;
    expect(asked[0]).toBe(asked[1]);
    expect([asked[3], asked[4]]).toEqual([asked[2], asked[2]]);
  });

  test.each([
    ['the same everywhere', [5, 5, 5]],
    ['zero or almost', [0, -0, 2 ** -149]],
    ['all missing', [null, null, null]],
    ['infinite', [Infinity, -Infinity, Infinity]],
    ['as far apart as float32 goes', [3.4028234663852886e38, -3.4028234663852886e38, 0]],
  ])('a column that is %s gives features without NaN, where these are filled', (_, cells) => {
    const columns: Cells[] = [{ name: 'n', type: 'number', cells }];
    const preprocess = fitCells(columns);
    expect(filled(preprocess, columns).data).not.toContain(Number.NaN);
  });
});

describe('categories', () => {
  const train: Cells[] = [{ name: 'sex', type: 'category', cells: ['male', 'female', 'male', null] }];

  test('each value has a feature, the most frequent first; missing and unseen ones have none of them', () => {
    const preprocess = fitCells(train);
    expect(preprocess.features).toEqual(['sex = male', 'sex = female', 'sex is missing']);
    expect(featuresOf(preprocess, [{ name: 'sex', type: 'category', cells: ['female', 'male', null, 'neither'] }])).toEqual({
      'sex = male': [0, 1, 0, 0],
      'sex = female': [1, 0, 0, 0],
      'sex is missing': [0, 0, 1, 0],
    });
  });

  test('the spellings that cleaning merged mean the same, and so do variants in case and space', () => {
    const preprocess = fitCells(train, { sex: { spellings: { male: ['male', ' Male', 'm.'] }, missingTokens: { '': 1, 'N/A': 2 } } });
    const { 'sex = male': male, 'sex is missing': missing } = featuresOf(preprocess, [
      { name: 'sex', type: 'category', cells: ['male', 'MALE', ' Male', 'm.', 'M.', 'Female', 'n/a', 'N/A'] },
    ]);
    expect(male).toEqual([1, 1, 1, 1, 1, 0, 0, 0]);
    expect(missing).toEqual([0, 0, 0, 0, 0, 0, 1, 1]);
  });

  test('a variant never takes what is itself a value of the file', () => {
    const columns: Cells[] = [{ name: 'unit', type: 'category', cells: ['mW', 'mW', 'MW', 'na'] }];
    const preprocess = fitCells(columns, { unit: { missingTokens: { NA: 1 } } });
    expect(featuresOf(preprocess, columns)).toEqual({
      'unit = mW': [1, 1, 0, 0],
      'unit = MW (2)': [0, 0, 1, 0],
      'unit = na': [0, 0, 0, 1],
      'unit: code': [0, 0, 1, 2],
    });
  });

  test('three values or more have a code: that of the value, of missing, or of neither', () => {
    const columns: Cells[] = [{ name: 'c', type: 'category', cells: ['a', 'a', 'a', 'b', 'b', 'c'] }];
    const preprocess = fitCells(columns);
    expect(preprocess.features).toEqual(['c = a', 'c = b', 'c = c', 'c: code']);
    expect(featuresOf(preprocess, [{ name: 'c', type: 'category', cells: ['b', 'c', null, 'd'] }])['c: code']).toEqual([1, 2, -1, -2]);
  });

  test('at most 64 values have a feature, and those that one row in a thousand has', () => {
    const many = Array.from({ length: 5000 }, (_, i) => `value ${i % 100}`);
    expect(fitCells([{ name: 'c', type: 'category', cells: many }]).features).toHaveLength(64 + 1);
    const rare = Array.from({ length: 5000 }, (_, i) => (i < 4 ? 'rare' : i < 9 ? 'rather' : 'often'));
    expect(fitCells([{ name: 'c', type: 'category', cells: rare }]).features).toEqual(['c = often', 'c = rather']);
  });

  test('feature names differ in more than case', () => {
    const columns: Cells[] = [
      { name: 'a = X', type: 'number', cells: [1, 2] },
      { name: 'a', type: 'category', cells: ['x', 'X'] },
    ];
    expect(fitCells(columns).features).toEqual(['a = X', 'a = X (2)', 'a = x (3)']);
  });
});

test('booleans are one feature, read as the file wrote them and as people do', () => {
  const columns: Cells[] = [{ name: 'b', type: 'boolean', cells: ['true', 'false', null] }];
  const preprocess = fitCells(columns, { b: { spellings: { true: ['n', 'Sí'], false: ['x'] } } });
  const cells = ['sí', 'n', 'True', '1', 'Yes', 'NO', '0', 'X', 'false', 'maybe', null];
  expect(featuresOf(preprocess, [{ name: 'b', type: 'category', cells }])).toEqual({
    b: [1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0],
    'b is missing': [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  });
});

test('a table without features is refused', () => {
  expect(() => fitCells([])).toThrow(expect.objectContaining({ code: 'NoFeatures' }));
});

test('what is fitted survives JSON: it transforms as before, bit for bit', () => {
  fc.assert(
    fc.property(tables, ({ train }) => {
      const columns: Cells[] = [...train, { name: 'one more', type: 'number', cells: train[0]!.cells.map((_, i) => i) }];
      const preprocess = fitCells(columns);
      const read = JSON.parse(JSON.stringify(preprocess)) as typeof preprocess;
      const [before, after] = [transform(preprocess, frameOf(columns)), transform(read, frameOf(columns))];
      expect(new Uint32Array(after.data.buffer)).toEqual(new Uint32Array(before.data.buffer));
      expect(filled(preprocess, columns).data.some(Number.isNaN)).toBe(false);
    }),
  );
});
