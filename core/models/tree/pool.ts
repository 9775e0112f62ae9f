/** Worker threads, started when the first large job wants them and kept for the next; idle, they do not keep the process alive. */
import { Worker } from 'node:worker_threads';
import type { Kernel, SharedMemory } from './memory.ts';
import { type GrownTree, maxTasks, open, type Phase, work } from './thread.ts';

export interface PhaseMessage {
  job: number;
  memory: WebAssembly.Memory;
  phase: Phase;
  thread: number;
}

export interface PhaseDone {
  job: number;
  phase: number;
  thread: number;
  tasks: number;
  trees: GrownTree[];
}

/** How long the calling thread works before it lets the event loop turn. */
const turnMilliseconds = 20;

const workers: Worker[] = [];
let phasesUnderWay = 0;

function worker(index: number): Worker {
  const existing = workers[index];
  if (existing) return existing;
  const started = new Worker(new URL(import.meta.url.endsWith('.ts') ? './tree.worker.ts' : './tree.worker.mjs', import.meta.url));
  // Each phase under way listens.
  started.setMaxListeners(0);
  workers[index] = started;
  return started;
}

/**
 * Runs a phase on the calling thread and `threads - 1` workers.
 * @returns the trees that were grown, in order, and the threads that did something
 */
export async function runPhase(
  shared: SharedMemory,
  kernel: Kernel,
  job: number,
  phase: Phase,
  threads: number,
  onProgress: (tasks: number) => void = () => {},
): Promise<{ trees: GrownTree[]; active: number[] }> {
  open(shared.claims, phase.number);
  const trees: GrownTree[] = [];
  const active = new Set<number>();
  let done = 0;
  const add = (thread: number, tasks: number, grown: GrownTree[]) => {
    done += tasks;
    if (tasks > 0) active.add(thread);
    for (const tree of grown) trees.push(tree);
  };
  const helpers = Array.from({ length: threads - 1 }, (_, index) => worker(index));
  const finished = Promise.withResolvers<void>();
  // A worker's failure may come while this thread is still busy with its own share.
  finished.promise.catch(() => {});
  const onMessage = (message: PhaseDone) => {
    if (message.job !== job || message.phase !== phase.number) return;
    add(message.thread, message.tasks, message.trees);
    if (done === phase.tasks) finished.resolve();
  };
  const onExit = (code: number) => finished.reject(new Error(`a worker thread ended with code ${code} before its work was done`));
  phasesUnderWay++;
  helpers.forEach((helper, index) => {
    helper.ref();
    helper.on('message', onMessage).on('error', finished.reject).on('exit', onExit);
    helper.postMessage({ job, memory: shared.memory, phase, thread: index + 1 } satisfies PhaseMessage);
  });
  try {
    let turn = performance.now();
    for (const tree of work(shared, kernel, phase, 0)) {
      add(0, 1, tree ? [tree] : []);
      if (performance.now() - turn < turnMilliseconds) continue;
      onProgress(Atomics.load(shared.claims, 0) & maxTasks);
      await new Promise(setImmediate);
      turn = performance.now();
    }
    if (done < phase.tasks) await finished.promise;
  } catch (error) {
    // A failed worker is gone; the next job starts others.
    for (const helper of workers.splice(0)) void helper.terminate();
    throw error;
  } finally {
    phasesUnderWay--;
    for (const helper of helpers) {
      helper.off('message', onMessage).off('error', finished.reject).off('exit', onExit);
      if (phasesUnderWay === 0) helper.unref();
    }
  }
  return { trees: trees.sort((a, b) => a.tree - b.tree), active: [...active] };
}
