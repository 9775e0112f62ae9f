/** Follows datasets and runs by the project's own HTTP API, and tells the terminal. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ErrorBody } from '../core/errors.ts';
import { parseRawKey } from '../core/keys.ts';
import type { RunDetail } from '../core/registry/runs.ts';
import type { CloudObserver } from './cloud.ts';
import { complain } from './complain.ts';
import { about, bar, type Terminal } from './terminal.ts';

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
/** `clean` has looked at an upload long before this. */
const newsMs = 5000;
/** An upload may be a part of a dataset, or an old one: after this long without news, its line goes. */
const datasetPatienceMs = 15 * 60_000;

const seconds = (from: number) => `${((Date.now() - from) / 1000).toFixed(1)} s`;

/** Follows one run to its end, and shows its stages. @returns how it ended. */
export async function followRun(api: Api, terminal: Terminal, run: string, began = Date.now()): Promise<RunDetail | undefined> {
  for (;;) {
    const detail = await call<RunDetail>(api, `runs/${encodeURIComponent(run)}`).catch((): undefined => undefined);
    if (detail) {
      const { dataset, stage, progress, status, trials, remaining, model, error } = detail;
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
      const rest = remaining === undefined ? '' : `, ${about(remaining)} left`;
      terminal.live(run, stage, `${label} ${bar(progress)}  ${stage}${counted}${rest}`);
    }
    await sleep(pollMs);
  }
}

/** Shows every upload until it is clean or refused, and every run until it ends. */
export class Watcher {
  readonly observer: CloudObserver;
  readonly #terminal: Terminal;
  readonly #datasets = new Set<string>();
  readonly #runs = new Set<string>();
  #api: Api | undefined;
  /** What was seen before the API was open: runs and events that a former process left. */
  #early: (() => void)[] = [];
  #closed = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.observer = {
      object: ({ eventName, key }) => {
        const raw = parseRawKey(key);
        if (raw && eventName.startsWith('ObjectCreated:')) this.#whenOpen((api) => this.#dataset(api, raw.dataset));
      },
      gaveUp: ({ name, logGroup }, { payload }) => {
        const { errorType, errorMessage } = JSON.parse(payload) as { errorType?: string; errorMessage?: string };
        terminal.line(`${name} failed in all its attempts: ${errorType}: ${errorMessage}. Its log group is ${logGroup}.`);
      },
      execution: ({ name, status, startedAt, input }) => {
        if (status !== 'RUNNING') return;
        this.#isClean((JSON.parse(input) as { dataset?: string }).dataset ?? '');
        this.#whenOpen((api) => this.#run(api, name, startedAt));
      },
    };
  }

  open(api: Api): void {
    this.#api = api;
    for (const act of this.#early) act();
    this.#early = [];
  }

  close(): void {
    this.#closed = true;
  }

  #whenOpen(act: (api: Api) => Promise<void>): void {
    if (this.#api) act(this.#api).catch(complain);
    else this.#early.push(() => this.#whenOpen(act));
  }

  async #run(api: Api, name: string, startedAt: number): Promise<void> {
    if (this.#runs.has(name)) return;
    this.#runs.add(name);
    await followRun(api, this.#terminal, name, startedAt);
    this.#runs.delete(name);
  }

  async #dataset(api: Api, dataset: string): Promise<void> {
    if (this.#datasets.has(dataset)) return;
    this.#datasets.add(dataset);
    const began = Date.now();
    let before: string | undefined;
    const id = `dataset ${dataset}`;
    for (let status = 'CLEANING'; !this.#closed && Date.now() - began < datasetPatienceMs; await sleep(pollMs)) {
      const found = await call<Dataset>(api, `datasets/${encodeURIComponent(dataset)}`).catch((): undefined => undefined);
      before ??= JSON.stringify(found ?? null);
      // What an earlier upload came to says nothing of this one, unless it stays: then they are alike.
      const isNews = JSON.stringify(found ?? null) !== before || Date.now() - began > newsMs;
      if (isNews) status = found?.status ?? status;
      if (isNews && status === 'READY') this.#isClean(dataset);
      if (!this.#datasets.has(dataset)) return;
      if (isNews && found?.status === 'REJECTED') {
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
