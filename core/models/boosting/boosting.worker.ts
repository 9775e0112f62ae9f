/** A helping thread: takes part in one boosting run after another. */
import { parentPort } from 'node:worker_threads';
import { collectWhenIdle } from '../wasm-memory.ts';
import { instantiateBoost } from './run-memory.ts';
import type { JoinMessage } from './run-threads.ts';

parentPort!.on('message', ({ memory, run, thread }: JoinMessage) => {
  instantiateBoost(memory).help(run, thread);
  collectWhenIdle(memory);
});
