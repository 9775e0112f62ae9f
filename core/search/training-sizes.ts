/** How the score grows with the rows to learn from: whether more data would help. */
import type { RowKeys } from '../features/row-keys.ts';
import { takeTarget } from '../features/split.ts';
import { familyOf } from '../models/families.ts';
import type { FitContext, Matrix, Predictions, Target } from '../models/model.ts';
import { Random } from '../random.ts';
import { splitFolds } from './folds.ts';
import { score } from './metrics.ts';
import { takePredictions } from './out-of-fold.ts';
import type { Candidate, Plan } from './plan.ts';

/** Shares of the first fold's train rows that are learned from, besides all of them. */
export const trainingShares = [1 / 8, 1 / 4, 1 / 2];
/** Fewer rows are no training set. */
const leastRows = 20;

export interface TrainingSize {
  rows: number;
  /** The plan's metric on the first fold's other rows. */
  score: number;
}

/**
 * @param all out-of-fold predictions of all rows, by the same candidate
 * @returns that of all rows, which costs nothing, then ascending
 */
export async function* trainingSizes(
  plan: Pick<Plan, 'folds' | 'seed' | 'metric'>,
  { family, params }: Pick<Candidate, 'family' | 'params'>,
  x: Matrix,
  y: Target,
  all: Predictions,
  context: Omit<FitContext, 'seed'> & { by?: RowKeys | undefined },
): AsyncGenerator<TrainingSize> {
  const [{ train, valid }] = splitFolds(y, plan.folds, plan.seed, context.by) as [{ train: Int32Array; valid: Int32Array }];
  const truth = takeTarget(y, valid);
  const sized = (rows: number, predictions: Predictions): TrainingSize[] => {
    const found = score(truth, predictions)[plan.metric];
    return found === undefined ? [] : [{ rows, score: found }];
  };
  yield* sized(train.length, takePredictions(all, valid));
  const order = new Random(plan.seed).shuffle(train.slice());
  for (const share of trainingShares) {
    const rows = order.slice(0, Math.round(share * train.length)).sort();
    if (rows.length < leastRows) continue;
    const fitted = familyOf(family).predictGrid(x, y, rows, valid, [params], { ...context, seed: plan.seed });
    for await (const { predictions } of fitted) yield* sized(rows.length, predictions);
  }
}
