/**
 * Lambda's queue of asynchronous invocations, on disk: what was accepted is delivered, at least once, through any crash. Two
 * retries, then the dead-letter queue or the failure destination.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { complain } from '../complain.ts';
import { RecordDirectory } from '../home.ts';
import { Underway } from '../underway.ts';
import type { LambdaFunction } from './function.ts';
import type { Outcome } from './process.ts';

interface Pending {
  functionArn: string;
  /** The event as JSON. */
  event: string;
  queuedAt: number;
  attempts: number;
}

/** Where an event goes that a function failed on for good; both as ARNs. */
export interface AsyncSettings {
  retries: number;
  maximumAgeMs: number;
  deadLetter?: string;
  onFailure?: string;
  onSuccess?: string;
}

export interface AsyncTarget {
  lambda: LambdaFunction;
  settings: AsyncSettings;
}

export interface AsyncHooks {
  find(functionArn: string): AsyncTarget | undefined;
  gaveUp(lambda: LambdaFunction, outcome: Outcome): void;
  /** Sends a text to a queue, topic or function. */
  deliver(arn: string, text: string, attributes?: Record<string, string>): Promise<void>;
}

export const defaultAsyncSettings: AsyncSettings = { retries: 2, maximumAgeMs: 6 * 3600_000 };

/** AWS waits one minute and then two before its retries; on a laptop somebody is watching. */
const retryDelaysMs = [1_000, 5_000];

export class AsyncInvocations {
  readonly #records: RecordDirectory<Pending>;
  readonly #hooks: AsyncHooks;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #writing = new Underway();
  #closed = false;

  constructor(home: string, hooks: AsyncHooks) {
    this.#records = new RecordDirectory(join(home, 'lambda', 'pending'));
    this.#hooks = hooks;
  }

  /** Takes up what a former process accepted and did not finish. */
  resume(): void {
    const left = this.#records.all().sort((a, b) => a.record.queuedAt - b.record.queuedAt);
    for (const { id, record } of left) this.#start(id, record);
  }

  /** Accepts an event; when this resolves it is on the disk. @returns the request id. */
  async enqueue(functionArn: string, event: string): Promise<string> {
    const id = randomUUID();
    const record = { functionArn, event, queuedAt: Date.now(), attempts: 0 };
    await this.#writing.add(this.#records.put(id, record));
    this.#start(id, record);
    return id;
  }

  /** Resolves when all that is being written is; what is not done by then is for the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#writing.settled();
  }

  /** What goes wrong here (a full disk, say) leaves the record for the next start. */
  #start(id: string, record: Pending): void {
    if (!this.#closed) this.#run(id, record).catch(complain);
  }

  async #run(id: string, record: Pending): Promise<void> {
    const target = this.#hooks.find(record.functionArn);
    if (!target) return this.#records.remove(id);
    const outcome = await target.lambda.invoke(record.event, id).catch((): undefined => undefined);
    if (this.#closed) return;
    if (!outcome) return this.#later(id, record, retryDelaysMs[0]!);
    return this.#writing.add(this.#settle(id, record, target, outcome));
  }

  /** Done, to be tried again, or given up. */
  async #settle(id: string, record: Pending, target: AsyncTarget, outcome: Outcome): Promise<void> {
    if (!outcome.failed) {
      if (target.settings.onSuccess) await this.#tell(target.settings.onSuccess, id, record, outcome, 'Success');
      return this.#records.remove(id);
    }
    const attempted = { ...record, attempts: record.attempts + 1 };
    const old = Date.now() - record.queuedAt > target.settings.maximumAgeMs;
    if (attempted.attempts <= target.settings.retries && !old) {
      await this.#records.put(id, attempted);
      return this.#later(id, attempted, retryDelaysMs[record.attempts] ?? retryDelaysMs.at(-1)!);
    }
    this.#hooks.gaveUp(target.lambda, outcome);
    await this.#giveUp(id, attempted, target.settings, outcome);
    this.#records.remove(id);
  }

  #later(id: string, record: Pending, ms: number): void {
    if (this.#closed) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#start(id, record);
    }, ms).unref();
    this.#timers.add(timer);
  }

  async #giveUp(id: string, record: Pending, settings: AsyncSettings, outcome: Outcome): Promise<void> {
    if (settings.onFailure) await this.#tell(settings.onFailure, id, record, outcome, 'RetriesExhausted');
    if (!settings.deadLetter) return;
    const { errorMessage } = JSON.parse(outcome.payload) as { errorMessage?: string };
    await this.#hooks.deliver(settings.deadLetter, record.event, {
      RequestID: id,
      ErrorCode: '200',
      ErrorMessage: (errorMessage ?? '').slice(0, 1024),
    });
  }

  /** Lambda's record for a destination. */
  #tell(arn: string, id: string, record: Pending, outcome: Outcome, condition: string): Promise<void> {
    const text = JSON.stringify({
      version: '1.0',
      timestamp: new Date().toISOString(),
      requestContext: {
        requestId: id,
        functionArn: `${record.functionArn}:$LATEST`,
        condition,
        approximateInvokeCount: Math.max(1, record.attempts),
      },
      requestPayload: JSON.parse(record.event),
      responseContext: { statusCode: 200, executedVersion: '$LATEST', ...(outcome.failed && { functionError: 'Unhandled' }) },
      responsePayload: JSON.parse(outcome.payload),
    });
    return this.#hooks.deliver(arn, text);
  }
}
