/**
 * What a job uses of what it asked for, told in its log as metrics: processor, memory and, where there is one, GPU.
 *
 * A job is one process, so the process itself is asked: the same on Fargate, on EC2 and on a laptop, whichever version of cgroups is there. Memory is
 * what the process holds and cannot give back (anonymous and shared pages), which is what a container is ended for.
 */

import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { Worker } from 'node:worker_threads';
import { computeDimensions, computeMetrics, environment } from '../../core/names.ts';
import { embedded, type Reading } from '../../functions/shared/embedded-metrics.ts';
import type { GpuUsage } from './gpu.ts';

/** A moment of a process. */
export interface Usage {
  /** Of all its threads, so far. */
  cpuSeconds: number;
  memoryBytes: number;
  /** Milliseconds since 1970. */
  at: number;
}

/** What the job may use. */
export interface Limits {
  vcpus: number;
  memoryBytes: number;
}

export function limitsOf(env: NodeJS.ProcessEnv): Limits {
  const memory = Number(env[environment.jobMemory]) * 2 ** 20;
  return { vcpus: Number(env[environment.jobVcpus]) || availableParallelism(), memoryBytes: memory || totalmem() };
}

/** Of this process, whichever of its threads asks. */
export function usageNow(): Usage {
  const { user, system } = process.cpuUsage();
  return { cpuSeconds: (user + system) / 1e6, memoryBytes: heldBytes() ?? process.memoryUsage.rss(), at: Date.now() };
}

/** As Linux tells it in proc(5)'s status; undefined on other systems. */
function heldBytes(): number | undefined {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)![1]);
    return (kilobytes('RssAnon') + kilobytes('RssShmem')) * 1024;
  } catch {
    return undefined;
  }
}

/** Per cent of what the job may use: of the processor between two moments, of the memory as the second has it. */
export function readings(before: Usage, after: Usage, limits: Limits, gpu: GpuUsage | undefined): Reading[] {
  const seconds = (after.at - before.at) / 1000;
  const found = [
    ...(seconds > 0 ? [[computeMetrics.jobCpu, (after.cpuSeconds - before.cpuSeconds) / seconds / limits.vcpus] as const] : []),
    [computeMetrics.jobMemory, after.memoryBytes / limits.memoryBytes] as const,
    ...(gpu ? [[computeMetrics.jobGpu, gpu.busy] as const, [computeMetrics.jobGpuMemory, gpu.memory] as const] : []),
  ];
  return found.map(([{ name, unit }, share]) => ({ name, unit, value: Number((100 * share).toFixed(1)) }));
}

/** By queue, and by what the jobs of a queue do; the job itself is in the line for whoever searches the log. */
export function usageLine(env: NodeJS.ProcessEnv, found: Reading[], at: number): string {
  const { queue, stage } = computeDimensions;
  const about = {
    [queue]: env['AWS_BATCH_JQ_NAME'] ?? 'none',
    [stage]: env[environment.jobStage] ?? 'none',
    job: env['AWS_BATCH_JOB_ID'] ?? 'none',
    attempt: env['AWS_BATCH_JOB_ATTEMPT'] ?? '1',
  };
  return embedded(found, [[queue], [queue, stage]], about, at);
}

/**
 * Writes such a line every half minute from now on, from a thread of its own, as the work keeps this one busy for minutes.
 * @returns what writes a last one, so that short jobs are told of too, and ends the thread
 */
export function tellUsage(write: (line: string) => void = (line) => process.stdout.write(`${line}\n`)): () => Promise<void> {
  const worker = new Worker(new URL(import.meta.url.endsWith('.ts') ? './usage.worker.ts' : './usage.worker.mjs', import.meta.url));
  worker.unref();
  worker.on('message', write);
  const over = new Promise<void>((done) => {
    worker.once('exit', () => done());
    // A job is not the worse for what nobody can tell of it.
    worker.once('error', (error) => process.stderr.write(`The job's usage is not told: ${error.message}\n`));
  });
  return () => {
    worker.ref();
    worker.postMessage('last');
    return over;
  };
}
