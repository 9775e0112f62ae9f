/** Decides what the run tries and on which lane; and, where Batch has failed it, whether functions take over. */
import * as z from 'zod/mini';
import { type BatchSettings, expectedWait, shareOf, usualPriority } from '../core/compute/batch.ts';
import type { Limits } from '../core/compute/budget.ts';
import { chooseLane, mayTakeBatch } from '../core/compute/choose-lane.ts';
import { type Lane, parseLane } from '../core/compute/lane.ts';
import { preparationOf, without, withPreparation } from '../core/compute/preparation.ts';
import { batchWays, functionWay, type Way } from '../core/compute/ways.ts';
import type { Shape } from '../core/compute/work.ts';
import type { ErrorBody } from '../core/errors.ts';
import { flagCount } from '../core/features/layout.ts';
import type { Preprocess } from '../core/features/preprocess.ts';
import { dataKeys, modelKeys } from '../core/keys.ts';
import { environment, type Stage } from '../core/names.ts';
import { getJson, putJson } from '../core/object-store.ts';
import type { RevisionOrigin } from '../core/registry/identity.ts';
import type { Fallback } from '../core/registry/runs.ts';
import { newestRung } from '../core/search/auto/objects.ts';
import { planAuto } from '../core/search/auto/plan-auto.ts';
import type { Plan, RunRecord } from '../core/search/plan.ts';
import { planSearch, type Question, searchOf } from '../core/search/plan-search.ts';
import { failedJob } from './shared/failed-job.ts';
import { lambda } from './shared/lambda.ts';
import { needJson, once } from './shared/objects.ts';
import { type Answer, answerOf, batchSettings } from './shared/run-jobs.ts';
import type { Services } from './shared/services.ts';
import { JobError, type RunEvent, runEvent, stage } from './shared/stage.ts';
import { type StatesError, statesError } from './shared/understand.ts';

const planEvent = z.extend(runEvent, { error: z.optional(statesError) });

export const plan = stage('Plan', planEvent, async ({ error, ...event }, services): Promise<Answer> => {
  const { models, data } = services;
  const { run, dataset, revision } = event;
  if (error) return planAnew(event, error, services);
  const planned = await getJson<Plan>(models, modelKeys.plan(run));
  if (planned) return answerOf(planned, await newestRung(models, planned), models);
  const [{ task, rows, classes, columns, features, skewed = false }, { spec }, record] = await Promise.all([
    needJson<Preprocess>(data, dataKeys.preprocess(dataset, revision)),
    needJson<RevisionOrigin>(data, dataKeys.origin(dataset, revision)),
    getJson<RunRecord>(models, modelKeys.run(run)),
  ]);
  const shape = { rows: rows.train, features: features.length, flags: flagCount(columns), classes: classes?.length ?? 0 };
  const asked = { run, dataset, revision, task, classes, spec, rows: rows.train, skewed };
  const functionLane = parseLane(process.env[environment.lane]);
  const preparation = record?.uploadedAt === undefined ? undefined : preparationOf(shape, functionLane, spec.budget);
  const limits = spec.budget && preparation ? without(preparation, spec.budget) : spec.budget;
  const question = { plan: searchFor(asked, shape), shape, functions: functionLane, limits };
  const priority = spec.priority ?? usualPriority;
  const functions = functionWay(question);
  const batch = batchSettings();
  const ways = batch && mayTakeBatch(functions, spec.lane) ? await withQueues(batchWays(question, batch), batch, priority, services) : [];
  const { option, choice } = chooseLane(functions, ways, spec.lane);
  const { plan: searched, estimate, budget } = option;
  const { lane, reason, fallback } = choice;
  const made: Plan = {
    ...searched,
    ...{ lane, laneReason: reason, fallback, priority },
    estimate: preparation ? withPreparation(estimate, preparation) : estimate,
    ...(budget && { budget: { ...budget, ...spec.budget } }),
  };
  await putJson(models, modelKeys.plan(run), made, once);
  return answerOf(made, { rung: 0, trials: made.trials }, models);
});

/** The plan of a grid, or how an automatic search is planned for a lane. */
function searchFor(question: Question, shape: Shape): Plan | ((lane: Lane, limits: Limits | undefined) => Plan) {
  const { spec } = question;
  if (searchOf(spec) === 'grid') return planSearch(question);
  return (lane, limits) => planAuto({ ...question, spec: { ...spec, budget: limits } }, shape, lane, limits);
}

/** The ways of Batch with how busy their queues are. */
async function withQueues(ways: Way[], { maxVcpus, queues }: BatchSettings, priority: number, { jobs, log }: Services): Promise<Way[]> {
  const batch = await jobs();
  return Promise.all(
    ways.map(async (way) => {
      if (way.obstacle) return way;
      try {
        const state = await batch.queueState(queues[way.machines!]!.queue, maxVcpus);
        const vcpus = way.lane.job!.vcpus * way.lane.concurrency;
        return { ...way, wait: expectedWait(state, Math.min(vcpus, maxVcpus), shareOf(priority)), obstacle: state.trouble };
      } catch (error) {
        log('Batch did not say how busy it is.', { machines: way.machines, error: String(error) });
        return { ...way, obstacle: `Batch does not answer: ${(error as Error).message}.` };
      }
    }),
  );
}

/**
 * A job has failed. Its own error would come again on any lane; but where Batch could not run it, functions may.
 * @throws JobError what the job said, or what Batch says and what to do
 */
async function planAnew(event: RunEvent, error: StatesError, services: Services): Promise<Answer> {
  const { run } = event;
  const { models, now, log } = services;
  const [planned, told] = await Promise.all([
    needJson<Plan>(models, modelKeys.plan(run)),
    getJson<ErrorBody & { stage: Stage }>(models, modelKeys.jobFailure(run)),
  ]);
  if (told) throw new JobError(told);
  const failed = await failedJob(error, services);
  if (!planned.fallback) throw new JobError({ ...failed, stage: (await models.head(modelKeys.leaderboard(run))) ? 'Fit' : 'Search' });
  const fallback: Fallback = { lane: 'lambda', reason: failed.message, at: now().toISOString() };
  await putJson(models, modelKeys.fallback(run), fallback, once);
  log('Functions take over from Batch.', { run, reason: failed.message });
  return answerOf(planned, await newestRung(models, planned), models);
}

export const handler = lambda(plan);
