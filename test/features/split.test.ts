import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitRows, takeRows, takeTarget } from '../../core/features/split.ts';
import type { Target } from '../../core/models/model.ts';
import { frameOf } from './tables.ts';

function classes(labels: readonly number[]): Target {
  return { task: 'classification', classes: Math.max(...labels) + 1, labels: Int32Array.from(labels) };
}

test('each row is on one side, and each class has its share on both', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 12, maxLength: 300 }),
      fc.double({ min: 0.1, max: 0.5, noNaN: true }),
      fc.nat(),
      (labels, fraction, seed) => {
        const target = classes(labels);
        const { train, test: held } = splitRows(target, fraction, seed);
        expect([...train, ...held].sort((a, b) => a - b)).toEqual(labels.map((_, i) => i));
        for (let label = 0; label < 4; label++) {
          const rows = labels.filter((of) => of === label).length;
          const there = [...held].filter((row) => labels[row] === label).length;
          expect(Math.abs(there - rows * fraction)).toBeLessThanOrEqual(1);
          if (rows > 0) expect(there).toBeLessThan(rows);
        }
      },
    ),
  );
});

test('the same seed draws the same rows, another seed others', () => {
  const target: Target = { task: 'regression', values: new Float64Array(100) };
  expect(splitRows(target, 0.2, 7)).toEqual(splitRows(target, 0.2, 7));
  expect(splitRows(target, 0.2, 7)).not.toEqual(splitRows(target, 0.2, 8));
  expect(splitRows(target, 0.2, 7).test).toHaveLength(20);
});

test('a class of one row stays in train', () => {
  const { train } = splitRows(classes([0, 0, 0, 0, 0, 0, 0, 1]), 0.5, 1);
  expect([...train]).toContain(7);
});

test('rows that cannot be on both sides are refused', () => {
  expect(() => splitRows(classes([0, 1]), 0.2, 1)).toThrow(expect.objectContaining({ code: 'EmptyDataset' }));
  expect(() => splitRows({ task: 'regression', values: new Float64Array(1) }, 0.2, 1)).toThrow(/too few/);
});

test('rows are taken from tables and targets in the order asked for', () => {
  const frame = frameOf([
    { name: 'n', type: 'number', cells: [1, 2, 3] },
    { name: 'c', type: 'category', cells: ['a', null, 'b'] },
  ]);
  const rows = Int32Array.of(2, 1);
  expect(takeRows(frame, rows)).toEqual({
    rows: 2,
    columns: [
      { type: 'number', name: 'n', values: Float32Array.of(3, 2) },
      { type: 'category', name: 'c', codes: Int32Array.of(1, -1), dictionary: ['a', 'b'] },
    ],
  });
  expect(takeTarget(classes([0, 1, 2]), rows)).toMatchObject({ classes: 3, labels: Int32Array.of(2, 1) });
});
