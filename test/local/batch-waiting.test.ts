/** Why a job waits, as `GET /runs/{id}` says it: Batch's calls as functions make them, against the laptop's Batch. */
import { BatchClient } from '@aws-sdk/client-batch';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BatchJobs } from '../../aws/batch-jobs.ts';
import { whyWaiting } from '../../core/compute/waiting.ts';
import { type RunningCloud, startCloud } from '../../local/start-cloud.ts';
import { newHome, writeAssembly } from './assembly.ts';
import { batchResources, submit, until } from './batch.ts';

const forever = 'setInterval(() => 0, 1000)';
let cloud: RunningCloud;
let jobs: BatchJobs;

beforeAll(async () => {
  const shares = {
    ShareDecaySeconds: 600,
    ShareDistribution: ['urgent', 'whenever'].map((ShareIdentifier) => ({ ShareIdentifier, WeightFactor: 1 })),
  };
  const assembly = writeAssembly({ Resources: batchResources({ shares }) });
  cloud = await startCloud({ assembly, home: newHome(), port: 0, batch: { vcpus: 1 } });
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  jobs = new BatchJobs(new BatchClient({ endpoint: cloud.url, region: 'us-east-1', credentials }));
});
afterAll(() => cloud.close());

test('a job whose share has had its part says that later jobs of other shares go before it, and one that waits its turn does not', {
  timeout: 60_000,
}, async () => {
  const put = (jobName: string, shareIdentifier: string) =>
    submit(cloud, forever, { jobName, shareIdentifier, schedulingPriorityOverride: 1 });
  await until(cloud, await put('first', 'whenever'), 'RUNNING');
  for (const [name, share] of [
    ['a', 'whenever'],
    ['b', 'whenever'],
    ['c', 'urgent'],
  ] as const)
    await until(cloud, await put(name, share), 'RUNNABLE');
  const why = async (name: string) => whyWaiting((await jobs.open('queue', name))[0]!);
  const goesFirst = 'A higher priority in dataset.json goes first.';
  expect(await why('a')).toBe(
    `1 job is before it in the queue, 1 of them later ones of other shares: its share 'whenever' has had its part for now. ${goesFirst}`,
  );
  expect(await why('b')).toMatch(/^2 jobs are before it in the queue, 1 of them later/);
  expect(await why('c')).not.toContain('before it');
});
