/** The thread that tells what its job's process uses, every half minute and once more when it hears that the job is over. */
import { parentPort } from 'node:worker_threads';
import { type GpuUsage, gpuUsage } from './gpu.ts';
import { limitsOf, readings, usageLine, usageNow } from './usage.ts';

const tellMs = 30_000;
/** A container is ended for the most that it holds, not for what it holds now and then. */
const lookMs = 1000;

const port = parentPort!;
const limits = limitsOf(process.env);
let before = usageNow();
let most = before.memoryBytes;
// Whoever has no GPU now gets none later.
let gpu: Promise<GpuUsage | undefined> = gpuUsage();

async function tell(): Promise<void> {
  if (await gpu) gpu = gpuUsage();
  const seen = await gpu;
  const now = usageNow();
  const memoryBytes = Math.max(most, now.memoryBytes);
  port.postMessage(usageLine(process.env, readings(before, { ...now, memoryBytes }, limits, seen), now.at));
  before = now;
  most = 0;
}

const clocks = [
  setInterval(() => {
    most = Math.max(most, usageNow().memoryBytes);
  }, lookMs),
  setInterval(() => void tell(), tellMs),
];
port.once('message', () => {
  for (const clock of clocks) clearInterval(clock);
  void tell().finally(() => port.close());
});
