/** The least that a run can end with: a small model of some rows, for where the time is over before anything was fitted. */
import { stepsOf, withSteps } from '../compute/budget.ts';
import { coreSecondsOf } from '../compute/work.ts';
import { takeTarget } from '../features/split.ts';
import { familyOf } from '../models/families.ts';
import type { FittedModel, Matrix, Target } from '../models/model.ts';
import { takeMatrix } from '../models/take-matrix.ts';
import { Random } from '../random.ts';
import type { Candidate, Plan } from './plan.ts';

const mostRows = 2000;
const mostSteps = 10;

/**
 * Fits the cheapest of the plan's candidates, with few nested parts, on rows drawn by seed: about a second of work, whatever the table.
 * @throws what the last of them throws, where none can be fitted
 */
export async function leastFit(
  { candidates, seed }: Plan,
  x: Matrix,
  y: Target,
  workers: number,
): Promise<{ candidate: Candidate; model: FittedModel }> {
  const rows = new Random(seed)
    .shuffle(Int32Array.from({ length: x.rows }, (_, row) => row))
    .slice(0, mostRows)
    .sort();
  const shape = { rows: rows.length, features: x.columns, classes: y.task === 'classification' ? y.classes : 0 };
  const small = candidates.map((each) => ({
    ...each,
    params: stepsOf(each) > mostSteps ? withSteps(each.family, each.params, mostSteps) : each.params,
  }));
  const work = (candidate: Candidate) => coreSecondsOf(candidate.family, shape, [candidate.params]).point;
  let failure: unknown;
  for (const candidate of small.toSorted((a, b) => work(a) - work(b))) {
    try {
      const model = await familyOf(candidate.family).fit(takeMatrix(x, rows), takeTarget(y, rows), candidate.params, { seed, workers });
      return { candidate, model };
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** For the card. */
export const leastReason = `The time was over before any candidate could be fitted: the model is a small one of at most ${mostRows} rows.`;
