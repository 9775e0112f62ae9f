/** Threads that help the boosting runs of this process, started when the first large run wants them; idle, they do not keep it alive. */
import { Worker } from 'node:worker_threads';

/** A helper that is busy elsewhere, or has yet to start, holds nobody up: the run goes on without it. */
export interface HelpMessage {
  memory: WebAssembly.Memory;
  run: number;
  thread: number;
}

const helpers: Worker[] = [];

/** Asks threads 1 to count - 1 to join a run, until it stops. */
export function callHelpers(memory: WebAssembly.Memory, run: number, count: number): void {
  for (let thread = 1; thread < count; thread++) {
    let helper = helpers[thread - 1];
    if (!helper) {
      helper = new Worker(new URL(import.meta.url.endsWith('.ts') ? './boosting.worker.ts' : './boosting.worker.mjs', import.meta.url));
      helper.unref();
      helpers[thread - 1] = helper;
    }
    helper.postMessage({ memory, run, thread } satisfies HelpMessage);
  }
}
