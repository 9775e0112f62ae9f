/** A helping thread: takes part in one boosting run after another. */
import { parentPort } from 'node:worker_threads';
import type { HelpMessage } from './helpers.ts';
import { instantiateBoost } from './run-memory.ts';

parentPort!.on('message', ({ memory, run, thread }: HelpMessage) => {
  instantiateBoost(memory).help(run, thread);
});
