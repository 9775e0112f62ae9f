import { takeTarget } from '../../features/split.ts';
import type { Family, FitContext, FoldFit, Matrix, Params, Target } from '../../models/model.ts';

/** Fits a candidate on some rows and predicts others, with the family's own stopping where it has one. */
export async function fitFold(
  family: Family,
  x: Matrix,
  y: Target,
  rows: Int32Array,
  validRows: Int32Array,
  params: Params,
  context: FitContext,
): Promise<FoldFit> {
  if (family.fitFold) return family.fitFold(x, y, rows, validRows, params, context);
  const model = await family.fit(takeMatrix(x, rows), takeTarget(y, rows), params, context);
  return { model, predictions: await model.predict(takeMatrix(x, validRows)) };
}

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
