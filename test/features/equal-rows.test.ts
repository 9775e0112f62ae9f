import fc from 'fast-check';
import { expect, test } from 'vitest';
import { equalRows } from '../../core/features/equal-rows.ts';
import { splitRows } from '../../core/features/split.ts';
import type { Frame } from '../../core/table/frame.ts';

const frame = (cells: { x: number; c: number }[]): Frame => ({
  rows: cells.length,
  columns: [
    { type: 'number', name: 'x', values: Float32Array.from(cells, ({ x }) => x) },
    { type: 'category', name: 'c', codes: Int32Array.from(cells, ({ c }) => c), dictionary: ['a', 'b'] },
  ],
});

test('each row knows the first that equals it, missing values included', () => {
  const cells = [
    { x: 1, c: 0 },
    { x: NaN, c: -1 },
    { x: 1, c: 1 },
    { x: 1, c: 0 },
    { x: NaN, c: -1 },
    { x: 0, c: 0 },
    { x: -0, c: 0 },
  ];
  expect(equalRows(frame(cells))).toEqual({ first: Int32Array.from([0, 1, 2, 0, 1, 5, 5]), repeated: 3 });
});

test('rows that mostly repeat do so by nature, and are not kept together', () => {
  expect(equalRows(frame(Array.from({ length: 20 }, (_, i) => ({ x: i % 3, c: 0 }))))).toBeUndefined();
  expect(equalRows(frame(Array.from({ length: 20 }, (_, i) => ({ x: i, c: 0 }))))).toBeUndefined();
});

test('equal rows never stand on both sides of the split', () => {
  const cell = fc.record({ x: fc.integer({ min: 0, max: 60 }), c: fc.integer({ min: -1, max: 1 }) });
  fc.assert(
    fc.property(fc.array(cell, { minLength: 40, maxLength: 120 }), fc.nat(1000), (cells, seed) => {
      const equal = equalRows(frame(cells));
      const { train, test: held } = splitRows({ task: 'regression', values: new Float64Array(cells.length) }, 0.3, seed, {
        together: equal,
      });
      const key = (row: number) => `${cells[row]!.x} ${cells[row]!.c}`;
      expect([...train, ...held].sort((a, b) => a - b)).toEqual([...cells.keys()]);
      const trained = new Set(Array.from(train, key));
      if (equal) expect(Array.from(held, key).filter((row) => trained.has(row))).toEqual([]);
    }),
  );
});
