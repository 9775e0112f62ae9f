/** Decides what the run tries and on which lane; and, where Batch has failed it, whether functions take over. */
import * as z from 'zod/mini';
import { type ContainerOverrides, overridesOf } from '../aws/container-overrides.ts';
import { type BatchSettings, expectedWait, type Machines, parseBatch, shareOf, usualPriority } from '../core/compute/batch.ts';
import { chooseLane, mayTakeBatch } from '../core/compute/choose-lane.ts';
import { parseLane } from '../core/compute/lane.ts';
import { batchWays, functionWay, type Way } from '../core/compute/ways.ts';
import type { ErrorBody } from '../core/errors.ts';
import type { Preprocess } from '../core/features/preprocess.ts';
import { dataKeys, modelKeys } from '../core/keys.ts';
import { environment, type Share, type Stage } from '../core/names.ts';
import { getJson, putJson } from '../core/object-store.ts';
import type { RevisionOrigin } from '../core/registry/identity.ts';
import type { Fallback } from '../core/registry/runs.ts';
import type { Plan } from '../core/search/plan.ts';
import { planSearch } from '../core/search/plan-search.ts';
import { failedJob } from './shared/failed-job.ts';
import { lambda } from './shared/lambda.ts';
import { needJson, once } from './shared/objects.ts';
import type { Services } from './shared/services.ts';
import { JobError, type RunEvent, runEvent, stage } from './shared/stage.ts';

const planEvent = z.extend(runEvent, { error: z.optional(z.object({ Error: z.string(), Cause: z.optional(z.string()) })) });

/** The jobs in which the state machine runs the search and all from the fit to the gate; see infra/training.ts. */
export interface RunJobs {
  queue: string;
  definition: string;
  share: Share;
  priority: number;
  /** Of the array job: two at least, as Batch takes no fewer. */
  children: number;
  search: ContainerOverrides;
  finish: ContainerOverrides;
}

type Answer = RunEvent & { trials: string[]; job?: RunJobs };

export const plan = stage('Plan', planEvent, async ({ error, ...event }, services): Promise<Answer> => {
  const { models, data } = services;
  const { run, dataset, revision } = event;
  if (error) return planAnew(event, error, services);
  const planned = await getJson<Plan>(models, modelKeys.plan(run));
  if (planned) return answer(planned, (await getJson(models, modelKeys.fallback(run))) ? undefined : settings());
  const [{ task, rows, classes, features }, { spec }] = await Promise.all([
    needJson<Preprocess>(data, dataKeys.preprocess(dataset, revision)),
    needJson<RevisionOrigin>(data, dataKeys.origin(dataset, revision)),
  ]);
  const asked = planSearch({ run, dataset, revision, task, spec, rows: rows.train });
  const shape = { rows: rows.train, features: features.length, classes: classes?.length ?? 0 };
  const question = { plan: asked, shape, functions: parseLane(process.env[environment.lane]), limits: spec.budget };
  const priority = spec.priority ?? usualPriority;
  const functions = functionWay(question);
  const batch = settings();
  const ways = batch && mayTakeBatch(functions, spec.lane) ? await withQueues(batchWays(question, batch), batch, priority, services) : [];
  const { option, choice } = chooseLane(functions, ways, spec.lane);
  const { plan: searched, estimate, budget } = option;
  const { lane, reason, fallback } = choice;
  const made: Plan = { ...searched, lane, laneReason: reason, fallback, priority, estimate, ...(budget && { budget }) };
  await putJson(models, modelKeys.plan(run), made, once);
  return answer(made, batch);
});

const settings = () => parseBatch(process.env[environment.batch]);

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

function answer({ run, dataset, revision, trials, estimate, priority = usualPriority }: Plan, batch: BatchSettings | undefined): Answer {
  const event = { run, dataset, revision };
  const all = { ...event, trials: trials.map(({ id }) => id) };
  const lane = estimate?.lane;
  const queue = lane?.job && batch?.queues[lane.job.machines as Machines];
  if (!queue) return all;
  const size = lane.job!;
  const job: RunJobs = {
    queue: queue.queue,
    definition: queue.train,
    share: shareOf(priority),
    priority,
    children: lane.concurrency,
    search: overridesOf('Search', { ...event, children: lane.concurrency }, size),
    finish: overridesOf('Finish', event, size),
  };
  return { ...all, job };
}

/**
 * A job has failed. Its own error would come again on any lane; but where Batch could not run it, functions may.
 * @throws JobError what the job said, or what Batch says and what to do
 */
async function planAnew(event: RunEvent, error: { Error: string; Cause?: string | undefined }, services: Services): Promise<Answer> {
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
  return answer(planned, undefined);
}

export const handler = lambda(plan);
