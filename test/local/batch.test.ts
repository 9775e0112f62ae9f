import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { interruptedAfter } from '../../local/batch/spot.ts';
import { type RunningCloud, startCloud } from '../../local/start-cloud.ts';
import type { JsonObject } from '../../local/template/intrinsics.ts';
import { newHome, writeAssembly } from './assembly.ts';
import { batchResources, callBatch, describeJob, ended, submit, until } from './batch.ts';

const open: RunningCloud[] = [];
afterAll(() => Promise.all(open.map((cloud) => cloud.close())));

async function startBatch(options: Parameters<typeof batchResources>[0] = {}, batch: object = {}, home = newHome()): Promise<RunningCloud> {
  const cloud = await startCloud({ assembly: writeAssembly({ Resources: batchResources(options) }), home, port: 0, batch });
  open.push(cloud);
  return cloud;
}

const fail = (code: number) => `process.exit(${code})`;
const sleep = (ms: number) => `setTimeout(() => 0, ${ms})`;
const untilThere = (file: string) => `const look = () => require('fs').existsSync(${JSON.stringify(file)}) || setTimeout(look, 20); look()`;
const note = (file: string, what: string) => `require('fs').appendFileSync(${JSON.stringify(file)}, ${what} + '\\n')`;
const lines = (file: string) => readFileSync(file, 'utf8').trim().split('\n');

describe('a job', () => {
  let cloud: RunningCloud;
  beforeAll(async () => {
    cloud = await startBatch(
      { definition: { RetryStrategy: { Attempts: 3, EvaluateOnExit: [{ OnExitCode: '7', Action: 'exit' }] } } },
      { vcpus: 4 },
    );
  });

  test('runs its command with its parameters and environment, in a folder of its own, and is logged', async () => {
    const script = `console.log(JSON.stringify({ cwd: process.cwd(), env: process.env }))`;
    const containerOverrides = { environment: [{ name: 'GREETING', value: 'hello' }] };
    const id = await submit(cloud, script, { containerOverrides });
    const job = await ended(cloud, id);
    expect(job).toMatchObject({ status: 'SUCCEEDED', statusReason: 'Essential container in task exited', container: { exitCode: 0 } });
    expect(job.attempts).toHaveLength(1);
    const { cwd, env } = JSON.parse(cloud.cloud.logs.read('jobs')[0]!.message) as { cwd: string; env: Record<string, string> };
    expect(cwd).toContain(id);
    expect(env).toMatchObject({
      GREETING: 'hello',
      AWS_BATCH_JOB_ID: id,
      AWS_BATCH_JOB_ATTEMPT: '1',
      AWS_BATCH_JQ_NAME: 'queue',
      AWS_ENDPOINT_URL: cloud.url,
      AWS_ACCESS_KEY_ID: 'test',
    });
    expect(env).not.toHaveProperty('HOME');
  });

  test('that fails is tried again up to its attempts, unless a rule says that it is no use', async () => {
    const [often, once] = await Promise.all([submit(cloud, fail(3)), submit(cloud, fail(7))]);
    const failed = await ended(cloud, often);
    expect(failed.status).toBe('FAILED');
    expect(failed.attempts.map(({ container }) => container.exitCode)).toEqual([3, 3, 3]);
    expect((await ended(cloud, once)).attempts).toHaveLength(1);
  });

  test('whose command is not there says so', async () => {
    const job = await ended(
      cloud,
      await submit(cloud, '', { containerOverrides: { command: ['no-such-program'] }, retryStrategy: { attempts: 1 } }),
    );
    expect(job).toMatchObject({ status: 'FAILED', statusReason: 'Task failed to start' });
    expect(job.attempts[0]!.container.reason).toMatch(/^CannotStartContainerError: .*ENOENT/);
  });

  // Only Linux tells what a process uses.
  test.runIf(process.platform === 'linux')('that takes more memory than it asked for is ended', async () => {
    const hog = `const kept = []; setInterval(() => kept.push(Buffer.alloc(50e6, 1)), 20)`;
    const job = await ended(cloud, await submit(cloud, hog, { retryStrategy: { attempts: 1 } }));
    expect(job.attempts[0]!.container).toMatchObject({ exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' });
  });

  test('can be terminated: it is asked to end, and then made to', async () => {
    const deaf = await startBatch({}, { graceMs: 2000 });
    const id = await submit(deaf, `process.on('SIGTERM', () => console.log('no')); console.log('up'); ${sleep(60_000)}`);
    await expect.poll(() => deaf.cloud.logs.read('jobs').map(({ message }) => message)).toEqual(['up']);
    await callBatch(deaf, 'TerminateJob', { jobId: id, reason: 'enough' });
    expect(await ended(deaf, id)).toMatchObject({
      status: 'FAILED',
      statusReason: 'enough',
      isTerminated: true,
      container: { exitCode: 137 },
    });
    expect(deaf.cloud.logs.read('jobs').map(({ message }) => message)).toEqual(['up', 'no']);
  });

  test('has a time limit for each attempt, after which there is no other', async () => {
    const batch = cloud.cloud.batch;
    const definition = batch.definitions.find('job');
    await batch.definitions.save({
      ...definition,
      jobDefinitionName: 'short',
      jobDefinitionArn: definition.jobDefinitionArn.replace('job:', 'short:'),
      timeout: { attemptDurationSeconds: 0.3 },
    });
    const job = await ended(cloud, await submit(cloud, sleep(60_000), { jobDefinition: 'short:1' }));
    expect(job).toMatchObject({ status: 'FAILED', statusReason: 'Job attempt duration exceeded timeout' });
    expect(job.attempts).toHaveLength(1);
  });
});

describe('an array', () => {
  let cloud: RunningCloud;
  beforeAll(async () => {
    cloud = await startBatch({}, { vcpus: 8 });
  });

  test('runs a child for each index, and has succeeded when all have', async () => {
    const file = join(newHome(), 'notes');
    const id = await submit(cloud, note(file, 'process.env.AWS_BATCH_JOB_ARRAY_INDEX'), { arrayProperties: { size: 5 } });
    const parent = await ended(cloud, id);
    expect(parent).toMatchObject({ status: 'SUCCEEDED', arrayProperties: { size: 5, statusSummary: { SUCCEEDED: 5, RUNNING: 0 } } });
    expect(lines(file).sort()).toEqual(['0', '1', '2', '3', '4']);
    expect(await describeJob(cloud, `${id}:3`)).toMatchObject({ jobId: `${id}:3`, status: 'SUCCEEDED', arrayProperties: { index: 3 } });
    const { jobSummaryList } = await callBatch<{ jobSummaryList: { jobId: string }[] }>(cloud, 'ListJobs', {
      arrayJobId: id,
      jobStatus: 'SUCCEEDED',
    });
    expect(jobSummaryList).toHaveLength(5);
  });

  test('has failed when one of its children did, though the others ran', async () => {
    const id = await submit(cloud, `process.exit(process.env.AWS_BATCH_JOB_ARRAY_INDEX === '1' ? 9 : 0)`, { arrayProperties: { size: 4 } });
    expect(await ended(cloud, id)).toMatchObject({
      status: 'FAILED',
      statusReason: 'Array Child Job failed',
      arrayProperties: { statusSummary: { SUCCEEDED: 3, FAILED: 1 } },
    });
  });

  test('can run one child after the other, and each after the same child of another array', async () => {
    const file = join(newHome(), 'notes');
    const say = note(file, 'process.env.AWS_BATCH_JOB_ARRAY_INDEX');
    const first = await submit(cloud, say, { arrayProperties: { size: 4 }, dependsOn: [{ type: 'SEQUENTIAL' }] });
    const second = await submit(cloud, say, { arrayProperties: { size: 4 }, dependsOn: [{ jobId: first, type: 'N_TO_N' }] });
    const last = await submit(cloud, note(file, '"last"'), { dependsOn: [{ jobId: second }] });
    expect((await describeJob(cloud, last)).status).toBe('PENDING');
    expect((await ended(cloud, last)).status).toBe('SUCCEEDED');
    const said = lines(file);
    expect(said.filter((each, place) => said.indexOf(each) === place)).toEqual(['0', '1', '2', '3', 'last']);
    expect(said).toHaveLength(9);
  });

  test('of 10,000 children is described at once, and cancelled whole', async () => {
    const blocked = await submit(cloud, sleep(60_000));
    const id = await submit(cloud, '0', { arrayProperties: { size: 10_000 }, dependsOn: [{ jobId: blocked }] });
    expect(await describeJob(cloud, id)).toMatchObject({ status: 'PENDING', arrayProperties: { statusSummary: { PENDING: 10_000 } } });
    await callBatch(cloud, 'CancelJob', { jobId: id, reason: 'no need' });
    expect(await ended(cloud, id)).toMatchObject({ status: 'FAILED', arrayProperties: { statusSummary: { FAILED: 10_000 } } });
    expect(await describeJob(cloud, `${id}:9999`)).toMatchObject({ statusReason: 'no need', isCancelled: true });
    await callBatch(cloud, 'TerminateJob', { jobId: blocked, reason: 'done' });
  });

  test('a job that depends on one that failed fails with it', async () => {
    const bad = await submit(cloud, fail(1));
    const after = await submit(cloud, '0', { dependsOn: [{ jobId: bad }], arrayProperties: { size: 3 } });
    expect(await ended(cloud, after)).toMatchObject({ status: 'FAILED', arrayProperties: { statusSummary: { FAILED: 3 } } });
    expect((await describeJob(cloud, `${after}:2`)).statusReason).toBe('Dependent Job failed');
  });
});

describe('a queue', () => {
  const shares: JsonObject = {
    ShareDecaySeconds: 600,
    ShareDistribution: [
      // So small that what the urgent use is nothing, however long a busy machine takes for it.
      { ShareIdentifier: 'urgent*', WeightFactor: 0.001 },
      { ShareIdentifier: 'late', WeightFactor: 1 },
    ],
  };

  test('with a policy gives a share of a small weight factor more, starves none, and goes by priority within one', async () => {
    const cloud = await startBatch({ shares }, { vcpus: 1 });
    const file = join(newHome(), 'notes');
    const say = (name: string) => note(file, JSON.stringify(name));
    const gate = join(newHome(), 'gate');
    await submit(cloud, untilThere(gate), { shareIdentifier: 'gate', schedulingPriorityOverride: 0 });
    const jobs = [];
    for (let i = 0; i < 3; i++) jobs.push(await submit(cloud, say('late'), { shareIdentifier: 'late', schedulingPriorityOverride: 0 }));
    for (let i = 0; i < 6; i++)
      jobs.push(await submit(cloud, say('urgent'), { shareIdentifier: 'urgent1', schedulingPriorityOverride: 1 }));
    jobs.push(await submit(cloud, say('most urgent'), { shareIdentifier: 'urgent1', schedulingPriorityOverride: 2 }));
    writeFileSync(gate, '');
    for (const job of jobs) expect((await ended(cloud, job)).status).toBe('SUCCEEDED');
    const said = lines(file);
    expect(said.filter((each) => each !== 'late')[0]).toBe('most urgent');
    // The share that came first gets its turn among the other's, and is done after it.
    expect(said.indexOf('late')).toBeLessThan(said.lastIndexOf('urgent'));
    expect(said.lastIndexOf('urgent')).toBeLessThan(said.lastIndexOf('late'));
    expect(said).toHaveLength(10);
  });

  test('holds vCPUs back for shares that use none, where its policy says so', async () => {
    const cloud = await startBatch({ shares: { ComputeReservation: 50, ShareDecaySeconds: 600 } }, { vcpus: 4 });
    const submitted = (share: string) => submit(cloud, sleep(60_000), { shareIdentifier: share, schedulingPriorityOverride: 0 });
    const greedy = await Promise.all(Array.from({ length: 4 }, () => submitted('greedy')));
    const states = async (ids: string[]) => (await Promise.all(ids.map((id) => describeJob(cloud, id)))).map(({ status }) => status).sort();
    await expect.poll(() => states(greedy)).toEqual(['RUNNABLE', 'RUNNABLE', 'RUNNING', 'RUNNING']);
    const modest = await submitted('modest');
    await until(cloud, modest, 'RUNNING');
    // With two shares a quarter is held back: one vCPU, so that nobody gets the last.
    expect(await states(greedy)).toEqual(['RUNNABLE', 'RUNNABLE', 'RUNNING', 'RUNNING']);
  });

  test('without one is first in, first out, and nobody overtakes a job that needs much', async () => {
    const cloud = await startBatch({}, { vcpus: 2 });
    const file = join(newHome(), 'notes');
    const resourceRequirements = [{ type: 'VCPU', value: '2' }];
    const gate = join(newHome(), 'gate');
    const jobs = [await submit(cloud, untilThere(gate))];
    jobs.push(await submit(cloud, note(file, '"large"'), { containerOverrides: { resourceRequirements } }));
    jobs.push(await submit(cloud, note(file, '"small"')));
    const { frontOfQueue } = await callBatch<{ frontOfQueue: { jobs: { jobArn: string }[] } }>(cloud, 'GetJobQueueSnapshot', {
      jobQueue: 'queue',
    });
    expect(frontOfQueue.jobs.map(({ jobArn }) => jobArn.split('/')[1])).toEqual(jobs.slice(1));
    writeFileSync(gate, '');
    for (const job of jobs) await ended(cloud, job);
    expect(lines(file)).toEqual(['large', 'small']);
  });

  test('cancels a job that none of its machines can ever run, as it stands in the others’ way', async () => {
    const cloud = await startBatch({}, { vcpus: 2 });
    const resourceRequirements = [{ type: 'VCPU', value: '32' }];
    const huge = await submit(cloud, '0', { containerOverrides: { resourceRequirements } });
    const next = await submit(cloud, '0');
    expect(await ended(cloud, huge)).toMatchObject({
      status: 'FAILED',
      isCancelled: true,
      statusReason: expect.stringContaining('MAX_RESOURCE'),
    });
    expect((await ended(cloud, next)).status).toBe('SUCCEEDED');
  });

  test('waits while its compute environment is disabled', async () => {
    const cloud = await startBatch({}, { vcpus: 2 });
    await callBatch(cloud, 'UpdateComputeEnvironment', { computeEnvironment: 'fargate', state: 'DISABLED' });
    const id = await submit(cloud, '0');
    await until(cloud, id, 'RUNNABLE');
    expect((await describeJob(cloud, id)).status).toBe('RUNNABLE');
    await callBatch(cloud, 'UpdateComputeEnvironment', { computeEnvironment: 'fargate', state: 'ENABLED' });
    expect((await ended(cloud, id)).status).toBe('SUCCEEDED');
  });
});

describe('a spot machine', () => {
  const definition = {
    RetryStrategy: {
      Attempts: 10,
      EvaluateOnExit: [
        { OnStatusReason: 'Your Spot Task was interrupted*', Action: 'RETRY' },
        { OnReason: '*', Action: 'EXIT' },
      ],
    },
  };

  test('is taken away at moments that the seed decides; what ran on it is tried again, and a defect is not', async () => {
    const file = join(newHome(), 'notes');
    const work = `setTimeout(() => ${note(file, 'process.env.AWS_BATCH_JOB_ATTEMPT')}, 1000)`;
    // By this seed the first attempt is interrupted after 214 ms, the second after 397 and the third after 4063.
    const cloud = await startBatch({ spot: true, definition }, { vcpus: 2, spot: { seed: 23, perMinute: 60 } });
    const job = await ended(cloud, await submit(cloud, work));
    expect(job.attempts.slice(0, 2).map(({ statusReason }) => statusReason)).toEqual(Array(2).fill('Your Spot Task was interrupted.'));
    expect(lines(file)).toEqual([String(job.attempts.length)]);
    const calm = await startBatch({ spot: true, definition }, { vcpus: 2 });
    expect((await ended(calm, await submit(calm, fail(1)))).attempts).toHaveLength(1);
  });

  test('is taken away as often as is asked, whatever the job is called', () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0.1, max: 100, noNaN: true }), (seed, perMinute) => {
        const moments = Array.from({ length: 1600 }, (_, index) => interruptedAfter({ seed, perMinute }, 'job', index, 1));
        const mean = moments.reduce((sum, moment) => sum + moment, 0) / moments.length;
        // The mean of 1600 exponential moments is within eight of its standard deviations, a fortieth of it each: out of it once in 10^12.
        expect(Math.abs((mean * perMinute) / 60_000 - 1)).toBeLessThan(8 / 40);
        expect(interruptedAfter({ seed, perMinute }, 'job', 7, 1)).toBe(moments[7]);
      }),
      { numRuns: 10 },
    );
    expect(interruptedAfter({ seed: 1, perMinute: 0 }, 'job', undefined, 1)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('what AWS refuses is refused', () => {
  let cloud: RunningCloud;
  beforeAll(async () => {
    cloud = await startBatch();
  });

  test.each([
    ['a name with spaces', { jobName: 'a b' }],
    ['an array of one', { arrayProperties: { size: 1 } }],
    ['an array of 10,001', { arrayProperties: { size: 10_001 } }],
    ['eleven attempts', { retryStrategy: { attempts: 11 } }],
    ['a time limit under a minute', { timeout: { attemptDurationSeconds: 59 } }],
    ['a queue that is not there', { jobQueue: 'none' }],
    ['a definition that is not there', { jobDefinition: 'job:99' }],
    ['a share of a queue without shares', { shareIdentifier: 'a' }],
    ['a dependency on nothing', { dependsOn: [{ jobId: 'none' }] }],
  ])('%s', async (_, more) => {
    await expect(submit(cloud, '0', more)).rejects.toMatchObject({ name: 'ClientException' });
  });

  test('a disabled queue, and calls that are not there', async () => {
    await callBatch(cloud, 'UpdateJobQueue', { jobQueue: 'queue', state: 'DISABLED' });
    await expect(submit(cloud, '0')).rejects.toThrow('disabled');
    await expect(callBatch(cloud, 'CreateJobQueue', {})).rejects.toThrow('does not offer');
  });
});

test('a change of the template is a new revision, and jobs of the old one go on', async () => {
  const home = newHome();
  const first = await startBatch({}, {}, home);
  await first.close();
  const second = await startBatch({}, {}, home);
  await until(second, await submit(second, '0'), 'SUCCEEDED');
  await second.close();
  const third = await startBatch({ definition: { SchedulingPriority: 4 } }, {}, home);
  const { jobDefinitions } = await callBatch<{ jobDefinitions: { revision: number; status: string }[] }>(third, 'DescribeJobDefinitions', {
    jobDefinitionName: 'job',
  });
  expect(jobDefinitions.map(({ revision, status }) => [revision, status])).toEqual([
    [1, 'INACTIVE'],
    [2, 'ACTIVE'],
  ]);
});
