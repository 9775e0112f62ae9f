/** Predictions of every train row by a model that was not fitted on it: what calibration, thresholds and intervals are fitted on. */

import type { RowKeys } from '../features/row-keys.ts';
import { familyOf } from '../models/families.ts';
import type { FitContext, Matrix, Predictions, Target } from '../models/model.ts';
import { splitFolds } from './folds.ts';
import type { Candidate, Plan } from './plan.ts';

/**
 * Fits the candidate on each of the search's folds. Deterministic; what `context.onProgress` throws comes out.
 * @param x the train rows, as the plan was made for
 * @param context.by what ties rows together, as in the search
 * @returns predictions of all rows of x, in their order: probabilities [rows × classes] or values [rows]; NaN in rows that no fold validates
 */
export async function outOfFold(
  plan: Pick<Plan, 'folds' | 'seed'>,
  { family, params }: Pick<Candidate, 'family' | 'params'>,
  x: Matrix,
  y: Target,
  context: Omit<FitContext, 'seed'> & { by?: RowKeys | undefined },
): Promise<Predictions> {
  const folds = splitFolds(y, plan.folds, plan.seed, context.by);
  const outputs = y.task === 'classification' ? y.classes : 1;
  const numbers = new Float32Array(x.rows * outputs).fill(Number.NaN);
  for (const [done, { train, valid }] of folds.entries()) {
    context.onProgress?.(done / folds.length);
    const onProgress = (share: number) => context.onProgress?.((done + share) / folds.length);
    const fitting = { ...context, seed: plan.seed, onProgress };
    for await (const { predictions } of familyOf(family).predictGrid(x, y, train, valid, [params], fitting)) {
      const own = predictions.task === 'classification' ? predictions.probabilities : predictions.values;
      for (let i = 0; i < valid.length; i++) for (let k = 0; k < outputs; k++) numbers[valid[i]! * outputs + k] = own[i * outputs + k]!;
    }
  }
  return y.task === 'classification'
    ? { task: 'classification', classes: y.classes, probabilities: numbers }
    : { task: 'regression', values: numbers };
}

/** Of predictions out of fold, the rows that there are any of. */
export function knownRows(predictions: Predictions): Int32Array {
  const [numbers, outputs] =
    predictions.task === 'classification' ? [predictions.probabilities, predictions.classes] : [predictions.values, 1];
  const rows = Int32Array.from({ length: numbers.length / outputs }, (_, row) => row);
  return rows.filter((row) => !Number.isNaN(numbers[row * outputs]!));
}

export function takePredictions(predictions: Predictions, rows: Int32Array): Predictions {
  if (predictions.task === 'regression') return { task: 'regression', values: Float32Array.from(rows, (row) => predictions.values[row]!) };
  const { classes, probabilities } = predictions;
  const taken = new Float32Array(rows.length * classes);
  rows.forEach((row, i) => {
    taken.set(probabilities.subarray(row * classes, (row + 1) * classes), i * classes);
  });
  return { task: 'classification', classes, probabilities: taken };
}
