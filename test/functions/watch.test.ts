import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { overridesOf } from '../../aws/container-overrides.ts';
import { environment } from '../../core/names.ts';
import { watch } from '../../functions/watch.lambda.ts';
import { Metrics, takeEmbedded } from '../../local/observe/metrics.ts';
import { newHome } from '../local/assembly.ts';
import { FakeBatch } from './batch.ts';

const arn = (queue: string) => `arn:aws:batch:eu-west-1:111122223333:job-queue/${queue}`;
const queues = { fargate: { queue: arn('small'), train: 't', prepare: 'p' }, ec2: { queue: arn('large'), train: 't', prepare: 'p' } };
const now = new Date('2026-11-25T08:10:00Z');
const tick = { source: 'aws.events', 'detail-type': 'Scheduled Event', time: now.toISOString(), detail: {} };
const change = (status: string, more: object = {}) => ({
  source: 'aws.batch',
  'detail-type': 'Batch Job State Change',
  detail: { jobId: 'j', jobName: 'd-clean', jobQueue: arn('small'), status, attempts: [], ...more },
});
const attempt = (statusReason: string) => ({ attempts: [{ statusReason, startedAt: 1, container: {} }] });

let batch: FakeBatch;
let metrics: Metrics;
let switched: string[];

beforeEach(() => {
  process.env[environment.batch] = JSON.stringify({ maxVcpus: 64, uploadMegabytes: 1, queues });
  batch = new FakeBatch();
  metrics = new Metrics(newHome(), now.getTime());
  switched = [];
});
afterAll(() => {
  delete process.env[environment.batch];
});

const happen = (event: object) =>
  watch(event, {
    jobs: async () => batch,
    now: () => now,
    clock: { on: async () => void switched.push('on'), off: async () => void switched.push('off') },
    emit: (line) => takeEmbedded(line, metrics),
  });
const sum = (name: string, queue = 'small') =>
  metrics.find('Ingot', name, [{ Name: 'JobQueue', Value: queue }])?.statistic('Sum', now.getTime(), now.getTime() + 1);

describe('the clock', () => {
  test.each(['PENDING', 'RUNNABLE'])('is switched on by a job that is %s, and the queues are looked at at once', async (status) => {
    batch.looks[arn('small')] = { waiting: 2, oldest: new Date('2026-11-25T08:07:30Z'), running: 3, open: 4 };
    await happen(change(status));
    expect(switched).toEqual(['on']);
    expect(['JobsWaiting', 'OldestJobWaiting', 'JobsRunning'].map((name) => sum(name))).toEqual([2, 150, 3]);
    expect(['JobsWaiting', 'OldestJobWaiting', 'JobsRunning'].map((name) => sum(name, 'large'))).toEqual([0, 0, 0]);
  });

  test('is left alone by the children of an array, and by what ends', async () => {
    await happen(change('RUNNABLE', { arrayProperties: { size: 8, index: 3 } }));
    await happen(change('SUCCEEDED'));
    expect(switched).toEqual([]);
    expect(sum('JobsWaiting')).toBeUndefined();
  });

  test('goes on while a job is open, one that waits for another too', async () => {
    batch.looks[arn('large')] = { waiting: 0, running: 0, open: 1 };
    await happen(tick);
    expect(switched).toEqual([]);
    expect(sum('JobsWaiting', 'large')).toBe(0);
  });

  test('stops when no job is open', async () => {
    await happen(tick);
    expect(switched).toEqual(['off']);
  });

  test('goes on where a job came while it was being switched off', async () => {
    let looks = 0;
    batch.look = async () => ({ waiting: 0, running: 0, open: looks++ < 2 ? 0 : 1 });
    await happen(tick);
    expect(switched).toEqual(['off', 'on']);
  });
});

describe('jobs are counted', () => {
  test('as they end, arrays by their children', async () => {
    await happen(change('SUCCEEDED'));
    await happen(change('SUCCEEDED', { arrayProperties: { size: 2, index: 0 } }));
    await happen(change('FAILED', { arrayProperties: { size: 2, index: 1 }, ...attempt('Essential container in task exited') }));
    await happen(change('FAILED', { arrayProperties: { size: 2, statusSummary: { FAILED: 1 } } }));
    expect([sum('JobsSucceeded'), sum('JobsFailed'), sum('JobsInterrupted')]).toEqual([2, 1, undefined]);
  });

  test.each([
    ['that run when their run is cancelled', { isTerminated: true, isCancelled: false, statusReason: 'Execution was aborted' }],
    ['that still wait then', { isTerminated: true, isCancelled: true, statusReason: "The 30 minutes of the run's budget are over." }],
    ['of an array', { isTerminated: true, arrayProperties: { size: 2, index: 0 }, ...attempt('Essential container in task exited') }],
  ])('as failed not where they are stopped: those %s', async (_, how) => {
    await happen(change('FAILED', how));
    expect(sum('JobsFailed')).toBeUndefined();
  });

  test('as failed where the queue has cancelled them, as nothing can ever run them', async () => {
    const statusReason = 'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job asks for more than there is';
    await happen(change('FAILED', { isCancelled: true, isTerminated: false, statusReason }));
    expect(sum('JobsFailed')).toBe(1);
  });

  test.each(['Host EC2 (instance i-0123) terminated.', 'Your Spot Task was interrupted.'])('as interrupted: %s', async (reason) => {
    await happen(change('RUNNABLE', attempt(reason)));
    await happen(change('RUNNABLE', { ...attempt(reason), arrayProperties: { size: 8, index: 3 } }));
    await happen(
      change('SUCCEEDED', { attempts: [...attempt(reason).attempts, ...attempt('Essential container in task exited').attempts] }),
    );
    expect(sum('JobsInterrupted')).toBe(2);
  });
});

describe('a job that prepares a table and has used up its memory', () => {
  const event = { key: 'raw/d/d.csv', sequencer: '01', eventTime: '2026-11-25T08:00:00Z' };
  const usedUp = (memory: number, more: object = {}, container: object = {}) => {
    const { Environment } = overridesOf('Clean', event, { machines: 'fargate', vcpus: 4, memory }, true);
    const told = Environment.map(({ Name: name, Value: value }) => ({ name, value }));
    const reason = 'OutOfMemoryError: Container killed due to memory usage';
    const ended = {
      statusReason: 'Essential container in task exited',
      container: { exitCode: 137, reason, environment: told, ...container },
    };
    return change('FAILED', { schedulingPriority: 80, ...ended, ...more });
  };

  test('is followed by a larger one, again and again, up to the largest that there is, and is no failure', async () => {
    for (const memory of [8192, 16_384, 32_768, 65_536, 131_072, 262_144]) await happen(usedUp(memory));
    for (const next of batch.submitted) expect(next).toMatchObject({ name: 'd-clean', stage: 'Clean', event, priority: 80 });
    expect(batch.submitted.map(({ queue, size, mayGrow }) => [queue, size.vcpus, Math.floor(size.memory / 1024), mayGrow])).toEqual([
      [arn('small'), 4, 16, true],
      [arn('small'), 8, 32, true],
      [arn('small'), 16, 64, true],
      [arn('large'), 17, 128, true],
      [arn('large'), 34, 256, true],
      [arn('large'), 64, 492, false],
    ]);
    expect(sum('JobsFailed')).toBeUndefined();
  });

  test.each([
    ['by its own words', { exitCode: 137, reason: undefined }],
    ["by V8's", { exitCode: 134, reason: undefined }],
  ])('is known %s too', async (_, container) => {
    await happen(usedUp(8192, {}, container));
    expect(batch.submitted).toHaveLength(1);
  });

  test.each([
    ['failed for another reason', {}, { exitCode: 1, reason: undefined }],
    ['is told that there is no larger one', {}, { environment: [] }],
    ['was ended when its time was over', { statusReason: 'Job attempt duration exceeded timeout' }, { reason: undefined }],
    ['lost its last spot machine', attempt('Your Spot Task was interrupted.'), { reason: undefined }],
  ])('is another than one that %s', async (_, more, container) => {
    await happen(usedUp(8192, more, container));
    expect(batch.submitted).toEqual([]);
    expect(sum('JobsFailed')).toBe(1);
  });
});

test('an event of anything else is a defect, not a silence', async () => {
  await expect(happen({ source: 'aws.s3' })).rejects.toThrow();
});
