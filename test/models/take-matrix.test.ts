import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Matrix } from '../../core/models/model.ts';
import { PickedRows, takeMatrix } from '../../core/models/take-matrix.ts';

/** Each value says where it stands. */
const table = (rows: number): Matrix => ({
  rows,
  columns: 3,
  names: ['a', 'b', 'c'],
  data: Float32Array.from({ length: rows * 3 }, (_, at) => at),
});

test('rows that are picked from parts are those that are taken from the whole', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 9 }), fc.func(fc.boolean()), (rows, size, isWanted) => {
      const whole = table(rows);
      const wanted = Int32Array.from({ length: rows }, (_, row) => row).filter((row) => row === 0 || isWanted(row));
      const picked = new PickedRows(wanted);
      for (let from = 0; from < rows; from += size)
        picked.add(
          takeMatrix(
            whole,
            Int32Array.from({ length: Math.min(size, rows - from) }, (_, i) => from + i),
          ),
          from,
        );
      expect(picked.matrix).toEqual(takeMatrix(whole, wanted));
    }),
  );
});

test('rows that have not come are missed', () => {
  const picked = new PickedRows(Int32Array.of(1, 5));
  picked.add(table(3), 0);
  expect(() => picked.matrix).toThrow('1 of 2 rows have come');
});
