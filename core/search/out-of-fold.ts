/** Predictions of every train row by a model that was not fitted on it: what calibration, thresholds and intervals are fitted on. */
import { familyOf } from '../models/families.ts';
import type { FitContext, Matrix, Predictions, Target } from '../models/model.ts';
import { splitFolds } from './folds.ts';
import type { Candidate, Plan } from './plan.ts';

/**
 * Fits the candidate on each of the search's folds. Deterministic; what `context.onProgress` throws comes out.
 * @param x the train rows, as the plan was made for
 * @returns predictions of all rows of x, in their order: probabilities [rows × classes] or values [rows]
 */
export async function outOfFold(
  plan: Pick<Plan, 'folds' | 'seed'>,
  { family, params }: Pick<Candidate, 'family' | 'params'>,
  x: Matrix,
  y: Target,
  context: Omit<FitContext, 'seed'>,
): Promise<Predictions> {
  const folds = splitFolds(y, plan.folds, plan.seed);
  const outputs = y.task === 'classification' ? y.classes : 1;
  const numbers = new Float32Array(x.rows * outputs);
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
