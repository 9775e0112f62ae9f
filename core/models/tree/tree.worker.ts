/** A worker thread of the pool: takes part in one phase of a job after another. */
import { parentPort } from 'node:worker_threads';
import { type Kernel, SharedMemory } from './memory.ts';
import type { PhaseDone, PhaseMessage } from './pool.ts';
import { type GrownTree, work } from './thread.ts';

const port = parentPort!;
let current: { job: number; shared: SharedMemory; kernel: Kernel } | undefined;

port.on('message', ({ job, memory, phase, thread }: PhaseMessage) => {
  if (current?.job !== job) {
    const shared = new SharedMemory(memory);
    current = { job, shared, kernel: shared.instantiate() };
  }
  let tasks = 0;
  const trees: GrownTree[] = [];
  for (const tree of work(current.shared, current.kernel, phase, thread)) {
    tasks++;
    if (tree) trees.push(tree);
  }
  const done: PhaseDone = { job, phase: phase.number, thread, tasks, trees };
  port.postMessage(
    done,
    trees.flatMap(({ splits, rights, values }) => [splits.buffer, rights.buffer, values.buffer] as ArrayBuffer[]),
  );
});
