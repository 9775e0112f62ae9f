/** Runs one trial: all candidates of one family on one fold of a grid, or those that an automatic search has put together. */
import { availableParallelism } from 'node:os';
import * as z from 'zod/mini';
import { timeLeft } from '../core/compute/clock.ts';
import { modelKeys } from '../core/keys.ts';
import { putJson } from '../core/object-store.ts';
import { keepFit, trialOf } from '../core/search/auto/objects.ts';
import { runAutoTrial } from '../core/search/auto/run-trial.ts';
import type { Plan } from '../core/search/plan.ts';
import { runTrial } from '../core/search/run-trial.ts';
import { isJob, stageMilliseconds } from './shared/environment.ts';
import { readTrain } from './shared/features.ts';
import { lambda } from './shared/lambda.ts';
import { needJson, once } from './shared/objects.ts';
import { type RunEvent, runEvent, stage } from './shared/stage.ts';

const trialEvent = z.extend(runEvent, { trial: z.string() });

export const search = stage('Search', trialEvent, async ({ run, dataset, revision, trial }, { data, models, now }): Promise<RunEvent> => {
  if (!(await models.head(modelKeys.trial(run, trial)))) {
    const plan = await needJson<Plan>(models, modelKeys.plan(run));
    const work = plan.search === 'auto' ? await trialOf(models, plan, trial) : undefined;
    const [left, { x, y, by }] = await Promise.all([timeLeft(models, plan, trial, now, work), readTrain(data, dataset, revision)]);
    const began = performance.now();
    // What was planned for a job may be more than a function has time for.
    const isOver = left && (() => left() <= 0 || (!isJob() && performance.now() - began > stageMilliseconds));
    const context = { by, workers: availableParallelism(), ...(isOver && { isOver }) };
    const result = work
      ? await runAutoTrial(plan, work, x, y, { ...context, keep: (candidate, fit) => keepFit(models, run, work, candidate, fit) })
      : await runTrial(plan, trial, x, y, context);
    await putJson(models, modelKeys.trial(run, trial), result, once);
  }
  return { run, dataset, revision };
});

export const handler = lambda(search);
