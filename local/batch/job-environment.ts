/** The environment of a job's process: what Batch sets, what of this machine it needs, and its own. */
import { join } from 'node:path';
import { heapLimitMb } from '../lambda/process.ts';
import { machineEnvironment } from '../machine-environment.ts';
import type { ComputeEnvironment } from './environment.ts';
import { type Job, memoryOf } from './job.ts';
import type { JobQueue } from './queue.ts';

export interface Place {
  home: string;
  /** The laptop cloud's. */
  url: string;
  queue: JobQueue;
  environment: ComputeEnvironment;
  folder: string;
  /** The directory of the asset that the job runs. */
  asset: string | undefined;
  /** Of its role. */
  credentials: Record<string, string>;
}

export function jobEnvironment(job: Job, { home, url, queue, environment, folder, asset, credentials }: Place): Record<string, string> {
  const { container, size } = job.spec;
  const own = Object.fromEntries(container.environment.map(({ name, value = '' }) => [name, value]));
  const machine = machineEnvironment(home);
  return {
    ...machine,
    ...credentials,
    // `node` in a command is the one that runs Ingot.
    PATH: `${join(process.execPath, '..')}${process.platform === 'win32' ? ';' : ':'}${machine['PATH']}`,
    TMPDIR: folder,
    TEMP: folder,
    AWS_ENDPOINT_URL: url,
    AWS_EXECUTION_ENV: environment.isFargate ? 'AWS_ECS_FARGATE' : 'AWS_ECS_EC2',
    AWS_BATCH_JOB_ID: job.id,
    AWS_BATCH_JOB_ATTEMPT: String(job.state.attempts.length),
    AWS_BATCH_JQ_NAME: queue.settings.name,
    AWS_BATCH_CE_NAME: environment.settings.name,
    ...(job.index !== undefined && { AWS_BATCH_JOB_ARRAY_INDEX: String(job.index), AWS_BATCH_JOB_ARRAY_SIZE: String(size) }),
    ...(asset && { INGOT_JOB_ASSET: asset }),
    ...own,
    NODE_OPTIONS: `--max-old-space-size=${heapLimitMb(memoryOf(container))} ${own['NODE_OPTIONS'] ?? ''}`.trim(),
  };
}
