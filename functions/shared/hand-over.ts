/** Hands a piece of a dataset's preparation to a job of Batch where it is too large for a function. */
import {
  type BatchSettings,
  type JobRequest,
  type JobSize,
  type Jobs,
  largerJob,
  parseBatch,
  preparing,
  preparingJob,
} from '../../core/compute/batch.ts';
import { whyWaiting } from '../../core/compute/waiting.ts';
import type { ErrorBody } from '../../core/errors.ts';
import { environment, type JobStage } from '../../core/names.ts';
import type { DatasetStatus } from '../../core/registry/datasets.ts';
import type { Services } from './services.ts';

/**
 * @param work its name (part of the job's), what the job is told, the bytes that it takes, and whether it is too large for a function, of uploads from
 *   `most` bytes on
 * @returns whether a job does it; where there is no Batch, or it does not take the job, the function tries
 */
export async function handOver(
  work: { dataset: string; stage: JobStage; event: object; priority: number; bytes: number; isLarge: (most: number) => boolean },
  { jobs, log }: Services,
): Promise<boolean> {
  const { dataset, stage, event, priority, bytes, isLarge } = work;
  const batch = parseBatch(process.env[environment.batch]);
  if (!batch || !isLarge(batch.uploadMegabytes * 2 ** 20)) return false;
  const size = preparingJob(batch, bytes);
  if (!size) {
    log('There is no job for it, so the function tries.', { dataset, stage, bytes });
    return false;
  }
  try {
    const job = await prepareBy(size, { name: jobName(dataset, stage), priority, stage, event }, batch, await jobs());
    log('A job does it.', { dataset, stage, bytes, job, size });
    return true;
  } catch (error) {
    log('Batch did not take the job, so the function tries.', { dataset, stage, error: String(error) });
    return false;
  }
}

/** @returns the job's id */
export function prepareBy(
  size: JobSize,
  work: Pick<JobRequest, 'name' | 'priority' | 'stage' | 'event'>,
  batch: BatchSettings,
  jobs: Jobs,
): Promise<string> {
  const { queue, prepare } = batch.queues[size.machines]!;
  return jobs.submit({ ...work, queue, definition: prepare, size, mayGrow: largerJob(batch, size.memory) !== undefined });
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
  for (const machines of preparing) {
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
