/** Follows datasets and runs by the project's own HTTP API, and tells the terminal. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ErrorBody } from '../core/errors.ts';
import { parseRawKey } from '../core/keys.ts';
import type { RunDetail } from '../core/registry/runs.ts';
import type { CloudObserver } from './cloud.ts';
import { bar, type Terminal } from './terminal.ts';

/** The API of a running Ingot. */
export interface Api {
  url: string;
  key: string;
}

export async function call<T>({ url, key }: Api, path: string, body?: unknown): Promise<T> {
  const response = await fetch(new URL(path, url), {
    headers: { 'x-api-key': key, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as T & { error?: ErrorBody };
  if (!response.ok)
    throw Object.assign(new Error(answer.error ? sentence(answer.error) : `${path}: ${response.status}`), { status: response.status });
  return answer;
}

const sentence = ({ message, where, fix }: ErrorBody) => `${message}${where ? ` (${where})` : ''}${fix ? ` ${fix}` : ''}`;

interface Dataset {
  status: 'CLEANING' | 'CLEAN' | 'READY' | 'REJECTED';
  error?: ErrorBody;
}

export const pollMs = 400;
/** An upload may be a part of a dataset, or an old one: after this long without news, its line goes. */
const datasetPatienceMs = 15 * 60_000;

const seconds = (from: number) => `${((Date.now() - from) / 1000).toFixed(1)} s`;

/** Follows one run to its end, and shows its stages. @returns how it ended. */
export async function followRun(api: Api, terminal: Terminal, run: string, began = Date.now()): Promise<RunDetail | undefined> {
  for (;;) {
    const detail = await call<RunDetail>(api, `runs/${encodeURIComponent(run)}`).catch((): undefined => undefined);
    if (detail) {
      const { dataset, stage, progress, status, trials, model, error } = detail;
      const label = dataset.padEnd(16);
      if (status === 'SUCCEEDED') {
        terminal.done(
          run,
          `${label} ${bar(1)}  ${model ? `${model.name} version ${model.version} is ${model.live === false ? 'registered' : 'live'}` : 'done'}, ${seconds(began)}`,
        );
        return detail;
      }
      if (status !== 'RUNNING') {
        terminal.done(run, `${label} ${status}: ${error ? sentence(error) : `see GET /runs/${run}`}`);
        return detail;
      }
      const counted = trials && stage === 'Search' ? ` ${trials.done} of ${trials.planned}` : '';
      terminal.live(run, stage, `${label} ${bar(progress)}  ${stage}${counted}`);
    }
    await sleep(pollMs);
  }
}

/** Shows every upload until it is clean or refused, and every run until it ends. */
export class Watcher {
  readonly observer: CloudObserver;
  readonly #terminal: Terminal;
  readonly #datasets = new Set<string>();
  readonly #runs = new Map<string, Promise<RunDetail | undefined>>();
  #api: Api | undefined;
  #closed = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.observer = {
      object: ({ eventName, key }) => {
        const raw = parseRawKey(key);
        if (raw && eventName.startsWith('ObjectCreated:')) void this.#dataset(raw.dataset);
      },
      gaveUp: ({ name, logGroup }, { payload }) => {
        const { errorType, errorMessage } = JSON.parse(payload) as { errorType?: string; errorMessage?: string };
        terminal.line(`${name} failed in all its attempts: ${errorType}: ${errorMessage}. Its log group is ${logGroup}.`);
      },
      execution: ({ name, status, startedAt, input }) => {
        if (status !== 'RUNNING') return;
        this.#isClean((JSON.parse(input) as { dataset?: string }).dataset ?? '');
        void this.#run(name, startedAt);
      },
    };
  }

  open(api: Api): void {
    this.#api = api;
  }

  close(): void {
    this.#closed = true;
  }

  async #run(name: string, startedAt: number): Promise<void> {
    const api = this.#api;
    if (!api || this.#runs.has(name)) return;
    const followed = followRun(api, this.#terminal, name, startedAt);
    this.#runs.set(name, followed);
    await followed.catch(() => undefined);
    this.#runs.delete(name);
  }

  async #dataset(dataset: string): Promise<void> {
    const api = this.#api;
    if (!api || this.#datasets.has(dataset)) return;
    this.#datasets.add(dataset);
    const until = Date.now() + datasetPatienceMs;
    const id = `dataset ${dataset}`;
    for (let status = 'CLEANING'; !this.#closed && Date.now() < until; await sleep(pollMs)) {
      const found = await call<Dataset>(api, `datasets/${encodeURIComponent(dataset)}`).catch((): undefined => undefined);
      status = found?.status ?? status;
      if (status === 'READY') this.#isClean(dataset);
      if (!this.#datasets.has(dataset)) return;
      if (found?.status === 'REJECTED') {
        this.#datasets.delete(dataset);
        this.#terminal.done(id, `${dataset.padEnd(16)} REJECTED: ${found.error ? sentence(found.error) : 'the file cannot be used'}`);
        return;
      }
      this.#terminal.live(id, status, `${dataset.padEnd(16)} ${status === 'CLEAN' ? 'making features' : 'cleaning'} …`);
    }
    if (this.#datasets.delete(dataset))
      this.#terminal.done(id, `${dataset.padEnd(16)} has not become clean yet; see GET /datasets/${dataset}`);
  }

  /** The dataset is done with, be it that its features are there or that its run has begun. */
  #isClean(dataset: string): void {
    if (this.#datasets.delete(dataset)) this.#terminal.done(`dataset ${dataset}`, `${dataset.padEnd(16)} clean, features made`);
  }
}
