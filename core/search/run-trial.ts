import { familyOf } from '../models/families.ts';
import type { Matrix, Target } from '../models/model.ts';
import { splitFolds } from './folds.ts';
import { score } from './metrics.ts';
import type { Plan, TrialResult } from './plan.ts';

/**
 * Runs one trial of a plan: all candidates of one family, trained on the other folds, scored on this one. Deterministic but for `seconds`.
 * @param x the train rows, as the plan was made for
 */
export async function runTrial(
  plan: Plan,
  trialId: string,
  x: Matrix,
  y: Target,
  context: { workers: number; onProgress?: (done: number) => void },
): Promise<TrialResult> {
  const started = performance.now();
  const trial = plan.trials.find(({ id }) => id === trialId);
  if (!trial) throw new RangeError(`run ${plan.run} has no trial ${trialId}`);
  const { train, valid } = splitFolds(y, plan.folds, plan.seed)[trial.fold]!;
  const truth = rowsOf(y, valid);
  const candidates = plan.candidates.filter(({ family }) => family === trial.family);
  const scores: TrialResult['scores'] = [];
  const params = candidates.map((candidate) => candidate.params);
  for await (const { candidate, predictions } of familyOf(trial.family).predictGrid(x, y, train, valid, params, {
    ...context,
    seed: plan.seed,
  }))
    scores.push({ candidate: candidates[candidate]!.id, scores: score(truth, predictions) });
  scores.sort((a, b) => a.candidate - b.candidate);
  return { trial: trialId, fold: trial.fold, seconds: (performance.now() - started) / 1000, scores };
}

function rowsOf(y: Target, rows: Int32Array): Target {
  return y.task === 'classification'
    ? { ...y, labels: rows.map((row) => y.labels[row]!) }
    : { ...y, values: Float64Array.from(rows, (row) => y.values[row]!) };
}
