/** How the score grows with the rows to learn from: whether more data would help. */
import { coreSecondsOf } from '../compute/work.ts';
import type { RowKeys } from '../features/row-keys.ts';
import { takeTarget } from '../features/split.ts';
import { familyOf } from '../models/families.ts';
import type { FitContext, Matrix, Params, Predictions, Target } from '../models/model.ts';
import { Random } from '../random.ts';
import { fitFold } from './auto/fold-fit.ts';
import { splitFolds } from './folds.ts';
import { score } from './metrics.ts';
import { knownRows, takePredictions } from './out-of-fold.ts';
import type { Candidate, Plan } from './plan.ts';

/** Shares of the first fold's train rows that are learned from, besides all of them. */
export const trainingShares = [1 / 8, 1 / 4, 1 / 2];
/** Fewer rows are no training set. */
const leastRows = 20;
/** Core seconds, by estimate, that a member’s curve may take, half of what the smallest search does: larger shares are left out. */
const memberWork = 3;

export interface TrainingSize {
  rows: number;
  /** The plan's metric on the first fold's other rows. */
  score: number;
}

/** The member of a mixture that stands for it: a curve of its own would cost a search for each size. */
export interface Exemplar {
  candidate: Candidate;
  /** Its parameters with as many nested parts as the models of its folds have. */
  grown: Params;
  /** Of all rows, as out-of-fold.ts has them. */
  outOfFold: Predictions;
}

/**
 * @param all out-of-fold predictions of all rows, by the same candidate
 * @param context.grown of a mixture's member, which is fitted on each size as on a fold of the search, with the family's own stopping: what its work is
 * @returns that of all rows, which costs nothing, then ascending
 */
export async function* trainingSizes(
  plan: Pick<Plan, 'folds' | 'seed' | 'metric' | 'shape'>,
  { family, params }: Pick<Candidate, 'family' | 'params'>,
  x: Matrix,
  y: Target,
  all: Predictions,
  context: Omit<FitContext, 'seed'> & { by?: RowKeys | undefined; grown?: Params },
): AsyncGenerator<TrainingSize> {
  const { shape, seed } = plan;
  const [{ train, valid: others }] = splitFolds(y, plan.folds, seed, context.by) as [{ train: Int32Array; valid: Int32Array }];
  // Where the time was over, a search has nothing of the first fold, or not of all its rows; and of a large fold not all rows are asked.
  const valid = knownRows(takePredictions(all, others)).map((place) => others[place]!);
  if (valid.length === 0) return;
  const truth = takeTarget(y, valid);
  const sized = (rows: number, predictions: Predictions): TrainingSize[] => {
    const found = score(truth, predictions)[plan.metric];
    return found === undefined ? [] : [{ rows, score: found }];
  };
  yield* sized(train.length, takePredictions(all, valid));
  const order = new Random(seed).shuffle(train.slice());
  let work = 0;
  for (const share of trainingShares) {
    const rows = order.slice(0, Math.round(share * train.length)).sort();
    if (rows.length < leastRows) continue;
    if (context.grown && shape) work += coreSecondsOf(family, { ...shape, rows: rows.length }, [context.grown], valid.length).point;
    if (work > memberWork) return;
    const fitted = context.grown
      ? [await fitFold(familyOf(family), x, y, rows, valid, params, { ...context, seed })]
      : familyOf(family).predictGrid(x, y, rows, valid, [params], { ...context, seed });
    for await (const { predictions } of fitted) yield* sized(rows.length, predictions);
  }
}
