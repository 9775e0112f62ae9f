/** Hands a piece of a dataset's preparation to a job of Batch where it is too large for a function. */
import { type JobSize, jobSize, parseBatch } from '../../core/compute/batch.ts';
import { whyWaiting } from '../../core/compute/waiting.ts';
import type { ErrorBody } from '../../core/errors.ts';
import { environment, type JobStage } from '../../core/names.ts';
import type { DatasetStatus } from '../../core/registry/datasets.ts';
import type { Services } from './services.ts';

/** A job cleans out of core: this much is enough for any upload but the widest. */
const mostForCleaning = 60 * 2 ** 30;

/** Bytes that the work of a job on so large an upload may take: DuckDB spills what is more. */
export const cleaningBytes = (uploaded: number): number => Math.min(uploaded, mostForCleaning);

/**
 * @param work its name (part of the job's), what the job is told, the bytes that it takes, and how many from which a job does it
 * @returns whether a job does it; where there is no Batch, or it does not take the job, the function tries
 */
export async function handOver(
  work: { dataset: string; stage: JobStage; event: object; priority: number; bytes: number; from: (uploadMegabytes: number) => number },
  { jobs, log }: Services,
): Promise<boolean> {
  const { dataset, stage, event, priority, bytes, from } = work;
  const batch = parseBatch(process.env[environment.batch]);
  if (!batch || bytes < from(batch.uploadMegabytes)) return false;
  const sizes = (['fargate', 'ec2'] as const).flatMap(
    (machines): JobSize | [] => (batch.queues[machines] && jobSize(machines, bytes, batch.maxVcpus)) || [],
  );
  const [size] = sizes;
  if (!size) {
    log('No job is large enough for it, so the function tries.', { dataset, stage, bytes });
    return false;
  }
  const { queue, prepare } = batch.queues[size.machines]!;
  try {
    const job = await (await jobs()).submit({ name: jobName(dataset, stage), queue, definition: prepare, priority, stage, event, size });
    log('A job does it.', { dataset, stage, bytes, job, size });
    return true;
  } catch (error) {
    log('Batch did not take the job, so the function tries.', { dataset, stage, error: String(error) });
    return false;
  }
}

/** Batch's names have no dots. */
const jobName = (dataset: string, stage: JobStage): string => `${dataset.replaceAll('.', '_')}-${stage.toLowerCase()}`;

/** What a dataset that is not ready says of its job: why it waits; or why it failed, if not by words of its own. */
export async function preparationJob(
  { dataset, status, since }: { dataset: string; status: DatasetStatus; since: Date },
  { jobs }: Pick<Services, 'jobs'>,
): Promise<{ waiting?: string; error?: ErrorBody }> {
  const batch = parseBatch(process.env[environment.batch]);
  if (!batch || (status !== 'CLEANING' && status !== 'CLEAN')) return {};
  const name = jobName(dataset, status === 'CLEANING' ? 'Clean' : 'Transform');
  for (const machines of ['fargate', 'ec2'] as const) {
    const queue = batch.queues[machines]?.queue;
    if (!queue) continue;
    const connected = await jobs();
    const waiting = (await connected.open(queue, name)).map(whyWaiting).find((sentence) => sentence !== undefined);
    if (waiting) return { waiting };
    const why = await connected.failure(queue, name, since);
    if (why) return { error: { code: 'Unavailable', message: `The job that prepares the dataset failed: ${why}.`, fix } };
  }
  return {};
}

const fix = 'Look at the job and its queue in Batch, and mend what is wrong (docs/deploy.md); then upload the file again.';
