import { OutOfTime } from '../compute/budget.ts';
import type { RowKeys } from '../features/row-keys.ts';
import { takeTarget } from '../features/split.ts';
import { withClassWeights } from '../models/class-weights.ts';
import { familyOf } from '../models/families.ts';
import type { Matrix, Target } from '../models/model.ts';
import { messageOf } from './failed.ts';
import { foldOf } from './folds.ts';
import { score } from './metrics.ts';
import type { Failed, Plan, TrialResult } from './plan.ts';

/**
 * Runs one trial of a plan: all candidates of one family, trained on the other folds, scored on this one. Deterministic but for `seconds`.
 * Under a budget the candidates are tried in its rounds, and what is under way when the time is over is left out. What fails is left out too, and
 * said to be.
 * @param x the train rows, as the plan was made for
 * @param context.isOver whether the time is over
 */
export async function runTrial(
  plan: Plan,
  trialId: string,
  x: Matrix,
  y: Target,
  context: { by?: RowKeys | undefined; workers: number; onProgress?: (done: number) => void; isOver?: () => boolean },
): Promise<TrialResult> {
  const started = performance.now();
  const trial = plan.trials.find(({ id }) => id === trialId);
  if (!trial) throw new RangeError(`run ${plan.run} has no trial ${trialId}`);
  const { train, valid } = foldOf(y, plan, trial.fold, context.by);
  const truth = takeTarget(y, valid);
  const weighted = withClassWeights(y, plan.classWeights);
  const candidates = plan.candidates.filter(({ family }) => family === trial.family);
  const scores: TrialResult['scores'] = [];
  const rounds = plan.budget?.rounds[trial.family]?.map((ids) => candidates.filter(({ id }) => ids.includes(id))) ?? [candidates];
  const failed: Failed[] = [];
  const goOn = () => {
    if (context.isOver?.()) throw new OutOfTime();
  };
  const onProgress = (done: number) => {
    goOn();
    context.onProgress?.(done);
  };
  const fitting = { workers: context.workers, seed: plan.seed, onProgress };
  try {
    for (const round of valid.length > 0 ? rounds : []) {
      goOn();
      const params = round.map((candidate) => candidate.params);
      for await (const { candidate, predictions } of familyOf(trial.family).predictGrid(x, weighted, train, valid, params, fitting))
        scores.push({ candidate: round[candidate]!.id, scores: score(truth, predictions) });
    }
  } catch (error) {
    const left = candidates.map(({ id }) => id).filter((id) => !scores.some(({ candidate }) => candidate === id));
    if (!(error instanceof OutOfTime)) failed.push({ candidates: left, message: messageOf(error) });
  }
  scores.sort((a, b) => a.candidate - b.candidate);
  const seconds = (performance.now() - started) / 1000;
  return {
    trial: trialId,
    fold: trial.fold,
    seconds,
    scores,
    ...(valid.length > 0 && scores.length < candidates.length && failed.length === 0 && { stopped: true }),
    ...(failed.length > 0 && { failed }),
  };
}
