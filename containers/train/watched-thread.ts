/**
 * Work that may never come to its end is done on a thread of its own, while this one looks at the clock: a piece of it that takes too long is ended with
 * the thread, and whoever started it goes on with the rest on another.
 */
import { Worker } from 'node:worker_threads';
import { hangsAfter } from '../../core/compute/clock.ts';
import { environment } from '../../core/names.ts';
import type { Plan } from '../../core/search/plan.ts';
import type { FitEvent } from '../../functions/fit.lambda.ts';
import { JobError, type RunEvent, StageError } from '../../functions/shared/stage.ts';

/** Some trials of a search. */
export interface Slice {
  event: RunEvent;
  trials: string[];
  /** Why a trial was ended: what it has kept is gathered. */
  ended?: string;
}

/** What a thread is to do. */
export type Work = Slice | FitEvent;

/** What a thread tells: a piece begins; it has so many milliseconds from now on; all are done; one failed; what is under way is kept. */
export type Told = { begun: string } | { within: number | undefined } | { done: true } | { failed: StageError['told'] } | { kept: true };

/** Takes what keeps the work that is under way, before the machine is taken away. */
export type OnInterrupt = (keep: () => Promise<void>) => void;

/** The piece with which a thread was ended, and why, in a sentence. */
export interface Ended {
  piece: string;
  why: string;
}

export const startThread = (work: Work): Worker =>
  new Worker(new URL(import.meta.url.endsWith('.ts') ? './stage.worker.ts' : './stage.worker.mjs', import.meta.url), { workerData: work });

/** Milliseconds that a trial or a fit of the plan has, if it asks for no others. */
export const limitOf = (plan: Plan): number | undefined => Number(process.env[environment.trialSeconds]) * 1000 || hangsAfter(plan);

/**
 * Waits for a thread that tells of its pieces.
 * @param limit milliseconds that each of them has, if it asks for no others
 * @returns undefined where all are done
 * @throws StageError of the piece that failed otherwise
 */
export async function watchThread(thread: Worker, limit: number | undefined, onInterrupt: OnInterrupt): Promise<Ended | undefined> {
  const over = Promise.withResolvers<Ended | undefined>();
  let piece: string | undefined;
  let clock: NodeJS.Timeout | undefined;
  const endAfter = (milliseconds: number | undefined) => {
    clearTimeout(clock);
    if (milliseconds === undefined || piece === undefined) return;
    const why = `It was ended after ${durationText(milliseconds)}, as it did not come to its end.`;
    clock = setTimeout(over.resolve, milliseconds, { piece, why });
  };
  const kept = Promise.withResolvers<void>();
  thread.on('message', (told: Told) => {
    if ('begun' in told) {
      piece = told.begun;
      endAfter(limit);
    } else if ('within' in told) endAfter(told.within ?? limit);
    else if ('done' in told) over.resolve(undefined);
    else if ('failed' in told) over.reject(new StageError(told.failed.stage, new JobError(told.failed)));
    else kept.resolve();
  });
  thread.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY' && piece !== undefined) over.resolve({ piece, why: 'Its memory was used up.' });
    else over.reject(error);
  });
  thread.on('exit', (code) => over.reject(new Error(`the thread ended with code ${code} before its work was done`)));
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
