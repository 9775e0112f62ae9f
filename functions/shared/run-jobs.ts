/** What Plan and Select tell the state machine: the trials that come next, and the jobs of Batch that do them. */
import { type ContainerOverrides, overridesOf } from '../../aws/container-overrides.ts';
import { type BatchSettings, type Machines, parseBatch, shareOf, usualPriority } from '../../core/compute/batch.ts';
import { modelKeys } from '../../core/keys.ts';
import { environment, type Share } from '../../core/names.ts';
import type { ObjectStore } from '../../core/object-store.ts';
import type { Plan, RungTrials } from '../../core/search/plan.ts';
import type { RunEvent } from './stage.ts';

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

export type Answer = RunEvent & { trials: string[]; job?: RunJobs };

/** What there is of Batch; undefined where there is none. */
export const batchSettings = (): BatchSettings | undefined => parseBatch(process.env[environment.batch]);

/** @param next no trials where the search is over. @returns without jobs where functions do the work, or have taken over */
export async function answerOf(plan: Plan, next: Pick<RungTrials, 'rung' | 'trials'>, models: ObjectStore): Promise<Answer> {
  const { run, dataset, revision, estimate, priority = usualPriority } = plan;
  const event = { run, dataset, revision };
  const trials = next.trials.map(({ id }) => id);
  const lane = estimate?.lane;
  const queue = lane?.job && batchSettings()?.queues[lane.job.machines as Machines];
  if (!queue || (await models.head(modelKeys.fallback(run)))) return { ...event, trials };
  const size = lane.job!;
  const children = Math.max(2, Math.min(lane.concurrency, trials.length));
  const job: RunJobs = {
    queue: queue.queue,
    definition: queue.train,
    share: shareOf(priority),
    priority,
    children,
    search: overridesOf('Search', { ...event, rung: next.rung, children }, size),
    finish: overridesOf('Finish', event, size),
  };
  return { ...event, trials, job };
}
