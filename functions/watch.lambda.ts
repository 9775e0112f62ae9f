/**
 * Tells how jobs end and how long the queues are, as metrics. EventBridge calls it for what Batch tells of its jobs, and every minute while there are
 * jobs: the first that waits switches the rule of the clock on, and the look that finds none switches it off. So nothing runs while nobody asks.
 */
import * as z from 'zod/mini';
import { parseBatch, type Switch } from '../core/compute/batch.ts';
import { type ComputeMetric, computeDimensions, computeMetrics, environment, hopelessPrefix, interruptions } from '../core/names.ts';
import { embedded } from './shared/embedded-metrics.ts';
import { requireEnv } from './shared/environment.ts';
import { lambda } from './shared/lambda.ts';
import type { Services } from './shared/services.ts';

const eventSchema = z.discriminatedUnion('source', [
  z.object({ source: z.literal('aws.events') }),
  z.object({
    source: z.literal('aws.batch'),
    detail: z.object({
      /** ARN. */
      jobQueue: z.string(),
      status: z.string(),
      statusReason: z.optional(z.string()),
      isCancelled: z.optional(z.boolean()),
      isTerminated: z.optional(z.boolean()),
      attempts: z.array(z.object({ statusReason: z.optional(z.string()) })),
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
    tell(parsed.detail.jobQueue, countsOf(parsed.detail));
    if (!waits(parsed.detail)) return;
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

function countsOf(change: JobChange): Partial<Record<ComputeMetric, number>> {
  const { status, attempts, arrayProperties } = change;
  if (arrayProperties?.size !== undefined && arrayProperties.index === undefined) return {};
  const reason = attempts.at(-1)?.statusReason ?? '';
  const interrupted = status !== 'SUCCEEDED' && interruptions.some((words) => reason.startsWith(words));
  return {
    ...(status === 'SUCCEEDED' && { jobsSucceeded: 1 }),
    ...(status === 'FAILED' && !wasStopped(change) && { jobsFailed: 1 }),
    ...(interrupted && { jobsInterrupted: 1 }),
  };
}

let clock: Switch | undefined;

export const handler = lambda(async (event, { jobs, now }) => {
  const { EventRule } = await import('../aws/event-rule.ts');
  clock ??= new EventRule(requireEnv(environment.watchRule), requireEnv(environment.eventsEndpoint));
  await watch(event, { jobs, now, clock, emit: (line) => process.stdout.write(`${line}\n`) });
});
