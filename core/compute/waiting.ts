/** Why a job is not under way yet, in a sentence that says what to do. */
import { hopelessPrefix } from '../names.ts';

export interface OpenJob {
  name: string;
  /** As Batch names them; an array job's is that of the child that has come furthest. */
  status: string;
  /** What Batch says of it. */
  statusReason?: string | undefined;
  share?: string | undefined;
  /** vCPUs that the job, or each child of it, asks for. */
  vcpus: number;
  /** vCPUs that jobs of its queue have, and may have. */
  busyVcpus: number;
  maxVcpus: number;
  /** Jobs of the queue that are before it, where Batch says so. */
  before?: number | undefined;
  /** Of those, jobs of other shares that were submitted later: its own share has had its part. */
  overtakenBy?: number | undefined;
  /** Why its queue runs no job. */
  trouble?: string | undefined;
}

interface Place {
  enabled: boolean;
  valid: boolean;
  reason?: string | undefined;
}

/** Why a queue can run no job at all; undefined where it can. One compute environment that works is enough. */
export function queueTrouble(queue: Place, environments: (Place & { name: string })[]): string | undefined {
  if (!queue.enabled) return 'The job queue is disabled: enable it in Batch.';
  if (!queue.valid) return `The job queue is INVALID: ${queue.reason ?? 'Batch gives no reason'}.`;
  if (environments.some(({ enabled, valid }) => enabled && valid)) return undefined;
  const invalid = environments.find(({ valid }) => !valid);
  if (invalid) return `The compute environment ${invalid.name} is INVALID: ${invalid.reason ?? 'Batch gives no reason'}.`;
  return 'All compute environments of the queue are disabled: enable one in Batch.';
}

/** https://docs.aws.amazon.com/batch/latest/userguide/job_stuck_in_runnable.html */
const stuck: [prefix: string, sentence: string][] = [
  [
    'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY',
    'AWS has no machine of the size free at the moment; the job starts when one is. Cancel the run and choose the lane lambda if it cannot wait.',
  ],
  [
    'MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE',
    'The job asks for more vCPUs than its compute environments may ever have: deploy with a larger ingot:batchVcpus.',
  ],
  [
    'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT',
    'No machine of its compute environments is large enough for the job: give fewer rows or columns.',
  ],
  ['MISCONFIGURATION:SERVICE_ROLE_PERMISSIONS', "Batch's service role lacks a permission: see the compute environment in Batch."],
];

/** @returns undefined for a job that runs */
export function whyWaiting(job: OpenJob): string | undefined {
  const { status, statusReason = '' } = job;
  if (status === 'RUNNING' || status === 'SUCCEEDED' || status === 'FAILED') return undefined;
  if (status === 'STARTING') return 'Its machine is starting and fetches the image.';
  if (job.trouble) return job.trouble;
  const known = stuck.find(([prefix]) => statusReason.startsWith(prefix));
  if (known) return `${known[1]} (${statusReason})`;
  if (statusReason.startsWith(hopelessPrefix)) return `Batch cannot start the job: ${statusReason}`;
  const isFull = job.busyVcpus + job.vcpus > job.maxVcpus;
  const room = `All ${job.maxVcpus} vCPUs that the queue may have are in use (${job.busyVcpus}), and the job asks for ${job.vcpus}: wait, or deploy with a larger ingot:batchVcpus.`;
  const reasons = [...(isFull ? [room] : []), ...(job.before ? [turnOf(job.before, job)] : [])];
  if (reasons.length > 0) return reasons.join(' ');
  if (status === 'SUBMITTED' || status === 'PENDING') return 'Batch has just taken the job.';
  return 'Batch is finding a machine for it, which takes a minute or two.';
}

/** Why others go before it. */
function turnOf(before: number, { share, overtakenBy = 0 }: OpenJob): string {
  const usedUp =
    overtakenBy > 0 ? `, ${overtakenBy} of them later ones of other shares: its share '${share}' has had its part for now` : '';
  return `${before} ${before === 1 ? 'job is' : 'jobs are'} before it in the queue${usedUp}. A higher priority in dataset.json goes first.`;
}
