/** `runs/<run>/answers.json`: the answers of a run's model, found on out-of-fold predictions inside what time is left. */
import { OutOfTime } from '../compute/budget.ts';
import type { RowKeys } from '../features/row-keys.ts';
import { takeTarget } from '../features/split.ts';
import { withClassWeights } from '../models/class-weights.ts';
import type { Matrix, Predictions, Target } from '../models/model.ts';
import type { Scores } from '../search/metrics.ts';
import { score } from '../search/metrics.ts';
import { knownRows, outOfFold, takePredictions } from '../search/out-of-fold.ts';
import type { Candidate, Plan } from '../search/plan.ts';
import { type Exemplar, type TrainingSize, trainingSizes } from '../search/training-sizes.ts';
import { type Answers, answer } from './answers.ts';
import { fitAnswers, weightsOf } from './fit-answers.ts';

export interface FoundAnswers {
  answers: Answers;
  /** Out-of-fold scores of the model's own answers, and of the calibrated and decided ones. */
  scores?: { before: Scores; after: Scores };
  trainingSizes?: TrainingSize[];
  /** Of a mixture: the member whose training sizes those are. */
  exemplar?: { candidate: number; family: string };
  /** Why there are no answers, in a sentence. */
  skipped?: string;
  seconds: number;
}

/**
 * @param x the train rows, as the plan was made for
 * @param candidate as it was fitted
 * @param context.left milliseconds that are left, whenever asked
 * @param context.by what ties rows together, as in the search
 * @param context.stored out-of-fold predictions that the search has kept of the model that it made, NaN in rows that it has none of;
 *   else the candidate is fitted on each fold again
 * @param context.exemplar of such a model, the member by which its training sizes are shown
 */
export async function findAnswers(
  plan: Plan,
  candidate: Pick<Candidate, 'family' | 'params'>,
  x: Matrix,
  y: Target,
  context: {
    workers: number;
    left: () => number;
    by?: RowKeys | undefined;
    stored?: Predictions | undefined;
    exemplar?: Exemplar | undefined;
  },
): Promise<FoundAnswers> {
  const started = performance.now();
  const weighted = withClassWeights(y, plan.classWeights);
  const onProgress = () => {
    if (context.left() <= 0) throw new OutOfTime();
  };
  const fitting = { workers: context.workers, by: context.by, onProgress };
  const seconds = () => (performance.now() - started) / 1000;
  try {
    onProgress();
    const all = context.stored ?? (await outOfFold(plan, candidate, x, weighted, fitting));
    const rows = knownRows(all);
    const predictions = takePredictions(all, rows);
    const truth = takeTarget(weighted, rows);
    const answers = fitAnswers(predictions, truth, plan);
    const answered = answer(answers, predictions);
    const scores = {
      before: score(truth, predictions),
      after: score(truth, answered, answered.task === 'classification' ? answered.labels : undefined),
    };
    const { stored, exemplar } = context;
    const sizes: TrainingSize[] = [];
    const sized = stored
      ? exemplar && trainingSizes(plan, exemplar.candidate, x, weighted, exemplar.outOfFold, { ...fitting, grown: exemplar.grown })
      : trainingSizes(plan, candidate, x, weighted, all, fitting);
    const before = context.left();
    try {
      // Each takes about twice as long as the one before.
      if (sized)
        for await (const size of sized) {
          sizes.push(size);
          if (3 * (before - context.left()) > context.left()) break;
        }
    } catch {
      // The time is over, or a family cannot be fitted on so few rows: the curve is shorter, which is not to cost the model.
    }
    sizes.sort((a, b) => a.rows - b.rows);
    return {
      ...{ answers, scores },
      ...(sizes.length > 0 && { trainingSizes: sizes }),
      ...(exemplar && sizes.length > 0 && { exemplar: { candidate: exemplar.candidate.id, family: exemplar.candidate.family } }),
      seconds: seconds(),
    };
  } catch (error) {
    if (!(error instanceof OutOfTime)) throw error;
    const decision = weightsOf(weighted);
    const skipped = 'There is no calibration, threshold, set or interval: the time was over before they were found.';
    return { answers: { ...(decision && { decision }) }, skipped, seconds: seconds() };
  }
}
