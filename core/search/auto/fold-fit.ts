import { takeTarget } from '../../features/split.ts';
import type { Family, FitContext, FoldFit, Matrix, Params, Target } from '../../models/model.ts';
import { takeMatrix } from '../../models/take-matrix.ts';

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
