/** Threads that help the boosting runs of this process, started when the first large run wants them; idle, they do not keep it alive. */
import { Worker } from 'node:worker_threads';

/** A thread that is busy elsewhere, or has yet to start, holds nobody up: the run goes on without it. */
export interface JoinMessage {
  memory: WebAssembly.Memory;
  run: number;
  thread: number;
}

const threads: Worker[] = [];

/** Asks threads 1 to count - 1 to join a run, until it stops. */
export function callThreads(memory: WebAssembly.Memory, run: number, count: number): void {
  for (let thread = 1; thread < count; thread++) {
    let joining = threads[thread - 1];
    if (!joining) {
      joining = new Worker(new URL(import.meta.url.endsWith('.ts') ? './boosting.worker.ts' : './boosting.worker.mjs', import.meta.url));
      joining.unref();
      threads[thread - 1] = joining;
    }
    joining.postMessage({ memory, run, thread } satisfies JoinMessage);
  }
}
