/** A Lambda function: its settings and its pool of warm processes. */
import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { Session } from '../iam/iam.ts';
import { type Invocation, LambdaProcess, type Outcome } from './process.ts';

export interface FunctionSettings {
  name: string;
  arn: string;
  root: string;
  handler: string;
  runtime: string;
  timeoutMs: number;
  memoryMb: number;
  environment: Record<string, string>;
  logGroup: string;
  /** Reserved concurrency: 0 refuses every invocation. */
  reserved?: number;
  /** In whose role it acts; left out, it may do everything. */
  session?: Session;
}

export interface FunctionHooks {
  output(logGroup: string, chunk: Buffer): void;
  invoked(name: string, ms: number, failed: boolean): void;
  throttled(name: string): void;
}

/** Lambda's own words for "no process is free". */
export class ThrottledError extends Error {
  override name = 'TooManyRequestsException';
}

/** How many may wait for a process before the next is refused, as Lambda refuses what is over the concurrency limit. */
const waitingLimit = 1000;
/** Idle processes are let go after this long; the next invocation is a cold start. */
const idleLimitMs = 120_000;
const clockMs = 50;
/**
 * Where a function answers faster than this (ms, running mean), a process is handed the next invocations before it has answered: it still
 * runs them one at a time, but system calls are shared, and the cores that a second process would take are left to the gateway.
 */
const quickMs = 2;
const quickDepth = 16;

export class LambdaFunction {
  readonly settings: FunctionSettings;
  readonly #hooks: FunctionHooks;
  readonly #processes: LambdaProcess[] = [];
  readonly #waiting: Invocation[] = [];
  readonly #limit: number;
  readonly #clock: NodeJS.Timeout;
  #meanMs = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(settings: FunctionSettings, hooks: FunctionHooks) {
    this.settings = settings;
    this.#hooks = hooks;
    this.#limit = Math.min(availableParallelism(), settings.reserved ?? Number.POSITIVE_INFINITY);
    this.#clock = setInterval(() => this.#tick(), clockMs).unref();
  }

  /**
   * Invokes with an event given as JSON, and waits for the outcome; a function's own failure is an outcome, not a rejection.
   * @throws ThrottledError where its concurrency is used up.
   */
  invoke(event: string, id: string = randomUUID()): Promise<Outcome> {
    if (this.#limit === 0 || this.#waiting.length >= waitingLimit || this.#closed) {
      this.#hooks.throttled(this.settings.name);
      return Promise.reject(new ThrottledError('Rate Exceeded.'));
    }
    return new Promise((settle) => this.#dispatch({ id, event, settle }));
  }

  /** Starts a process ahead of the first invocation. */
  warm(): void {
    if (this.#processes.length === 0 && this.#limit > 0) this.#start();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#clock);
    for (const process of this.#processes) process.kill();
  }

  #dispatch(invocation: Invocation): void {
    const process = this.#choose();
    if (process) process.invoke(invocation);
    else this.#waiting.push(invocation);
  }

  #choose(): LambdaProcess | undefined {
    if (this.#meanMs < quickMs) {
      const first = this.#processes.find((process) => process.invocations.length < quickDepth);
      if (first) return first;
    }
    const idle = this.#processes.find((process) => process.invocations.length === 0);
    if (idle) return idle;
    return this.#processes.length < this.#limit ? this.#start() : undefined;
  }

  #start(): LambdaProcess {
    const { root, timeoutMs, memoryMb, environment, logGroup } = this.settings;
    const process = new LambdaProcess({
      root,
      timeoutMs,
      memoryMb,
      environment,
      onOutput: (chunk) => this.#hooks.output(logGroup, chunk),
      onAnswer: (_, outcome, ms) => this.#answered(outcome, ms),
      onExit: (gone, unbegun) => this.#gone(gone, unbegun),
    });
    this.#processes.push(process);
    return process;
  }

  #answered(outcome: Outcome, ms: number): void {
    this.#meanMs = this.#meanMs === Number.POSITIVE_INFINITY ? Math.max(ms, quickMs) : this.#meanMs * 0.95 + ms * 0.05;
    this.#hooks.invoked(this.settings.name, ms, outcome.failed);
    this.#drain();
  }

  #drain(): void {
    while (this.#waiting.length > 0) {
      const process = this.#choose();
      if (!process) return;
      process.invoke(this.#waiting.shift()!);
    }
  }

  /** It leaves the pool before it dies, so that nothing is handed to it in between. */
  #retire(process: LambdaProcess): void {
    this.#processes.splice(this.#processes.indexOf(process), 1);
    process.kill();
  }

  #gone(process: LambdaProcess, unbegun: Invocation[]): void {
    const index = this.#processes.indexOf(process);
    if (index >= 0) this.#processes.splice(index, 1);
    if (this.#closed) return;
    this.#waiting.unshift(...unbegun);
    this.#drain();
  }

  #tick(): void {
    const now = performance.now();
    for (const process of [...this.#processes]) {
      if (process.invocations.length > 0) process.checkTime(now);
      else if (now - process.idleSince > idleLimitMs) this.#retire(process);
    }
  }
}
