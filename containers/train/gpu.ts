/** What the GPUs of a machine are used for, as NVIDIA's own program tells it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Shares of 1, of all GPUs together. */
export interface GpuUsage {
  /** Of the time since the last question, that a kernel was running. */
  busy: number;
  memory: number;
}

const run = promisify(execFile);
const asked = ['--query-gpu=utilization.gpu,memory.used,memory.total', '--format=csv,noheader,nounits'];

/** @param text a line a GPU: per cent, MiB used, MiB there are; @returns undefined where no line says so */
export function parseGpus(text: string): GpuUsage | undefined {
  const gpus = text.split('\n').map((line) => line.split(',').map(Number));
  const known = gpus.filter((numbers) => numbers.length === 3 && numbers.every(Number.isFinite) && numbers[2]! > 0);
  const mean = (of: (numbers: number[]) => number) => known.reduce((sum, numbers) => sum + of(numbers), 0) / known.length;
  return known.length > 0 ? { busy: mean(([busy]) => busy! / 100), memory: mean(([, used, all]) => used! / all!) } : undefined;
}

/** @returns undefined where there is no GPU, or it does not answer */
export async function gpuUsage(program = 'nvidia-smi'): Promise<GpuUsage | undefined> {
  try {
    return parseGpus((await run(program, asked, { timeout: 5000 })).stdout);
  } catch {
    return undefined;
  }
}
