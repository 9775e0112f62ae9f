import { OutOfTime } from '../../compute/budget.ts';
import type { RowKeys } from '../../features/row-keys.ts';
import { takeTarget } from '../../features/split.ts';
import type { Checkpoint } from '../../models/checkpoint.ts';
import { withClassWeights } from '../../models/class-weights.ts';
import { familyOf } from '../../models/families.ts';
import type { FoldFit, Matrix, Target } from '../../models/model.ts';
import { areFew, takeMatrix } from '../../models/take-matrix.ts';
import { messageOf } from '../failed.ts';
import type { Fold } from '../folds.ts';
import { score } from '../metrics.ts';
import type { Failed, Plan, Trial, TrialResult } from '../plan.ts';
import { fitFold } from './fold-fit.ts';
import { rungRows } from './rung-rows.ts';

/**
 * Runs one trial of an automatic search: its candidates, one after the other, on one fold of their rung. Deterministic but for the seconds.
 * Where the time is over, what is under way ends with the nested parts that it has, or is left out, and so is the rest. A candidate that fails is
 * left out, and said to be.
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
    workers: number;
    isOver?: () => boolean;
    keep: (candidate: number, fit: FoldFit) => Promise<void>;
    kept?: (candidate: number, truth: Target) => Promise<FoldFit | undefined>;
    checkpointOf?: (candidate: number) => Checkpoint | undefined;
  },
): Promise<TrialResult> {
  const started = performance.now();
  const isOver = () => context.isOver?.() ?? false;
  const asked = rungRows(plan, plan.rungs![trial.rung!]!, y, trial.fold, context.by);
  const truth = takeTarget(y, asked.valid);
  const { x: own, y: weighted, train, valid } = inMemory(x, withClassWeights(y, plan.classWeights), asked);
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
      fit = known ?? (await fitFold(familyOf(family), own, weighted, train, valid, params, fitting));
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

/** Of a table in a file, a sample that is small is read once, and not by each candidate; its rows are then numbered from 0. */
function inMemory(x: Matrix, y: Target, { train, valid }: Fold): { x: Matrix; y: Target } & Fold {
  if (!x.column || !areFew(train.length + valid.length, x)) return { x, y, train, valid };
  const rows = new Int32Array(train.length + valid.length);
  const places = { train: new Int32Array(train.length), valid: new Int32Array(valid.length) };
  // Both ascend.
  for (let at = 0, a = 0, b = 0; at < rows.length; at++) {
    const isTrain = b === valid.length || (a < train.length && train[a]! < valid[b]!);
    rows[at] = isTrain ? train[a]! : valid[b]!;
    if (isTrain) places.train[a++] = at;
    else places.valid[b++] = at;
  }
  return { x: takeMatrix(x, rows), y: takeTarget(y, rows), ...places };
}
