import { setTimeout as sleep } from 'node:timers/promises';
import { CloudWatchClient, GetMetricStatisticsCommand, ListMetricsCommand } from '@aws-sdk/client-cloudwatch';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { overridesOf } from '../../aws/container-overrides.ts';
import { runSchema } from '../../core/api/schemas.ts';
import { computeMetrics } from '../../core/names.ts';
import { callBatch } from '../local/batch.ts';
import { jobsOf, uploadToBatch } from './batch.ts';
import { Laptop, little } from './laptop.ts';

let laptop: Laptop;

beforeAll(async () => {
  laptop = await Laptop.start();
});

afterAll(() => laptop?.stop());

async function ask(method: string, path: string) {
  const { ApiUrl, ApiKey } = laptop.outputs;
  return (await fetch(ApiUrl + path, { method, headers: { 'x-api-key': ApiKey } })).json() as Promise<Record<string, unknown>>;
}

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + 120_000; Date.now() < end; await sleep(100)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`${what} did not come: ${laptop.output.slice(-2000)}`);
}

async function setEnvironments(state: 'ENABLED' | 'DISABLED'): Promise<void> {
  const cloud = { url: laptop.outputs.EndpointUrl };
  const { computeEnvironments } = await callBatch<{ computeEnvironments: { computeEnvironmentArn: string }[] }>(
    cloud,
    'DescribeComputeEnvironments',
    {},
  );
  for (const { computeEnvironmentArn: computeEnvironment } of computeEnvironments)
    await callBatch(cloud, 'UpdateComputeEnvironment', { computeEnvironment, state });
}

test('a run on Batch says its lane and why its job waits; cancelled, it takes its jobs with it', { timeout: 300_000 }, async () => {
  const rows = Array.from({ length: 30_000 }, (_, i) => `${(i * 7919) % 10_007},${(i * 104_729) % 1009},${(i * 31) % 7 > 3}`);
  await uploadToBatch(laptop, 'waits', Buffer.from(`a,b,y\n${rows.join('\n')}\n`), { priority: 5 });
  const id = await until('its search', async () => {
    const [run] = (await ask('GET', 'runs'))['runs'] as { id: string; stage: string }[];
    return run?.stage === 'Search' ? run.id : undefined;
  });
  // No job starts from here on; those that run go on.
  await setEnvironments('DISABLED');
  const waiting = await until('a job that waits', async () => {
    const run = runSchema.parse(await ask('GET', `runs/${id}`));
    return run.waiting?.includes('disabled') ? run : undefined;
  });
  expect(waiting).toMatchObject({
    lane: { name: 'cpu', reason: 'dataset.json asks for it.' },
    waiting: 'All compute environments of the queue are disabled: enable one in Batch.',
  });
  expect(await ask('DELETE', `runs/${id}`)).toMatchObject({ status: 'ABORTED' });
  const open = ['SUBMITTED', 'PENDING', 'RUNNABLE', 'STARTING', 'RUNNING'];
  await until('the end of its jobs', async () => ((await jobsOf(laptop)).every(({ status }) => !open.includes(status)) ? true : undefined));
  expect((await jobsOf(laptop)).some(({ status }) => status === 'FAILED')).toBe(true);
  await setEnvironments('ENABLED');
});

test('a run whose job is taken from it goes on on functions, and says so', { timeout: 300_000 }, async () => {
  const rows = Array.from({ length: 30_000 }, (_, i) => `${(i * 7919) % 10_007},${(i * 104_729) % 1009},${(i * 31) % 7 > 3}`);
  const grids = { forest: { nEstimators: [30], maxDepth: [8], minSamplesSplit: [2] } };
  await uploadToBatch(laptop, 'taken', Buffer.from(`a,b,y\n${rows.join('\n')}\n`), { grids });
  const arrayJob = await until(
    'the search',
    async () =>
      (await jobsOf(laptop)).find(({ jobName, status }) => jobName.startsWith('taken-') && status !== 'SUCCEEDED')?.jobId.split(':')[0],
  );
  await callBatch({ url: laptop.outputs.EndpointUrl }, 'TerminateJob', { jobId: arrayJob, reason: 'Somebody needed the room.' });
  const done = await until('the end of the run', async () => {
    const run = ((await ask('GET', 'runs'))['runs'] as { id: string; dataset: string; status: string }[]).find(
      ({ dataset }) => dataset === 'taken',
    );
    return run && run.status !== 'RUNNING' ? runSchema.parse(await ask('GET', `runs/${run.id}`)) : undefined;
  });
  expect(done).toMatchObject({
    status: 'SUCCEEDED',
    lane: {
      name: 'lambda',
      reason: expect.stringMatching(/^Batch could not run a job .*Somebody needed the room.* Functions have taken over\.$/),
    },
    model: { name: 'taken', version: 1, live: true },
  });
});

/** The job is killed by a hand here, as a table that needs gigabytes takes its time; what goes on is what would go on. */
test('a job that cleans and is killed for its memory is followed by one of twice the memory', { timeout: 300_000 }, async () => {
  const cloud = { url: laptop.outputs.EndpointUrl };
  const rows = Array.from({ length: 500 }, (_, i) => `${(i * 7919) % 10_007},${(i * 31) % 7 > 3}`);
  await uploadToBatch(laptop, 'grows', Buffer.from(`a,y\n${rows.join('\n')}\n`), little);
  expect((await laptop.finished('grows')).status).toBe('SUCCEEDED');
  const pointer = await laptop.s3.send(new GetObjectCommand({ Bucket: laptop.outputs.DataBucket, Key: 'clean/grows/current.json' }));
  const { source } = JSON.parse(await pointer.Body!.transformToString()) as { source: object };
  const { jobDefinitions } = await callBatch<{ jobDefinitions: { jobDefinitionName: string }[] }>(cloud, 'DescribeJobDefinitions', {});
  const [jobQueue] = (await callBatch<{ jobQueues: { jobQueueArn: string }[] }>(cloud, 'DescribeJobQueues', {})).jobQueues;
  const { Environment } = overridesOf('Clean', source, { machines: 'fargate', vcpus: 4, memory: 8192 }, true);
  await callBatch(cloud, 'SubmitJob', {
    jobName: 'grows-clean',
    jobQueue: jobQueue!.jobQueueArn,
    jobDefinition: jobDefinitions.find(({ jobDefinitionName }) => jobDefinitionName.endsWith('-prepare'))!.jobDefinitionName,
    shareIdentifier: 'normal',
    containerOverrides: {
      command: ['node', '-e', 'process.exit(137)'],
      environment: Environment.map(({ Name: name, Value: value }) => ({ name, value })),
    },
  });
  const jobs = await until('the larger job', async () => {
    const found = (await jobsOf(laptop)).filter(({ jobName }) => jobName === 'grows-clean');
    return found.some(({ status }) => status === 'SUCCEEDED') ? found : undefined;
  });
  expect(jobs.map(({ status, container }) => [status, container.memory]).sort()).toEqual([
    ['FAILED', 2048],
    ['SUCCEEDED', 16_384],
  ]);
});

/** By the function that Batch's events call and by the jobs themselves, in their roles, as it would be on AWS. */
test('what the jobs used, how they ended and how long their queue was are metrics', { timeout: 300_000 }, async () => {
  const { EndpointUrl: endpoint } = laptop.outputs;
  const rows = Array.from({ length: 500 }, (_, i) => `${(i * 7919) % 10_007},${(i * 31) % 7 > 3}`);
  await uploadToBatch(laptop, 'works', Buffer.from(`a,y\n${rows.join('\n')}\n`), little);
  expect((await laptop.finished('works')).status).toBe('SUCCEEDED');
  const client = new CloudWatchClient({ endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
  // No machine has a GPU here, and none is taken away; and no job has failed: those before were stopped, one with its run.
  const { jobGpu, jobGpuMemory, jobsInterrupted, jobsFailed, ...there } = computeMetrics;
  const names = Object.values(there).map(({ name }) => name);
  const listed = await until('all metrics', async () => {
    const { Metrics = [] } = await client.send(new ListMetricsCommand({ Namespace: 'Ingot' }));
    const ofQueue = Metrics.filter(({ Dimensions }) => Dimensions?.some(({ Name }) => Name === 'JobQueue'));
    return names.every((name) => ofQueue.some(({ MetricName }) => MetricName === name)) ? ofQueue : undefined;
  });
  const [Dimensions] = [...new Map(listed.map(({ Dimensions }) => [JSON.stringify(Dimensions), Dimensions])).values()].filter(
    (each) => each?.length === 1,
  );
  const highest = async (MetricName: string) => {
    const span = { StartTime: new Date(Date.now() - 3600_000), EndTime: new Date(Date.now() + 60_000), Period: 3600 };
    const query = { Namespace: 'Ingot', MetricName, Dimensions, Statistics: ['Maximum' as const], ...span };
    const { Datapoints = [] } = await client.send(new GetMetricStatisticsCommand(query));
    return Math.max(...Datapoints.map(({ Maximum }) => Maximum!));
  };
  expect(await highest('JobsWaiting')).toBeGreaterThanOrEqual(1);
  expect(listed.filter(({ MetricName }) => MetricName === jobsFailed.name)).toEqual([]);
  expect(await highest('JobCpuUtilization')).toBeGreaterThan(0);
  const memory = await highest('JobMemoryUtilization');
  expect([memory > 0, memory < 100]).toEqual([true, true]);
  expect(listed.some(({ Dimensions }) => Dimensions?.some(({ Name, Value }) => Name === 'JobStage' && Value === 'Search'))).toBe(true);
  // The page draws them, as the dashboard does on AWS.
  const { graphs } = (await (await fetch(`${endpoint}/dashboard/data.json`)).json()) as { graphs: { title: string; series: object[] }[] };
  const drawn = graphs.filter(({ series }) => series.length > 0).map(({ title }) => title);
  for (const what of ['waiting and running', 'the oldest one waits, s', 'how they end', 'use of what they asked for, %'])
    expect(drawn).toContain(`Jobs on fargate: ${what}`);
  // The clock stops once no job is left, and with it all calls.
  await until('the end of the clock', async () => {
    const authorization = 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/events/aws4_request, SignedHeaders=host, Signature=0';
    const headers = { authorization, 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AWSEvents.ListRules' };
    const { Rules } = (await (await fetch(endpoint, { method: 'POST', headers, body: '{}' })).json()) as {
      Rules: { State: string; ScheduleExpression?: string }[];
    };
    return Rules.some(({ State, ScheduleExpression }) => ScheduleExpression && State === 'DISABLED') ? true : undefined;
  });
});
