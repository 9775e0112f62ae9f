/** A worker thread of the pool: takes part in one phase of a job after another. It keeps nothing, so that a job's memory goes with the job. */
import { parentPort } from 'node:worker_threads';
import { collectWhenIdle } from '../wasm-memory.ts';
import { SharedMemory } from './memory.ts';
import type { PhaseDone, PhaseMessage } from './pool.ts';
import { type GrownTree, work } from './thread.ts';

const port = parentPort!;

port.on('message', ({ job, memory, phase, thread }: PhaseMessage) => {
  const shared = new SharedMemory(memory);
  let tasks = 0;
  const trees: GrownTree[] = [];
  for (const tree of work(shared, shared.instantiate(), phase, thread)) {
    tasks++;
    if (tree) trees.push(tree);
  }
  const done: PhaseDone = { job, phase: phase.number, thread, tasks, trees };
  port.postMessage(
    done,
    trees.flatMap(({ splits, rights, values }) => [splits.buffer, rights.buffer, values.buffer] as ArrayBuffer[]),
  );
  collectWhenIdle(memory);
});
