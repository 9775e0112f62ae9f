/**
 * A slice of a search. Its trials run one after the other on a thread of their own, and this one looks at the clock: a trial that does not come to its
 * end is ended with the thread, recorded as failed, and the rest goes on on another.
 */
import { Worker } from 'node:worker_threads';
import { hangsAfter } from '../../core/compute/clock.ts';
import { modelKeys } from '../../core/keys.ts';
import { environment } from '../../core/names.ts';
import { putJson } from '../../core/object-store.ts';
import { rungOf } from '../../core/search/auto/objects.ts';
import { failedTrial } from '../../core/search/failed.ts';
import type { Plan } from '../../core/search/plan.ts';
import { needJson, once } from '../../functions/shared/objects.ts';
import type { Services } from '../../functions/shared/services.ts';
import { JobError, type RunEvent, StageError } from '../../functions/shared/stage.ts';

/** Of an array job of so many children. */
export type SearchEvent = RunEvent & { rung: number; children: number };

/** What the thread is to do. */
export interface Slice {
  event: RunEvent;
  trials: string[];
  /** Why a trial was ended: what it has kept is gathered. */
  ended?: string;
}

/** What the thread tells: a trial begins; it has so many milliseconds from now on; all are done; one failed; what is under way is kept. */
export type Told = { begun: string } | { within: number | undefined } | { done: true } | { failed: StageError['told'] } | { kept: true };

/** Takes what keeps the work that is under way, before the machine is taken away. */
export type OnInterrupt = (keep: () => Promise<void>) => void;

export async function searchSlice(
  { rung, children, ...event }: SearchEvent,
  { models, log }: Pick<Services, 'models' | 'log'>,
  index: number,
  onInterrupt: OnInterrupt,
): Promise<void> {
  const plan = await needJson<Plan>(models, modelKeys.plan(event.run));
  const { trials = [] } = (await rungOf(models, plan, rung)) ?? {};
  // Every so-many-th, so that those of one family, which take about as long, are spread over the children.
  const own = trials.filter((_, place) => place % children === index);
  const limit = Number(process.env[environment.trialSeconds]) * 1000 || hangsAfter(plan);
  for (let left = own; left.length > 0; ) {
    const ended = await watchSlice(start({ event, trials: left.map(({ id }) => id) }), limit, onInterrupt);
    if (!ended) return;
    const place = left.findIndex(({ id }) => id === ended.trial);
    const trial = left[place]!;
    log('A trial was ended, and the others go on.', { trial: trial.id, why: ended.why });
    const again = await watchSlice(start({ event, trials: [trial.id], ended: ended.why }), limit, onInterrupt);
    if (again) await putJson(models, modelKeys.trial(event.run, trial.id), failedTrial(plan, trial, ended.why), once);
    left = left.slice(place + 1);
  }
}

const start = (slice: Slice): Worker =>
  new Worker(new URL(import.meta.url.endsWith('.ts') ? './slice.worker.ts' : './slice.worker.mjs', import.meta.url), { workerData: slice });

/**
 * Waits for a thread that tells of its trials.
 * @param limit milliseconds that each of them has, if it asks for no others
 * @returns the trial with which the thread was ended, and why, in a sentence; undefined where all are done
 * @throws StageError of the trial that failed otherwise
 */
export async function watchSlice(
  thread: Worker,
  limit: number | undefined,
  onInterrupt: OnInterrupt,
): Promise<{ trial: string; why: string } | undefined> {
  const over = Promise.withResolvers<{ trial: string; why: string } | undefined>();
  let trial: string | undefined;
  let clock: NodeJS.Timeout | undefined;
  const endAfter = (milliseconds: number | undefined) => {
    clearTimeout(clock);
    if (milliseconds === undefined || trial === undefined) return;
    const why = `It was ended after ${durationText(milliseconds)}, as it did not come to its end.`;
    clock = setTimeout(over.resolve, milliseconds, { trial, why });
  };
  const kept = Promise.withResolvers<void>();
  thread.on('message', (told: Told) => {
    if ('begun' in told) {
      trial = told.begun;
      endAfter(limit);
    } else if ('within' in told) endAfter(told.within ?? limit);
    else if ('done' in told) over.resolve(undefined);
    else if ('failed' in told) over.reject(new StageError(told.failed.stage, new JobError(told.failed)));
    else kept.resolve();
  });
  thread.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY' && trial !== undefined) over.resolve({ trial, why: 'Its memory was used up.' });
    else over.reject(error);
  });
  thread.on('exit', (code) => over.reject(new Error(`the thread of the trials ended with code ${code} before they were done`)));
  onInterrupt(() => {
    thread.postMessage('interrupt');
    const nothingLeft = () => undefined;
    return Promise.race([kept.promise, over.promise.then(nothingLeft, nothingLeft)]);
  });
  try {
    return await over.promise;
  } finally {
    clearTimeout(clock);
    // Threads and connections that are idle would keep it, and one that hangs hears nothing.
    await thread.terminate();
  }
}

function durationText(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 120 ? `${seconds} seconds` : `${Math.round(seconds / 60)} minutes`;
}
