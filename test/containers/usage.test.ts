import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { gpuUsage, parseGpus } from '../../containers/train/gpu.ts';
import { limitsOf, readings, tellUsage, usageLine, usageNow } from '../../containers/train/usage.ts';
import { environment } from '../../core/names.ts';
import { Metrics, takeEmbedded } from '../../local/observe/metrics.ts';
import { newHome } from '../local/assembly.ts';

const gibibyte = 2 ** 30;
const env = {
  AWS_BATCH_JQ_NAME: 'fargate',
  AWS_BATCH_JOB_ID: '4c75:3',
  [environment.jobStage]: 'Search',
  [environment.jobVcpus]: '4',
  [environment.jobMemory]: '8192',
};
const limits = limitsOf(env);
const start = Date.parse('2026-11-25T08:00:00Z');

test('what a job used is a share of what it asked for', () => {
  const before = { cpuSeconds: 10, memoryBytes: gibibyte, at: start };
  const after = { cpuSeconds: 100, memoryBytes: 6 * gibibyte, at: start + 30_000 };
  // 90 seconds of the 4 × 30 that there were; 6 of 8 GiB.
  expect(readings(before, after, limits, undefined)).toEqual([
    { name: 'JobCpuUtilization', unit: 'Percent', value: 75 },
    { name: 'JobMemoryUtilization', unit: 'Percent', value: 75 },
  ]);
  expect(readings(after, after, limits, { busy: 0.5, memory: 0.25 }).map(({ name, value }) => [name, value])).toEqual([
    ['JobMemoryUtilization', 75],
    ['JobGpuUtilization', 50],
    ['JobGpuMemoryUtilization', 25],
  ]);
});

test('CloudWatch finds the metrics in the line by queue, and by queue and stage', () => {
  const metrics = new Metrics(newHome(), start);
  const line = usageLine(env, [{ name: 'JobCpuUtilization', unit: 'Percent', value: 75 }], start);
  takeEmbedded(line, metrics);
  const queue = { Name: 'JobQueue', Value: 'fargate' };
  for (const dimensions of [[queue], [queue, { Name: 'JobStage', Value: 'Search' }]])
    expect(metrics.find('Ingot', 'JobCpuUtilization', dimensions)?.statistic('Maximum', start, start + 1)).toBe(75);
  // Who searches the log finds the job itself; it is no dimension, as each would be a metric to pay for.
  expect(JSON.parse(line)).toMatchObject({ job: '4c75:3' });
  expect(metrics.all()).toHaveLength(2);
});

test('a process finds what it uses: memory that it holds, and time that it works', () => {
  const before = usageNow();
  const held = Buffer.alloc(256 * 2 ** 20, 1);
  for (const until = Date.now() + 200; Date.now() < until; );
  const after = usageNow();
  expect(after.cpuSeconds).toBeGreaterThan(before.cpuSeconds);
  expect(after.memoryBytes - before.memoryBytes).toBeGreaterThan(0.9 * held.length);
});

test('a job that is over at once is told of all the same, by its own thread', async () => {
  const lines: string[] = [];
  await tellUsage((line) => lines.push(line))();
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({ JobQueue: 'none', JobMemoryUtilization: expect.any(Number) });
});

describe('the GPUs of a machine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ingot-gpu-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const program = (text: string, code = 0) => {
    const path = join(folder, `smi-${code}`);
    writeFileSync(path, `#!/bin/sh\nprintf '${text}'\nexit ${code}\n`);
    chmodSync(path, 0o755);
    return path;
  };

  test('are asked by nvidia-smi, and taken together', async () => {
    expect(await gpuUsage(program('50, 6144, 24576\\n100, 12288, 24576\\n'))).toEqual({ busy: 0.75, memory: 0.375 });
  });

  test.each(['', 'No devices were found\n', '[N/A], [N/A], [N/A]\n'])('say nothing where nvidia-smi does not: %j', (text) => {
    expect(parseGpus(text)).toBeUndefined();
  });

  test('are not missed where there are none', async () => {
    expect(await gpuUsage(join(folder, 'not-there'))).toBeUndefined();
    expect(await gpuUsage(program('Failed to initialize NVML', 9))).toBeUndefined();
  });
});
