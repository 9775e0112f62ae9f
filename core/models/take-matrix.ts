import type { Matrix } from './model.ts';

/** The given rows of a matrix, in that order. */
export function takeMatrix(x: Matrix, rows: Int32Array): Matrix {
  const data = new Float32Array(rows.length * x.columns);
  for (let column = 0; column < x.columns; column++) {
    const from = x.data.subarray(column * x.rows, (column + 1) * x.rows);
    const into = data.subarray(column * rows.length, (column + 1) * rows.length);
    for (let i = 0; i < rows.length; i++) into[i] = from[rows[i]!]!;
  }
  return { ...x, rows: rows.length, data };
}
