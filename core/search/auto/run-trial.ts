import { OutOfTime } from '../../compute/budget.ts';
import type { RowKeys } from '../../features/row-keys.ts';
import { takeTarget } from '../../features/split.ts';
import type { Checkpoint } from '../../models/checkpoint.ts';
import { withClassWeights } from '../../models/class-weights.ts';
import { familyOf } from '../../models/families.ts';
import type { FoldFit, Matrix, Target } from '../../models/model.ts';
import { messageOf } from '../failed.ts';
import { score } from '../metrics.ts';
import type { Failed, Plan, Trial, TrialResult } from '../plan.ts';
import { fitFold } from './fold-fit.ts';
import { placesIn, rungRows } from './rung-rows.ts';

/**
 * Runs one trial of an automatic search: its candidates, one after the other, on one fold of their rung. Deterministic but for the seconds.
 * Where the time is over, what is under way ends with the nested parts that it has, or is left out, and so is the rest. A candidate that fails is
 * left out, and said to be.
 * @param x features of all train rows, or of `context.rows`; @param y of all
 * @param context.keep gets each model and its answers, to be there before the scores are
 * @param context.kept what it got in a former attempt, which ended before its scores were there; `checkpointOf` where a fit keeps what it has
 */
export async function runAutoTrial(
  plan: Plan,
  trial: Trial,
  x: Matrix,
  y: Target,
  context: {
    by?: RowKeys | undefined;
    rows?: Int32Array | undefined;
    workers: number;
    isOver?: () => boolean;
    keep: (candidate: number, fit: FoldFit) => Promise<void>;
    kept?: (candidate: number, truth: Target) => Promise<FoldFit | undefined>;
    checkpointOf?: (candidate: number) => Checkpoint | undefined;
  },
): Promise<TrialResult> {
  const started = performance.now();
  const isOver = () => context.isOver?.() ?? false;
  const { rows } = context;
  const asked = rungRows(plan, plan.rungs![trial.rung!]!, y, trial.fold, context.by);
  const { train, valid } = rows ? placesIn(rows, asked) : asked;
  const truth = takeTarget(y, asked.valid);
  const weighted = withClassWeights(rows ? takeTarget(y, rows) : y, plan.classWeights);
  const scores: TrialResult['scores'] = [];
  const failed: Failed[] = [];
  let soFar = started;
  for (const id of valid.length > 0 ? trial.candidates! : []) {
    const known = await context.kept?.(id, truth);
    if (!known && isOver()) continue;
    const { family, params } = plan.candidates.find((candidate) => candidate.id === id)!;
    const stops = familyOf(family).fitFold !== undefined;
    const onProgress = () => {
      if (!stops && isOver()) throw new OutOfTime();
    };
    const fitting = { seed: plan.seed, workers: context.workers, isOver, onProgress, checkpoint: context.checkpointOf?.(id) };
    let fit: FoldFit;
    try {
      fit = known ?? (await fitFold(familyOf(family), x, weighted, train, valid, params, fitting));
    } catch (error) {
      if (!(error instanceof OutOfTime)) failed.push({ candidates: [id], message: messageOf(error) });
      continue;
    }
    if (!known) await context.keep(id, fit);
    const now = performance.now();
    scores.push({
      candidate: id,
      scores: score(truth, fit.predictions),
      ...(fit.steps !== undefined && { steps: fit.steps }),
      ...(fit.model.treeCount !== undefined && { trees: fit.model.treeCount }),
      seconds: (now - soFar) / 1000,
    });
    soFar = now;
  }
  const seconds = (performance.now() - started) / 1000;
  return {
    trial: trial.id,
    fold: trial.fold,
    seconds,
    scores,
    ...(valid.length > 0 && scores.length + failed.length < trial.candidates!.length && { stopped: true }),
    ...(failed.length > 0 && { failed }),
  };
}
