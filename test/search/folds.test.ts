import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type RowKeys, rowKeys } from '../../core/features/row-keys.ts';
import { splitRows } from '../../core/features/split.ts';
import type { Target } from '../../core/models/model.ts';
import { splitFolds } from '../../core/search/folds.ts';
import type { FrameColumn } from '../../core/table/frame.ts';
import { pythonHas, runPython } from '../python.ts';

const labelled = fc
  .record({ classes: fc.integer({ min: 1, max: 5 }), folds: fc.integer({ min: 2, max: 7 }), seed: fc.nat() })
  .chain(({ classes, folds, seed }) =>
    fc.array(fc.nat(classes - 1), { minLength: folds, maxLength: 60 }).map((labels) => ({ classes, folds, seed, labels })),
  );

const targetOf = (classes: number, labels: number[]): Target => ({ task: 'classification', classes, labels: Int32Array.from(labels) });

const spread = (counts: number[]) => Math.max(...counts) - Math.min(...counts);

test('every row is held out once, folds are of one size, and so is each class in them', () => {
  fc.assert(
    fc.property(labelled, ({ classes, folds, seed, labels }) => {
      const parts = splitFolds(targetOf(classes, labels), folds, seed);
      expect(parts.flatMap(({ valid }) => [...valid]).sort((a, b) => a - b)).toEqual([...labels.keys()]);
      for (const { train, valid } of parts) expect([...train, ...valid].sort((a, b) => a - b)).toEqual([...labels.keys()]);
      expect(spread(parts.map(({ valid }) => valid.length))).toBeLessThanOrEqual(1);
      for (let k = 0; k < classes; k++)
        expect(spread(parts.map(({ valid }) => valid.filter((row) => labels[row] === k).length))).toBeLessThanOrEqual(1);
    }),
  );
});

test('a regression is split into folds of one size, in no order', () => {
  const target: Target = { task: 'regression', values: new Float64Array(23) };
  const parts = splitFolds(target, 5, 1);
  expect(parts.map(({ valid }) => valid.length)).toEqual([5, 5, 5, 4, 4]);
  expect(parts.flatMap(({ valid }) => [...valid]).sort((a, b) => a - b)).toEqual(Array.from({ length: 23 }, (_, row) => row));
  expect([...parts[0]!.valid]).not.toEqual([0, 1, 2, 3, 4]);
});

test('the seed decides the folds, and nothing else does', () => {
  const target = targetOf(
    2,
    Array.from({ length: 40 }, (_, row) => row % 2),
  );
  expect(splitFolds(target, 4, 7)).toEqual(splitFolds(target, 4, 7));
  expect(splitFolds(target, 4, 7)).not.toEqual(splitFolds(target, 4, 8));
});

const tied = fc.record({
  keys: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 8, maxLength: 80 }).filter((keys) => new Set(keys).size > 1),
  folds: fc.integer({ min: 2, max: 5 }),
  seed: fc.nat(),
});
const regressionOf = ({ length }: number[]): Target => ({ task: 'regression', values: new Float64Array(length) });

test('a group is on one side of every split, and every row is held out once', () => {
  fc.assert(
    fc.property(tied, ({ keys, folds, seed }) => {
      const by: RowKeys = { by: 'groups', keys: Int32Array.from(keys) };
      const parts = splitFolds(regressionOf(keys), folds, seed, by);
      expect(parts.flatMap(({ valid }) => [...valid]).sort((a, b) => a - b)).toEqual([...keys.keys()]);
      for (const { train, valid } of [...parts, sidesOf(splitRows(regressionOf(keys), 0.2, seed, { by }))]) {
        const inside = new Set([...valid].map((row) => keys[row]));
        expect([...train].filter((row) => inside.has(keys[row]))).toEqual([]);
        expect(train.length + valid.length).toBe(keys.length);
      }
    }),
  );
});

test('of time, nothing is trained on what is not before it, and the latest rows are held out', () => {
  fc.assert(
    fc.property(tied, ({ keys, folds, seed }) => {
      const by: RowKeys = { by: 'time', keys: Int32Array.from(keys) };
      const parts = splitFolds(regressionOf(keys), folds, seed, by);
      const held = sidesOf(splitRows(regressionOf(keys), 0.2, seed, { by }));
      for (const { train, valid } of [...parts, held]) {
        expect(Math.max(...[...train].map((row) => keys[row]!))).toBeLessThan(Math.min(...[...valid].map((row) => keys[row]!)));
      }
      expect(held.valid.length).toBeGreaterThanOrEqual(keys.length * 0.2);
      const validated = parts.flatMap(({ valid }) => [...valid]);
      expect(new Set(validated).size).toBe(validated.length);
    }),
  );
});

const sidesOf = ({ train, test }: { train: Int32Array; test: Int32Array }) => ({ train, valid: test });

test('groups and times are read from any column; a row that has none is alone, or first', () => {
  const category: FrameColumn = { type: 'category', name: 'g', codes: Int32Array.of(0, 1, 0, -1, -1), dictionary: ['b', 'a'] };
  const { keys } = rowKeys('groups', category);
  expect(keys[0]).toBe(keys[2]);
  expect(new Set(keys).size).toBe(4);
  expect([...rowKeys('time', category).keys]).toEqual([2, 1, 2, 0, 0]);
  expect([...rowKeys('time', { type: 'number', name: 't', values: Float32Array.of(3, Number.NaN, -1, 3) }).keys]).toEqual([2, 0, 1, 2]);
});

test('dates follow each other as the calendar does, not as their letters', () => {
  const dictionary = ['02.01.2026', '31.12.2024', '15.06.2025', 'soon'];
  const dates: FrameColumn = { type: 'category', name: 't', codes: Int32Array.of(0, 1, 2, 3, -1, 1), dictionary };
  expect([...rowKeys('time', dates, 'DD.MM.YYYY').keys]).toEqual([3, 1, 2, 0, 0, 1]);
});

test('dates with zones are compared as moments', () => {
  const dictionary = ['2026-01-01T00:30+02:00', '2025-12-31T23:00Z'];
  const dates: FrameColumn = { type: 'category', name: 't', codes: Int32Array.of(0, 1), dictionary };
  expect([...rowKeys('time', dates, 'YYYY-MM-DD').keys]).toEqual([1, 2]);
});

const judge = `
import json, sys, warnings
import numpy
from sklearn.model_selection import StratifiedKFold
warnings.simplefilter("ignore")
answers = []
for case in json.load(sys.stdin):
    y = numpy.array(case["labels"])
    splits = StratifiedKFold(case["folds"], shuffle=True, random_state=0).split(y, y)
    answers.append(sorted(numpy.bincount(y[valid], minlength=case["classes"]).tolist() for _, valid in splits))
json.dump(answers, sys.stdout)
`;

test.skipIf(!pythonHas('sklearn'))(
  "each fold has as many rows of each class as scikit-learn's StratifiedKFold gives it (needs scikit-learn)",
  () => {
    // scikit-learn takes classes in the order they are met, we in their own, and refuses where all classes have fewer members than folds.
    const cases = fc.sample(labelled, { numRuns: 100, seed: 3 }).flatMap((each) => {
      const labels = [...each.labels].sort((a, b) => a - b);
      const most = Math.max(...Array.from({ length: each.classes }, (_, k) => labels.filter((label) => label === k).length));
      return most < each.folds ? [] : [{ ...each, labels }];
    });
    const ours = cases.map(({ classes, folds, seed, labels }) =>
      splitFolds(targetOf(classes, labels), folds, seed)
        .map(({ valid }) => Array.from({ length: classes }, (_, k) => valid.filter((row) => labels[row] === k).length))
        .sort((a, b) => compare(a, b)),
    );
    expect(ours).toEqual(JSON.parse(runPython(judge, JSON.stringify(cases))));
  },
);

function compare(a: number[], b: number[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : a[at]! - b[at]!;
}
