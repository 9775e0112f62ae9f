import type { JobRequest, Jobs, QueueLook, QueueState } from '../../core/compute/batch.ts';
import { type OpenJob, whyWaiting } from '../../core/compute/waiting.ts';

/** For what has nothing to ask of Batch. */
export async function noBatch(): Promise<Jobs> {
  throw new Error('There is no Batch here.');
}

/** Batch in states that no emulator can be brought to: takes jobs and runs none. */
export class FakeBatch implements Jobs {
  readonly submitted: JobRequest[] = [];
  state: QueueState = { maxVcpus: 64, busyVcpus: 0, waitingVcpus: {} };
  jobs: OpenJob[] = [];
  readonly stopped: string[] = [];
  /** By queue; the others are empty. */
  looks: Record<string, QueueLook> = {};
  /** By the beginning of the job's name. */
  failures: Record<string, string> = {};
  /** Thrown by all calls. */
  trouble: Error | undefined;

  async submit(request: JobRequest): Promise<string> {
    if (this.trouble) throw this.trouble;
    this.submitted.push(request);
    return `job-${this.submitted.length}`;
  }

  async queueState(): Promise<QueueState> {
    if (this.trouble) throw this.trouble;
    return this.state;
  }

  async look(queue: string): Promise<QueueLook> {
    return this.looks[queue] ?? { waiting: 0, running: 0, open: 0 };
  }

  async open() {
    return this.jobs;
  }

  async stop(_: string, prefix: string) {
    this.stopped.push(prefix);
    return this.jobs.flatMap((job) => whyWaiting(job) ?? []);
  }

  async failedChild() {
    return { reason: 'OutOfMemoryError: Container killed due to memory usage', exitCode: 137 };
  }

  async failure(_: string, prefix: string) {
    return this.failures[prefix];
  }
}

/** As infra gives it to the functions. */
export const batchEnvironment = JSON.stringify({
  maxVcpus: 64,
  uploadMegabytes: 1,
  queues: { fargate: { queue: 'arn:fargate', train: 'fargate-train', prepare: 'fargate-prepare' } },
});
