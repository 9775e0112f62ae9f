/** What a job is made of and where it stands, in the words of Batch's API. */
import type { ContainerProperties, RetryStrategy } from './request.ts';

export type JobStatus = 'SUBMITTED' | 'PENDING' | 'RUNNABLE' | 'STARTING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED';

export interface Attempt {
  startedAt: number;
  stoppedAt?: number;
  statusReason?: string;
  exitCode?: number;
  /** What the container itself says, where it did not just exit. */
  reason?: string;
  logStreamName: string;
  taskArn: string;
}

export interface Dependency {
  jobId?: string | undefined;
  type?: 'N_TO_N' | 'SEQUENTIAL' | undefined;
}

/** What was asked for; the children of an array share it. Never changes, but for its tags. */
export interface JobSpec {
  jobId: string;
  jobArn: string;
  jobName: string;
  /** ARNs. */
  jobQueue: string;
  jobDefinition: string;
  createdAt: number;
  shareIdentifier?: string;
  schedulingPriority?: number;
  dependsOn: Dependency[];
  parameters: Record<string, string>;
  /** With overrides, and the parameters put in. */
  container: ContainerProperties;
  retryStrategy: RetryStrategy;
  timeout?: { attemptDurationSeconds: number };
  tags: Record<string, string>;
  propagateTags: boolean;
  platformCapabilities: string[];
  /** How many children: an array job's. */
  size?: number;
  /** The state of an execution of Step Functions that waits for it, and what it asked. */
  startedBy?: string;
}

export interface JobState {
  status: JobStatus;
  statusReason?: string;
  createdAt: number;
  startedAt?: number;
  stoppedAt?: number;
  attempts: Attempt[];
  /** Attempts that ended because this machine did: they are not the job's fault, and its retries are left to it. */
  lost?: number;
  isCancelled?: true;
  isTerminated?: true;
}

export class Job {
  readonly spec: JobSpec;
  readonly state: JobState;
  /** Of an array's child. */
  readonly parent: Job | undefined;
  readonly index: number | undefined;
  readonly children: Job[];
  /** What it still waits for before it can run. */
  readonly waitsFor = new Set<Job>();
  readonly #ended = Promise.withResolvers<void>();

  constructor(spec: JobSpec, parent?: Job, index?: number) {
    this.spec = spec;
    this.parent = parent;
    this.index = index;
    this.state = { status: 'SUBMITTED', createdAt: spec.createdAt, attempts: [] };
    const size = parent ? 0 : (spec.size ?? 0);
    this.children = Array.from({ length: size }, (_, child) => new Job(spec, this, child));
  }

  /** `<job>`, or `<job>:<index>` for a child. */
  get id(): string {
    return this.index === undefined ? this.spec.jobId : `${this.spec.jobId}:${this.index}`;
  }

  get arn(): string {
    return this.index === undefined ? this.spec.jobArn : `${this.spec.jobArn}:${this.index}`;
  }

  get isArray(): boolean {
    return this.children.length > 0;
  }

  get hasEnded(): boolean {
    return this.state.status === 'SUCCEEDED' || this.state.status === 'FAILED';
  }

  /** Resolves when it has ended, however. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  end(status: 'SUCCEEDED' | 'FAILED', now: number, statusReason?: string): void {
    this.state.status = status;
    this.state.stoppedAt = now;
    if (statusReason !== undefined) this.state.statusReason = statusReason;
    this.#ended.resolve();
  }

  /** Takes the state that a former process left. */
  restore(state: JobState): void {
    Object.assign(this.state, state);
    if (this.hasEnded) this.#ended.resolve();
  }

  /** How many children are in each state. */
  summary(): Record<JobStatus, number> {
    const counts = { STARTING: 0, FAILED: 0, RUNNING: 0, SUCCEEDED: 0, RUNNABLE: 0, SUBMITTED: 0, PENDING: 0 };
    for (const child of this.children) counts[child.state.status]++;
    return counts;
  }
}

/** vCPUs that it asks for. */
export function vcpusOf({ vcpus, resourceRequirements }: ContainerProperties): number {
  return Number(resourceRequirements.find(({ type }) => type === 'VCPU')?.value ?? vcpus ?? 1);
}

/** MiB that it asks for. */
export function memoryOf({ memory, resourceRequirements }: ContainerProperties): number {
  return Number(resourceRequirements.find(({ type }) => type === 'MEMORY')?.value ?? memory ?? 2048);
}
