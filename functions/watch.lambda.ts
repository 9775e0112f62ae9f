/**
 * Tells how jobs end and how long the queues are, as metrics, and lets a larger job go on where one that prepares a table has used up its memory.
 * EventBridge calls it for what Batch tells of its jobs, and every minute while there are jobs: the first that waits switches the rule of the clock on,
 * and the look that finds none switches it off. So nothing runs while nobody asks.
 */
import * as z from 'zod/mini';
import { type BatchSettings, largerJob, parseBatch, type Switch, usualPriority } from '../core/compute/batch.ts';
import {
  type ComputeMetric,
  computeDimensions,
  computeMetrics,
  environment,
  hopelessPrefix,
  interruptions,
  jobStages,
} from '../core/names.ts';
import { embedded } from './shared/embedded-metrics.ts';
import { requireEnv } from './shared/environment.ts';
import { prepareBy } from './shared/hand-over.ts';
import { lambda } from './shared/lambda.ts';
import type { Services } from './shared/services.ts';
import { endedOutOfMemory } from './shared/used-up.ts';

const eventSchema = z.discriminatedUnion('source', [
  z.object({ source: z.literal('aws.events') }),
  z.object({
    source: z.literal('aws.batch'),
    detail: z.object({
      jobName: z.string(),
      /** ARN. */
      jobQueue: z.string(),
      schedulingPriority: z.optional(z.number()),
      status: z.string(),
      statusReason: z.optional(z.string()),
      isCancelled: z.optional(z.boolean()),
      isTerminated: z.optional(z.boolean()),
      attempts: z.array(z.object({ statusReason: z.optional(z.string()) })),
      container: z.optional(
        z.object({
          exitCode: z.optional(z.number()),
          reason: z.optional(z.string()),
          environment: z.optional(z.array(z.object({ name: z.string(), value: z.string() }))),
        }),
      ),
      /** An array has a size alone, its children an index too. */
      arrayProperties: z.optional(z.object({ size: z.optional(z.number()), index: z.optional(z.number()) })),
    }),
  }),
]);
type JobChange = Extract<z.infer<typeof eventSchema>, { source: 'aws.batch' }>['detail'];

export interface Watch {
  jobs: Services['jobs'];
  now: Services['now'];
  /** The rule of the clock. */
  clock: Switch;
  emit(line: string): void;
}

export async function watch(event: unknown, { jobs, now, clock, emit }: Watch): Promise<void> {
  const tell = (queue: string, values: Partial<Record<ComputeMetric, number>>) => {
    const readings = Object.entries(values).map(([metric, value]) => ({ ...computeMetrics[metric as ComputeMetric], value }));
    const { queue: by } = computeDimensions;
    if (readings.length > 0) emit(embedded(readings, [[by]], { [by]: queue.split('/').at(-1)! }, now().getTime()));
  };
  const look = async (): Promise<boolean> => {
    const { queues } = parseBatch(requireEnv(environment.batch))!;
    const batch = await jobs();
    const found = await Promise.all(
      Object.values(queues).map(async ({ queue }) => {
        const { waiting, oldest, running, open } = await batch.look(queue);
        const oldestJob = oldest ? Math.max(0, (now().getTime() - oldest.getTime()) / 1000) : 0;
        tell(queue, { jobsWaiting: waiting, oldestJob, jobsRunning: running });
        return open;
      }),
    );
    return found.some((open) => open > 0);
  };

  const parsed = z.parse(eventSchema, event);
  if (parsed.source === 'aws.batch') {
    const { detail } = parsed;
    const batch = parseBatch(requireEnv(environment.batch))!;
    const next = largerOf(detail, batch);
    if (next) await prepareBy(next.size, next.work, batch, await jobs());
    else tell(detail.jobQueue, countsOf(detail));
    if (!waits(detail)) return;
    await clock.on();
    await look();
  } else if (!(await look())) {
    await clock.off();
    // A job that came meanwhile may have switched it on before it was switched off.
    if (await look()) await clock.on();
  }
}

/** Children run in their array's time, whose clock is on already. */
const waits = ({ status, arrayProperties }: JobChange) =>
  (status === 'PENDING' || status === 'RUNNABLE') && arrayProperties?.index === undefined;

/** What was ended on purpose, with its run or because its time was over, is no failure; what its queue has cancelled, as nothing could ever run it, is. */
const wasStopped = ({ isCancelled = false, isTerminated = false, statusReason = '' }: JobChange) =>
  (isCancelled || isTerminated) && !statusReason.startsWith(hopelessPrefix);

/** Whether a spot machine took the last attempt with it. */
const wasInterrupted = ({ attempts }: JobChange) => {
  const reason = attempts.at(-1)?.statusReason ?? '';
  return interruptions.some((words) => reason.startsWith(words));
};

/** What goes on with the work of a job that prepares a table, where its memory was used up and a larger one is there. */
function largerOf(change: JobChange, batch: BatchSettings) {
  const { jobName: name, schedulingPriority: priority = usualPriority, status, statusReason = '', container = {} } = change;
  const told = Object.fromEntries(container.environment?.map(({ name, value }) => [name, value]) ?? []);
  // A job whose time is over is killed too.
  const isOther = status !== 'FAILED' || wasStopped(change) || wasInterrupted(change) || /timeout/i.test(statusReason);
  if (isOther || !endedOutOfMemory(container) || told[environment.jobMayGrow] === undefined) return undefined;
  const size = largerJob(batch, Number(told[environment.jobMemory]));
  const stage = jobStages.find((each) => each === told[environment.jobStage])!;
  return size && { size, work: { name, priority, stage, event: JSON.parse(told[environment.jobEvent]!) as object } };
}

function countsOf(change: JobChange): Partial<Record<ComputeMetric, number>> {
  const { status, arrayProperties } = change;
  if (arrayProperties?.size !== undefined && arrayProperties.index === undefined) return {};
  return {
    ...(status === 'SUCCEEDED' && { jobsSucceeded: 1 }),
    ...(status === 'FAILED' && !wasStopped(change) && { jobsFailed: 1 }),
    ...(status !== 'SUCCEEDED' && wasInterrupted(change) && { jobsInterrupted: 1 }),
  };
}

let clock: Switch | undefined;

export const handler = lambda(async (event, { jobs, now }) => {
  const { EventRule } = await import('../aws/event-rule.ts');
  clock ??= new EventRule(requireEnv(environment.watchRule), requireEnv(environment.eventsEndpoint));
  await watch(event, { jobs, now, clock, emit: (line) => process.stdout.write(`${line}\n`) });
});
