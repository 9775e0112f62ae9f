/** Runs one trial: all candidates of one family on one fold of a grid, or those that an automatic search has put together. */
import { availableParallelism } from 'node:os';
import * as z from 'zod/mini';
import { timeLeft } from '../core/compute/clock.ts';
import type { RowKeys } from '../core/features/row-keys.ts';
import { modelKeys } from '../core/keys.ts';
import type { FoldFit, Target } from '../core/models/model.ts';
import { putJson } from '../core/object-store.ts';
import { earlierFit, keepFit, keptFit, trialOf } from '../core/search/auto/objects.ts';
import { runAutoTrial } from '../core/search/auto/run-trial.ts';
import { trialRows } from '../core/search/auto/rung-rows.ts';
import { failedTrial, withFailed } from '../core/search/failed.ts';
import type { Plan, Trial, TrialResult } from '../core/search/plan.ts';
import { runTrial } from '../core/search/run-trial.ts';
import { graceMilliseconds } from './shared/end-by.ts';
import { isJob, stageMilliseconds } from './shared/environment.ts';
import { type TrainRows, withTrain } from './shared/features.ts';
import { lambda } from './shared/lambda.ts';
import { needJson, once } from './shared/objects.ts';
import type { Services } from './shared/services.ts';
import { type RunEvent, runEvent, stage } from './shared/stage.ts';
import { statesError, understand } from './shared/understand.ts';

const trialEvent = z.extend(runEvent, {
  trial: z.string(),
  /** What ended every attempt at it. */
  error: z.optional(statesError),
  /** Why the attempt before was ended, in a sentence: what it has kept is gathered, and nothing more is tried. */
  ended: z.optional(z.string()),
});

export const search = stage('Search', trialEvent, async ({ run, dataset, revision, trial, error, ended }, services): Promise<RunEvent> => {
  const { models, checkpoints } = services;
  if (!(await models.head(modelKeys.trial(run, trial)))) {
    const plan = await needJson<Plan>(models, modelKeys.plan(run));
    const about = plan.search === 'auto' ? await trialOf(models, plan, trial) : plan.trials.find(({ id }) => id === trial)!;
    const result = error ? failedTrial(plan, about, understand(error).message) : await tryCandidates(plan, about, services, ended);
    await putJson(models, modelKeys.trial(run, trial), result, once);
    await checkpoints?.remove(run, trial);
  }
  return { run, dataset, revision };
});

async function tryCandidates(
  plan: Plan,
  trial: Trial,
  { data, models, now, endBy, checkpoints }: Services,
  ended: string | undefined,
): Promise<TrialResult> {
  const started = performance.now();
  const left = await timeLeft(models, plan, trial.id, now, trial);
  // What was planned for a job may be more than a function has time for.
  const isLate = left && (() => left() <= 0 || (!isJob() && performance.now() - started > stageMilliseconds));
  const isOver = ended === undefined ? isLate : () => true;
  const needed = plan.search === 'auto' ? (y: Target, by?: RowKeys) => trialRows(plan, trial, y, by) : undefined;
  const train = async ({ x, y, by, rows }: TrainRows) => {
    // Of an attempt that begins when the time is over nothing is left but to gather what the one before has kept. While rows are read nothing is
    // ended: DuckDB, whose thread were gone, would take the process with it.
    const release = left && left() > 0 ? endBy?.(left() + graceMilliseconds) : undefined;
    const context = { by, rows, workers: availableParallelism(), ...(isOver && { isOver }) };
    const keep = (candidate: number, fit: FoldFit) => keepFit(models, plan.run, trial, candidate, fit);
    const kept = async (candidate: number, truth: Target) =>
      (await keptFit(models, plan, trial, candidate, truth)) ?? earlierFit(models, plan, trial, candidate, truth);
    const checkpointOf = (candidate: number) => checkpoints?.of(plan.run, `${trial.id}/${candidate}`);
    try {
      return await (plan.search === 'auto'
        ? runAutoTrial(plan, trial, x, y, { ...context, keep, kept, checkpointOf })
        : runTrial(plan, trial.id, x, y, context));
    } finally {
      release?.();
    }
  };
  const result = await withTrain(data, plan, train, needed);
  const seconds = (performance.now() - started) / 1000;
  return { ...(ended === undefined ? result : withFailed(plan, trial, result, ended)), seconds };
}

export const handler = lambda(search);
