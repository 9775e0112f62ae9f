/** A clock beside the process's own thread, which ends the process where that thread does not come back. */
import { Worker } from 'node:worker_threads';

/** What does not stop by itself when its time is over is ended so long after it. */
export const graceMilliseconds = 2000;

/** Step Functions then sees a function that ended without an answer, and calls it again. */
const clock = `
const { workerData } = require('node:worker_threads');
setTimeout(() => process.kill(process.pid, 'SIGKILL'), workerData);
`;

/** @returns what keeps the process alive again */
export function endBy(milliseconds: number): () => void {
  const worker = new Worker(clock, { eval: true, workerData: milliseconds });
  worker.unref();
  return () => void worker.terminate();
}
