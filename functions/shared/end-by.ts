/** A clock beside the process's own thread, which ends the process where that thread does not come back. */
import { Worker } from 'node:worker_threads';

/** What does not stop by itself when its time is over is ended so long after it. */
export const graceMilliseconds = 2000;

/** Step Functions then sees a function that ended without an answer, and calls it again. */
const clock = `
import { workerData } from 'node:worker_threads';
setTimeout(() => process.kill(process.pid, 'SIGKILL'), workerData);
`;

/** @returns what lets the process live on */
export function endBy(milliseconds: number): () => void {
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(clock)}`), { workerData: milliseconds });
  worker.unref();
  return () => void worker.terminate();
}
