/** What Plan and Select tell the state machine: the trials that come next, and the jobs of Batch that do them. */
import { type ContainerOverrides, overridesOf } from '../../aws/container-overrides.ts';
import { type BatchSettings, type Machines, parseBatch, shareOf, usualPriority } from '../../core/compute/batch.ts';
import { childrenOf } from '../../core/compute/lane.ts';
import { modelKeys } from '../../core/keys.ts';
import { environment, type Share } from '../../core/names.ts';
import { getJson, type ObjectStore } from '../../core/object-store.ts';
import type { Plan, RungTrials, RunRecord, Trial } from '../../core/search/plan.ts';
import type { Services } from './services.ts';
import type { RunEvent } from './stage.ts';

/** The jobs in which the state machine runs the search and all from the fit to the gate; see infra/training.ts. */
export interface RunJobs {
  queue: string;
  definition: string;
  share: Share;
  priority: number;
  /** Of the array job. */
  children: number;
  /** Left out where no trial is left to do. */
  search?: ContainerOverrides;
  /** Left out where functions finish. */
  finish?: ContainerOverrides;
  /** Seconds from now on after which nobody waits for the one and for the other. */
  searchSeconds: number;
  finishSeconds: number;
}

export type Answer = RunEvent & { trials: string[]; job?: RunJobs };

/** What there is of Batch; undefined where there is none. */
export const batchSettings = (): BatchSettings | undefined => parseBatch(process.env[environment.batch]);

/** Without a budget: longer than any execution may take, so that its own limit decides. */
const always = 72 * 3600;
/** Seconds that a job has to come to its end after its last trial's time is over, and Step Functions to hear of it. */
const comingToAnEnd = 30;

/** How long jobs may take, waiting included, until the minutes of the plan's budget are over. */
async function patience({ run, budget }: Plan, trials: Trial[], models: ObjectStore, now: Date) {
  if (budget?.minutes === undefined) return { searchSeconds: always, finishSeconds: always };
  const record = await getJson<RunRecord>(models, modelKeys.run(run));
  const gone = record ? (now.getTime() - Date.parse(record.createdAt)) / 1000 : 0;
  const until = (seconds: number) => Math.max(1, Math.ceil(seconds - gone));
  const searched = trials[0]?.until ?? budget.searchUntil ?? budget.minutes * 60;
  return { searchSeconds: until(searched + comingToAnEnd), finishSeconds: until(budget.minutes * 60) };
}

/**
 * @param next no trials where the search is over; `isDone` where all of them have results
 * @returns without jobs where functions do the work, or have taken over. A model that has to be there within some minutes is finished by functions
 *   where they can: they never wait.
 */
export async function answerOf(
  plan: Plan,
  next: Pick<RungTrials, 'rung' | 'trials'> & { isDone?: boolean },
  { models, now }: Pick<Services, 'models' | 'now'>,
): Promise<Answer> {
  const { run, dataset, revision, estimate, budget, fallback, priority = usualPriority } = plan;
  const event = { run, dataset, revision };
  const trials = next.trials.map(({ id }) => id);
  const lane = estimate?.lane;
  const queue = lane?.job && batchSettings()?.queues[lane.job.machines as Machines];
  if (!queue || (await models.head(modelKeys.fallback(run)))) return { ...event, trials };
  const size = lane.job!;
  const children = childrenOf(trials.length, lane);
  const job: RunJobs = {
    queue: queue.queue,
    definition: queue.train,
    share: shareOf(priority),
    priority,
    children,
    ...(!next.isDone && { search: overridesOf('Search', { ...event, rung: next.rung, children }, size) }),
    ...(!(budget?.minutes !== undefined && fallback) && { finish: overridesOf('Finish', event, size) }),
    ...(await patience(plan, next.trials, models, now())),
  };
  return { ...event, trials, job };
}
