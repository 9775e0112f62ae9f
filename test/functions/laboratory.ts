import { createHash } from 'node:crypto';
/** The whole pipeline in one process: both buckets in memory, events delivered by hand, the state machine as a loop. */

import type { ObjectStore } from '../../core/object-store.ts';
import { MemoryObjectStore } from '../../core/registry/memory-object-store.ts';
import type { RunRecord } from '../../core/search/plan.ts';
import { clean } from '../../functions/clean.lambda.ts';
import { fail } from '../../functions/fail.lambda.ts';
import { fit } from '../../functions/fit.lambda.ts';
import { gate } from '../../functions/gate.lambda.ts';
import { optimise } from '../../functions/optimise.lambda.ts';
import { plan } from '../../functions/plan.lambda.ts';
import { createPredict, type Predict } from '../../functions/predict.lambda.ts';
import { register } from '../../functions/register.lambda.ts';
import { release } from '../../functions/release.lambda.ts';
import { search } from '../../functions/search.lambda.ts';
import { select } from '../../functions/select.lambda.ts';
import type { HttpAnswer } from '../../functions/shared/http.ts';
import type { Services } from '../../functions/shared/services.ts';
import { transform } from '../../functions/transform.lambda.ts';
import { Queue } from '../registry/queue.ts';
import { apiEvent } from './api-event.ts';
import { noBatch } from './batch.ts';
import { s3Event } from './s3-event.ts';

export class Laboratory {
  readonly rawData = new MemoryObjectStore();
  readonly rawModels = new MemoryObjectStore();
  readonly queue = new Queue();
  readonly counted: Record<string, number> = {};
  readonly messages: { subject: string; message: string }[] = [];
  readonly services: Services;
  readonly predict: Predict;
  private clock = Date.parse('2026-11-25T08:00:00Z');
  private sequence = 0x55ae;

  /** @param wrap puts something between the handlers and the stores, a fault say */
  constructor(wrap: (store: MemoryObjectStore) => ObjectStore = (store) => store) {
    this.services = {
      data: wrap(this.rawData),
      models: wrap(this.rawModels),
      executions: this.queue,
      jobs: noBatch,
      now: () => this.tick(),
      count: (metric, value = 1) => {
        this.counted[metric] = (this.counted[metric] ?? 0) + value;
      },
      log: () => undefined,
      notify: async (subject, message) => {
        this.messages.push({ subject, message });
      },
    };
    this.predict = createPredict({ models: async () => this.rawModels, emit: () => undefined });
  }

  /** A second passes. */
  private tick(): Date {
    this.clock += 1000;
    return new Date(this.clock);
  }

  /** Puts a file as a user does. @returns the event that S3 sends for it */
  async upload(key: string, body: Uint8Array | string): Promise<object> {
    await this.rawData.put(key, body);
    return this.eventOf(key);
  }

  eventOf(key: string): object {
    const sequencer = `00${(this.sequence++).toString(16).toUpperCase()}44E1C4B8D6`;
    return s3Event(key, { versionId: this.rawData.versionId(key), sequencer, eventTime: this.services.now().toISOString() });
  }

  /** Clean, and transform where a report was written. @returns whether the dataset has one */
  async prepare(event: object): Promise<void> {
    await clean(event, this.services);
    for await (const { key } of this.rawData.list('clean/'))
      if (key.endsWith('/report.json')) await transform(this.eventOf(key), this.services);
  }

  /** Runs whatever has been started and has not ended, as the state machine does. */
  async runAll(): Promise<void> {
    for (const record of this.queue.records) {
      if (this.queue.executions.get(record.run)!.status === 'RUNNING') await this.execute(record);
    }
  }

  async execute({ run, dataset, revision }: RunRecord): Promise<void> {
    const event = { run, dataset, revision };
    try {
      await this.stages(event);
      this.queue.end(run, 'SUCCEEDED');
    } catch (error) {
      const { name, message, stack } = error as Error;
      if (name === 'Crash') throw error;
      const Cause = JSON.stringify({ errorType: name, errorMessage: message, trace: stack?.split('\n') });
      await fail({ ...event, error: { Error: name, Cause } }, this.services);
      this.queue.end(run, 'FAILED');
    }
  }

  async stages(event: { run: string; dataset: string; revision: string }): Promise<void> {
    const { services } = this;
    for (let { trials } = await plan(event, services); trials.length > 0; { trials } = await select(event, services))
      for (const trial of trials) await search({ ...event, trial }, services);
    for (const stage of [fit, optimise, gate, register, release]) await stage(event, services);
  }

  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<HttpAnswer> {
    return this.predict(apiEvent(method, path, body, headers));
  }

  /** Every object of both buckets, times taken out and bytes as their hash: what a finished run leaves. */
  async state(): Promise<Record<string, unknown>> {
    const found: Record<string, unknown> = {};
    for (const store of [this.rawData, this.rawModels]) {
      for await (const { key } of store.list('')) {
        const body = Buffer.from((await store.get(key))!.body);
        found[key] = key.endsWith('.json')
          ? JSON.parse(body.toString(), (name, value) => (times.has(name) ? undefined : value))
          : createHash('sha256').update(body).digest('hex');
      }
    }
    return found;
  }
}

const times = new Set(['at', 'createdAt', 'eventTime', 'sequencer', 'seconds', 'microseconds', 'spent']);
