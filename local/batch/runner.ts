/** Brings jobs from submission to their end: waits for what they depend on, starts them where there is room, retries them, ends them. */
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { accountId, region } from '../template/template.ts';
import { Dependencies } from './dependencies.ts';
import type { ComputeEnvironment, Machine } from './environment.ts';
import { type Attempt, type Job, memoryOf } from './job.ts';
import { jobEnvironment } from './job-environment.ts';
import type { Journal } from './journal.ts';
import { type Exit, JobProcess } from './process.ts';
import type { JobQueue } from './queue.ts';
import { retries } from './retry.ts';
import { interruptedAfter, type SpotSettings } from './spot.ts';
import { memoryHeld } from './usage.ts';
import { Watchdog } from './watchdog.ts';

export interface RunnerOptions {
  home: string;
  url: string;
  spot: SpotSettings;
  /** From SIGTERM to SIGKILL. */
  graceMs: number;
  journal: Journal;
  machine: Machine;
  queues: ReadonlyMap<string, JobQueue>;
  find(jobId: string): Job | undefined;
  /** The directory of the asset that a job definition names. */
  assetOf(job: Job): string | undefined;
  /** What a job's process signs its requests with. */
  credentialsOf(job: Job): Record<string, string>;
  output(group: string, lines: Buffer): void;
  changed(job: Job): void;
}

/** An attempt that is under way. */
interface Running {
  queue: JobQueue;
  environment: ComputeEnvironment;
  vcpus: number;
  attempt: Attempt;
  process: JobProcess;
  /** Why it was told to end, where it was. */
  stopped?: 'terminated' | 'timeout' | 'interrupted' | 'memory';
  timers: NodeJS.Timeout[];
}

const containerExited = 'Essential container in task exited';
const dependencyFailed = 'Dependent Job failed';
const lookMs = 1000;
/** setTimeout's longest. */
const longestMs = 2 ** 31 - 1;

export class Runner {
  readonly #options: RunnerOptions;
  readonly #running = new Map<Job, Running>();
  readonly #dependencies: Dependencies;
  readonly #watchdog = new Watchdog();
  readonly #clock: NodeJS.Timeout;
  #scheduled = false;
  #closed = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#dependencies = new Dependencies(options.find);
    this.#clock = setInterval(() => this.#look(), lookMs).unref();
  }

  /** A job that is new, or that a former process left. */
  admit(job: Job): void {
    if (job.isArray) {
      if (job.hasEnded) return;
      job.state.status = 'PENDING';
      this.#options.changed(job);
      for (const child of job.children) this.#admitOne(child);
      // It may have been killed between its last child's end and its own.
      if (job.children.every((child) => child.hasEnded)) {
        const { status, reason } = outcomeOf(job);
        this.#end(job, status, reason);
      }
    } else this.#admitOne(job);
    this.schedule();
  }

  #admitOne(job: Job): void {
    if (job.hasEnded) return;
    const last = job.state.attempts.at(-1);
    if (last && last.stoppedAt === undefined) {
      Object.assign(last, { stoppedAt: Date.now(), statusReason: `Host EC2 (instance ${instance()}) terminated.` });
      job.state.lost = (job.state.lost ?? 0) + 1;
    }
    if (this.#dependencies.add(job)) this.#end(job, 'FAILED', dependencyFailed);
    else if (job.waitsFor.size > 0) {
      job.state.status = 'PENDING';
      this.#options.changed(job);
    } else this.#makeRunnable(job);
  }

  #makeRunnable(job: Job): void {
    job.state.status = 'RUNNABLE';
    this.#options.queues.get(job.spec.jobQueue)?.add(job);
    this.#options.changed(job);
  }

  /** Before it starts it can be cancelled; afterwards this does nothing. */
  cancel(job: Job, reason: string): void {
    for (const child of job.children) this.cancel(child, reason);
    if (job.isArray || job.hasEnded || this.#running.has(job)) return;
    this.#options.queues.get(job.spec.jobQueue)?.remove(job);
    job.state.isCancelled = true;
    this.#end(job, 'FAILED', reason);
  }

  terminate(job: Job, reason: string): void {
    for (const child of job.children) this.terminate(child, reason);
    if (job.isArray || job.hasEnded) return;
    job.state.isTerminated = true;
    const running = this.#running.get(job);
    if (running) {
      job.state.statusReason = reason;
      this.#stop(running, 'terminated');
    } else this.cancel(job, reason);
  }

  /** Starts what can start, once this turn is over: many jobs may be admitted in it. */
  schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#fill();
    });
  }

  /** The queue of the highest priority first; in each, nobody overtakes the one whose turn it is, and no lower queue takes the room that it waits for. */
  #fill(): void {
    if (this.#closed) return;
    const now = Date.now();
    const waitedFor = new Set<ComputeEnvironment>();
    for (const queue of [...this.#options.queues.values()].sort((a, b) => b.settings.priority - a.settings.priority)) {
      for (let job = queue.next(now); job; job = queue.next(now)) {
        const able = queue.environments.filter((environment) => environment.takes(job!));
        const environment = able.find((each) => !waitedFor.has(each) && each.hasRoom(job!));
        if (!environment) {
          for (const each of able) waitedFor.add(each);
          break;
        }
        this.#begin(job, queue, environment, now);
      }
    }
  }

  #begin(job: Job, queue: JobQueue, environment: ComputeEnvironment, now: number): void {
    const { home, url, spot, graceMs, journal, output, assetOf, credentialsOf } = this.#options;
    const { spec, state, index } = job;
    const vcpus = this.#options.machine.shareOf(job);
    environment.take(vcpus);
    queue.started(job, vcpus, now);
    const number = state.attempts.length + 1;
    const task = randomUUID().replaceAll('-', '');
    const definition = spec.jobDefinition.split('/')[1]!.split(':')[0];
    const options = spec.container.logConfiguration?.options;
    const attempt: Attempt = {
      startedAt: now,
      logStreamName: `${options?.['awslogs-stream-prefix'] ?? definition}/default/${task}`,
      taskArn: `arn:aws:ecs:${region}:${accountId}:task/${environment.settings.name}/${task}`,
    };
    Object.assign(state, { status: 'RUNNING', startedAt: now, attempts: [...state.attempts, attempt] });
    if (job.parent) job.parent.state.startedAt ??= now;
    journal.note(job);
    this.#options.changed(job);
    const folder = join(home, 'batch', 'work', `${job.id.replace(':', '.')}-${state.attempts.length}`);
    const process = new JobProcess({
      command: spec.container.command,
      environment: jobEnvironment(job, { home, url, queue, environment, folder, asset: assetOf(job), credentials: credentialsOf(job) }),
      folder,
      graceMs,
      onOutput: (lines) => output(options?.['awslogs-group'] ?? '/aws/batch/job', lines),
    });
    const running: Running = { queue, environment, vcpus, attempt, process, timers: [] };
    this.#running.set(job, running);
    if (process.pid !== undefined) this.#watchdog.add(process.pid);
    const after = (ms: number, why: NonNullable<Running['stopped']>) => {
      if (ms <= longestMs) running.timers.push(setTimeout(() => this.#stop(running, why), ms).unref());
    };
    if (spec.timeout) after(spec.timeout.attemptDurationSeconds * 1000, 'timeout');
    if (environment.isSpot) after(interruptedAfter(spot, spec.jobName, index, number), 'interrupted');
    void process.exit.then((exit) => this.#over(job, running, exit));
  }

  #stop(running: Running, why: NonNullable<Running['stopped']>): void {
    if (running.stopped) return;
    running.stopped = why;
    if (why === 'memory') running.process.kill();
    else running.process.stop();
  }

  #over(job: Job, running: Running, { code, error }: Exit): void {
    const { queue, environment, vcpus, attempt, process, stopped, timers } = running;
    for (const timer of timers) clearTimeout(timer);
    if (process.pid !== undefined) this.#watchdog.remove(process.pid);
    this.#running.delete(job);
    if (this.#closed) return;
    const now = Date.now();
    environment.take(-vcpus);
    queue.ended(job, now);
    attempt.stoppedAt = now;
    if (code !== undefined && (stopped !== 'interrupted' || environment.isFargate)) attempt.exitCode = code;
    attempt.statusReason = containerExited;
    if (stopped === 'interrupted') attempt.statusReason = environment.lossReason(instance());
    if (stopped === 'memory') attempt.reason = 'OutOfMemoryError: Container killed due to memory usage';
    if (error !== undefined)
      Object.assign(attempt, { statusReason: 'Task failed to start', reason: `CannotStartContainerError: ${error}` });
    if (stopped === 'terminated') this.#end(job, 'FAILED');
    else if (stopped === 'timeout') this.#end(job, 'FAILED', 'Job attempt duration exceeded timeout');
    else if (code === 0 && stopped === undefined) this.#end(job, 'SUCCEEDED', attempt.statusReason);
    else if (!retries(job.spec.retryStrategy, attempt, job.state.attempts.length - (job.state.lost ?? 0))) {
      this.#end(job, 'FAILED', attempt.statusReason);
    } else {
      job.state.statusReason = attempt.statusReason;
      this.#makeRunnable(job);
      this.#options.journal.note(job);
    }
    this.schedule();
  }

  /** Ends a job, and with it what that decides: its array, and what waited for it. */
  #end(job: Job, status: 'SUCCEEDED' | 'FAILED', reason?: string): void {
    const over: { job: Job; status: 'SUCCEEDED' | 'FAILED'; reason?: string | undefined }[] = [{ job, status, reason }];
    for (const each of over) {
      if (each.job.hasEnded) continue;
      each.job.end(each.status, Date.now(), each.reason);
      this.#options.journal.note(each.job);
      this.#options.changed(each.job);
      const { parent } = each.job;
      if (parent?.children.every((child) => child.hasEnded)) over.push({ job: parent, ...outcomeOf(parent) });
      for (const other of this.#dependencies.release(each.job)) {
        if (each.status === 'FAILED') over.push({ job: other, status: 'FAILED', reason: dependencyFailed });
        else if (other.waitsFor.size === 0) this.#makeRunnable(other);
      }
    }
    this.schedule();
  }

  /** Cancels the first of a queue where nothing could ever run it, and the queue says how long it may stand in the others' way. */
  #cancelHopeless(now: number): void {
    for (const queue of this.#options.queues.values()) {
      const job = queue.next(now);
      const reason = job && queue.hopeless(job);
      if (!reason) continue;
      job.state.statusReason = reason;
      const limit = queue.settings.timeLimits.find((each) => each.reason === reason);
      if (limit && now - job.state.createdAt > limit.maxTimeSeconds * 1000)
        this.cancel(job, `${reason}: cancelled by the job queue after ${limit.maxTimeSeconds} s.`);
    }
  }

  /** Looks at what the running ones use, and ends those that use more memory than they asked for. */
  #look(): void {
    this.#cancelHopeless(Date.now());
    for (const [job, running] of this.#running) {
      const held = running.process.pid === undefined ? undefined : memoryHeld(running.process.pid);
      if (held !== undefined && held > memoryOf(job.spec.container)) this.#stop(running, 'memory');
    }
  }

  /** What runs stays on record as running, for the next start. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#clock);
    for (const { process, timers } of this.#running.values()) {
      for (const timer of timers) clearTimeout(timer);
      process.kill();
    }
    this.#watchdog.close();
  }
}

/** An array has failed when one of its children did. */
function outcomeOf({ children }: Job): { status: 'SUCCEEDED' | 'FAILED'; reason?: string } {
  return children.some(({ state }) => state.status === 'FAILED')
    ? { status: 'FAILED', reason: 'Array Child Job failed' }
    : { status: 'SUCCEEDED' };
}

/** A machine's name, as AWS makes them. */
const instance = () => `i-0${randomBytes(8).toString('hex')}`;
