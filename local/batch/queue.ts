/** Job queues: what waits, and in which order. */
import type { ComputeEnvironment, Machine } from './environment.ts';
import type { Job } from './job.ts';
import { type SchedulingPolicy, Shares } from './shares.ts';

export interface QueueSettings {
  name: string;
  arn: string;
  state: 'ENABLED' | 'DISABLED';
  priority: number;
  schedulingPolicy?: SchedulingPolicy;
  /** How long a job waits for machines that can never run it, by the reason, until it is cancelled. */
  timeLimits: { reason: string; maxTimeSeconds: number }[];
  tags: Record<string, string>;
}

/** Of a queue without a policy, where the first that came is the first. */
const onlyLine = '';

export class JobQueue {
  readonly settings: QueueSettings;
  /** In the order in which they are tried. */
  readonly environments: readonly ComputeEnvironment[];
  readonly #machine: Machine;
  readonly #shares: Shares | undefined;
  /** Jobs that could run, by share, each in its order. */
  readonly #lines = new Map<string, Job[]>();
  readonly #order = new WeakMap<Job, number>();
  #arrivals = 0;
  #running = 0;

  constructor(settings: QueueSettings, environments: readonly ComputeEnvironment[], machine: Machine) {
    this.settings = settings;
    this.environments = environments;
    this.#machine = machine;
    this.#shares = settings.schedulingPolicy && new Shares(() => this.settings.schedulingPolicy!.fairsharePolicy);
  }

  /** Into its share's line: by its priority there, then as it first came; one that comes back after an attempt goes before those that came later. */
  add(job: Job): void {
    if (!this.#order.has(job)) this.#order.set(job, this.#arrivals++);
    const line = this.#lines.get(this.#shareOf(job)) ?? [];
    this.#lines.set(this.#shareOf(job), line);
    let low = 0;
    for (let high = line.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (this.#isBefore(line[middle]!, job)) low = middle + 1;
      else high = middle;
    }
    line.splice(low, 0, job);
  }

  remove(job: Job): void {
    const line = this.#lines.get(this.#shareOf(job));
    const index = line?.indexOf(job) ?? -1;
    if (index >= 0) line!.splice(index, 1);
  }

  /** The job whose turn it is: not one of a share that would take what is held back for others. */
  next(now: number): Job | undefined {
    let best: { job: Job; weight: number } | undefined;
    for (const [identifier, line] of this.#lines) {
      const job = line[0];
      if (!job || !this.#mayStart(job)) continue;
      const weight = this.#shares?.weigh(identifier, now) ?? 0;
      if (!best || weight < best.weight) best = { job, weight };
    }
    return best?.job;
  }

  /** Why none of its environments could ever run a job, in AWS's words; undefined where one could. */
  hopeless(job: Job): string | undefined {
    const platform = this.environments.filter((environment) => environment.isFor(job));
    if (platform.length === 0) return 'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT';
    return platform.some((environment) => environment.isLargeEnough(job)) ? undefined : 'MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE';
  }

  get running(): number {
    return this.#running;
  }

  started(job: Job, vcpus: number, now: number): void {
    this.remove(job);
    this.#running++;
    this.#shares?.started(this.#shareOf(job), job, vcpus, now);
  }

  ended(job: Job, now: number): void {
    this.#running--;
    this.#shares?.ended(this.#shareOf(job), job, now);
  }

  /** Those that wait, the next one first, as far as that can be told before any of them starts. */
  waiting(now: number): Job[] {
    const lines = [...this.#lines].map(([identifier, line]) => ({ line, weight: this.#shares?.weigh(identifier, now) ?? 0 }));
    return lines.sort((a, b) => a.weight - b.weight).flatMap(({ line }) => line);
  }

  /** Whether what is held back for shares that use nothing stays free. */
  #mayStart(job: Job): boolean {
    if (!this.#shares?.isActive(this.#shareOf(job))) return true;
    const largest = this.environments.reduce((sum, { settings }) => sum + settings.maxvCpus, 0);
    const most = Math.min(largest, this.#machine.vcpus);
    const used = this.environments.reduce((sum, environment) => sum + environment.used, 0);
    return used + this.#machine.shareOf(job) <= most - this.#shares.reserved(most);
  }

  #shareOf(job: Job): string {
    return this.#shares ? (job.spec.shareIdentifier ?? onlyLine) : onlyLine;
  }

  #isBefore(a: Job, b: Job): boolean {
    const priority = (job: Job) => (this.#shares ? (job.spec.schedulingPriority ?? 0) : 0);
    return priority(a) - priority(b) > 0 || (priority(a) === priority(b) && this.#order.get(a)! < this.#order.get(b)!);
  }
}
