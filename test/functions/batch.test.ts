import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { datasetSchema } from '../../core/api/schemas.ts';
import { dataKeys, modelKeys } from '../../core/keys.ts';
import { environment } from '../../core/names.ts';
import { getJson } from '../../core/object-store.ts';
import type { ModelCard } from '../../core/registry/card.ts';
import { type Fallback, getRun } from '../../core/registry/runs.ts';
import type { Plan, TrialResult } from '../../core/search/plan.ts';
import { createHandler } from '../../functions/api.lambda.ts';
import { clean } from '../../functions/clean.lambda.ts';
import { fail } from '../../functions/fail.lambda.ts';
import { plan } from '../../functions/plan.lambda.ts';
import { search } from '../../functions/search.lambda.ts';
import { select } from '../../functions/select.lambda.ts';
import { transform } from '../../functions/transform.lambda.ts';
import { apiEvent } from './api-event.ts';
import { batchEnvironment, FakeBatch } from './batch.ts';
import { Laboratory } from './laboratory.ts';

const spec = { folds: 2, grids: { forest: { nEstimators: [3], maxDepth: [null], minSamplesSplit: [2] } } };
const table = `x,colour,y\n${Array.from({ length: 60 }, (_, i) => `${(i * 37) % 101},${['red', 'blue', ''][i % 3]},${(i * 37) % 101 > 50}`).join('\n')}\n`;

let batch: FakeBatch;
let lab: Laboratory;

beforeEach(() => {
  process.env[environment.batch] = batchEnvironment;
  batch = new FakeBatch();
  lab = new Laboratory();
  lab.services.jobs = async () => batch;
});

afterEach(() => {
  for (const name of [environment.batch, environment.jobMemory, environment.jobStage]) delete process.env[name];
});

/** Uploads the table under a spec and makes its features. @returns the event of its run */
async function prepared(more: object = {}) {
  await lab.rawData.put('raw/d/dataset.json', JSON.stringify({ ...spec, ...more }));
  await lab.prepare(await lab.upload('raw/d/data.csv', table));
  const { run, dataset, revision } = lab.queue.records.at(-1)!;
  return { run, dataset, revision };
}

describe('a plan for Batch', () => {
  test('tells the state machine of the jobs, and the run of the lane', async () => {
    const event = await prepared({ lane: 'cpu', priority: 80 });
    const answer = await plan(event, lab.services);
    expect(answer.job).toEqual({
      queue: 'arn:fargate',
      definition: 'fargate-train',
      share: 'urgent',
      priority: 80,
      children: 2,
      search: {
        Environment: expect.arrayContaining([
          { Name: 'INGOT_JOB_STAGE', Value: 'Search' },
          { Name: 'INGOT_JOB_EVENT', Value: JSON.stringify({ ...event, rung: 0, children: 2 }) },
          { Name: 'INGOT_JOB_MEMORY', Value: '8192' },
        ]),
        ResourceRequirements: [
          { Type: 'VCPU', Value: '4' },
          { Type: 'MEMORY', Value: '8192' },
        ],
      },
      finish: expect.objectContaining({ Environment: expect.arrayContaining([{ Name: 'INGOT_JOB_STAGE', Value: 'Finish' }]) }),
      // As long as any execution may take: without a budget its own limit decides.
      searchSeconds: 72 * 3600,
      finishSeconds: 72 * 3600,
    });
    expect(await plan(event, lab.services)).toEqual(answer);
    expect(await getRun(lab.rawModels, lab.queue, event.run)).toMatchObject({ lane: { name: 'cpu', reason: 'dataset.json asks for it.' } });
  });

  test('of an automatic search is one of an array of jobs for each rung, and of one that finishes', async () => {
    const rows = Array.from({ length: 450 }, (_, i) => [
      ...Array.from({ length: 30 }, (_, k) => (i * (37 + k)) % 101),
      (i * 37) % 101 > 50,
    ]);
    const names = [...Array.from({ length: 30 }, (_, k) => `x${k}`), 'y'];
    await lab.rawData.put('raw/d/dataset.json', JSON.stringify({ lane: 'cpu', families: ['linear'] }));
    await lab.prepare(await lab.upload('raw/d/data.csv', [names, ...rows].map((row) => `${row.join(',')}\n`).join('')));
    const { run, dataset, revision } = lab.queue.records.at(-1)!;
    const event = { run, dataset, revision };
    let answer = await plan(event, lab.services);
    const { rungs } = (await getJson<Plan>(lab.rawModels, modelKeys.plan(run)))!;
    for (const rung of rungs!.keys()) {
      const [, asked] = answer.job!.search!.Environment;
      expect(JSON.parse(asked!.Value)).toEqual({ ...event, rung, children: Math.max(2, Math.min(8, answer.trials.length)) });
      expect(await plan(event, lab.services)).toEqual(answer);
      for (const trial of answer.trials) await search({ ...event, trial }, lab.services);
      answer = await select(event, lab.services);
    }
    expect(answer).toMatchObject({ trials: [], job: { queue: 'arn:fargate' } });
    expect(await select(event, lab.services)).toEqual(answer);
  });

  test('stays well below the 256 KB of state that Step Functions takes, and the 8,192 characters of overrides', async () => {
    const answer = await plan(await prepared({ lane: 'cpu', folds: 20 }), lab.services);
    expect(JSON.stringify(answer).length).toBeLessThan(16_384);
    expect(JSON.stringify(answer.job!.search).length).toBeLessThan(2048);
  });

  test('is one for functions where they can do the work: Batch is not asked', async () => {
    batch.trouble = new Error('asked');
    const event = await prepared();
    expect(await plan(event, lab.services)).not.toHaveProperty('job');
    expect(await getJson<Plan>(lab.rawModels, modelKeys.plan(event.run))).toMatchObject({
      lane: 'lambda',
      laneReason: expect.stringMatching(/^Functions can/),
    });
  });

  test.each([
    ['is switched off', () => (batch.state = { ...batch.state, trouble: 'The job queue is disabled: enable it in Batch.' }), /disabled/],
    ['does not answer', () => (batch.trouble = new Error('no connection')), /Batch does not answer/],
  ])('is refused with the reason where Batch is asked for and %s', async (_, happens, reason) => {
    const event = await prepared({ lane: 'cpu' });
    happens();
    await expect(plan(event, lab.services)).rejects.toThrow(reason);
  });
});

describe('a job that failed', () => {
  /** As Step Functions passes a job on. */
  const failed = (detail: object) => ({ Error: 'States.TaskFailed', Cause: JSON.stringify({ JobId: 'j-1', Status: 'FAILED', ...detail }) });
  const noImage = failed({ StatusReason: 'Task failed to start', Container: { Reason: 'CannotPullContainerError: not found' } });

  test('because Batch could not run it: functions take over where they can, and the run says why', async () => {
    const event = await prepared({ lane: 'cpu' });
    await plan(event, lab.services);
    const anew = await plan({ ...event, error: noImage }, lab.services);
    expect(anew).not.toHaveProperty('job');
    expect(anew.trials).toHaveLength(2);
    // Also whoever asks again, after a crash say.
    expect(await plan(event, lab.services)).toEqual(anew);
    const { lane, spent } = (await getRun(lab.rawModels, lab.queue, event.run))!;
    expect(lane).toEqual({
      name: 'lambda',
      reason: 'Batch could not run a job (j-1): CannotPullContainerError: not found. Functions have taken over.',
    });
    expect(spent!.dollars).toBeLessThan(0.001);
    await lab.stages(event);
    expect(await getRun(lab.rawModels, lab.queue, event.run)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await getJson<Fallback>(lab.rawModels, modelKeys.fallback(event.run))).toMatchObject({ lane: 'lambda' });
  });

  test.each([
    [noImage, /Batch could not run a job \(j-1\): CannotPull/, /"lane": "lambda"/],
    [failed({ StatusReason: 'Essential container in task exited', Container: { ExitCode: 137 } }), /memory was used up/, /fewer rows/],
    [failed({ StatusReason: 'Array Child Job failed', ArrayProperties: { Size: 2 } }), /memory was used up/, /fewer rows/],
    [failed({ StatusReason: 'Job attempt duration exceeded timeout' }), /did not finish in the time/, /ingot:runHours/],
    [{ Error: 'Batch.ClientException', Cause: 'JobDefinition not found: x' }, /JobDefinition not found/, /docs\/deploy\.md/],
  ])('ends the run with a sentence of what to do where functions cannot take over: %o', async (error, message, fix) => {
    const event = await prepared({ lane: 'cpu' });
    await plan(event, lab.services);
    const made = (await getJson<Plan>(lab.rawModels, modelKeys.plan(event.run)))!;
    await lab.rawModels.put(modelKeys.plan(event.run), JSON.stringify({ ...made, fallback: false }));
    const told: Error = await plan({ ...event, error }, lab.services).then(
      () => expect.fail('functions took over'),
      (refused: Error) => refused,
    );
    await fail(
      { ...event, error: { Error: told.name, Cause: JSON.stringify({ errorType: told.name, errorMessage: told.message }) } },
      lab.services,
    );
    expect((await getRun(lab.rawModels, lab.queue, event.run))!.error).toEqual({
      code: 'Unavailable',
      message: expect.stringMatching(message),
      fix: expect.stringMatching(fix),
    });
  });

  test('by an error of its own is not tried on functions: the run ends with what the job said', async () => {
    const event = await prepared({ lane: 'cpu' });
    await plan(event, lab.services);
    const said = { code: 'NotFound', message: 'The features are not there.', fix: 'Upload it again.', stage: 'Search' };
    await lab.rawModels.put(modelKeys.jobFailure(event.run), JSON.stringify(said));
    const error = failed({ StatusReason: 'Essential container in task exited', Container: { ExitCode: 1 } });
    await expect(plan({ ...event, error }, lab.services)).rejects.toMatchObject({ name: 'NotFound', message: JSON.stringify(said) });
  });
});

describe('a budget in minutes', () => {
  const timeout = { Error: 'States.Timeout' };
  const limited = () => prepared({ lane: 'cpu', priority: 5, budget: { minutes: 30 } });
  const waiting = {
    name: 'd-search',
    status: 'RUNNABLE',
    share: 'whenever',
    vcpus: 4,
    busyVcpus: 64,
    maxVcpus: 64,
    before: undefined,
    trouble: undefined,
    statusReason: undefined,
  };

  test('ends the wait for jobs, and functions, which never wait, finish the model where they can', async () => {
    const { job } = await plan(await limited(), lab.services);
    expect(job).not.toHaveProperty('finish');
    expect(job!.searchSeconds).toBeGreaterThan(60);
    expect(job!.searchSeconds).toBeLessThan(30 * 60);
  });

  test('over while all jobs wait, ends them and the run, which says why they waited and what to do', async () => {
    const event = await limited();
    await plan(event, lab.services);
    batch.jobs = [waiting];
    await expect(plan({ ...event, error: timeout }, lab.services)).rejects.toMatchObject({
      told: {
        code: 'Unavailable',
        stage: 'Search',
        message: expect.stringMatching(
          /^The time that the budget leaves was over while a job waited: All 64 vCPUs that the queue may have are in use/,
        ),
        where: 'dataset.json, field budget',
        fix: expect.stringMatching(/more minutes.*priority.*lambda/),
      },
    });
    expect(batch.stopped).toEqual([`${event.run}-`]);
  });

  test('over while some wait, ends these, and the run goes on with what the others found', async () => {
    const event = await limited();
    const { trials } = await plan(event, lab.services);
    await search({ ...event, trial: trials[0]! }, lab.services);
    batch.jobs = [waiting];
    const anew = await plan({ ...event, error: timeout }, lab.services);
    expect(anew).not.toHaveProperty('job');
    expect(batch.stopped).toEqual([`${event.run}-`]);
    await lab.stages(event);
    expect(await getRun(lab.rawModels, lab.queue, event.run)).toMatchObject({
      status: 'SUCCEEDED',
      lane: { name: 'lambda', reason: expect.stringMatching(/was over while a job waited.*Functions have taken over/) },
    });
    const card = await getJson<ModelCard>(lab.rawModels, modelKeys.card('d', 1));
    expect(card!.budget!.leftOut).toContain('1 of 2 trials stopped before all their candidates were tried: the time was over.');
    expect(card!.reproduce.unless).toMatch(/the clock ends/);
  });

  test('over while some wait, where functions cannot finish: no other search is waited for, and what finishes has the minutes that are left', async () => {
    const event = await limited();
    const { trials } = await plan(event, lab.services);
    const made = (await getJson<Plan>(lab.rawModels, modelKeys.plan(event.run)))!;
    await lab.rawModels.put(modelKeys.plan(event.run), JSON.stringify({ ...made, fallback: false }));
    await search({ ...event, trial: trials[0]! }, lab.services);
    const anew = await plan({ ...event, error: timeout }, lab.services);
    expect(anew.job).not.toHaveProperty('search');
    expect(anew.job).toMatchObject({ finish: expect.any(Object), finishSeconds: expect.any(Number) });
    expect(anew.job!.finishSeconds).toBeLessThan(30 * 60);
    expect((await select(event, lab.services)).trials).toEqual([]);
    await expect(plan({ ...event, error: timeout }, lab.services)).rejects.toMatchObject({ told: { code: 'Unavailable', stage: 'Fit' } });
  });

  test('without one, a time-out is the deployment’s', async () => {
    const event = await prepared({ lane: 'cpu' });
    await plan(event, lab.services);
    expect(await plan({ ...event, error: timeout }, lab.services)).not.toHaveProperty('job');
    expect(batch.stopped).toEqual([]);
  });
});

test.each([
  ['a function, which has fifteen minutes, is ended before these are over', undefined, true],
  ['a job is not, while the budget lasts', 'Search', undefined],
])('a trial on %s', async (_, stage, stopped) => {
  const event = await prepared({ lane: 'cpu', budget: { minutes: 120 }, search: 'auto', grids: undefined, families: ['linear'] });
  const [trial] = (await plan(event, lab.services)).trials;
  if (stage) process.env[environment.jobStage] = stage;
  let calls = 0;
  const sevenMinutesACall = () => 7 * 60_000 * calls++;
  const clock = vi.spyOn(performance, 'now').mockImplementation(sevenMinutesACall);
  await search({ ...event, trial: trial! }, lab.services);
  clock.mockRestore();
  const found = await getJson<TrialResult>(lab.rawModels, modelKeys.trial(event.run, trial!));
  expect(found!.stopped).toBe(stopped);
});

describe('an upload', () => {
  const big = `x,y\n${Array.from({ length: 200_000 }, (_, i) => `${(i * 7919) % 1009},${i % 2 ? 'yes' : 'no'}`).join('\n')}\n`;

  test('of more than the threshold is cleaned by a job, that is told of it and its priority', async () => {
    await lab.rawData.put('raw/d/dataset.json', JSON.stringify({ priority: 10 }));
    await lab.prepare(await lab.upload('raw/d/data.csv', big));
    expect(batch.submitted).toEqual([
      {
        name: 'd-clean',
        queue: 'arn:fargate',
        definition: 'fargate-prepare',
        priority: 10,
        stage: 'Clean',
        event: expect.objectContaining({ key: 'raw/d/data.csv' }),
        size: { machines: 'fargate', vcpus: 4, memory: 8192 },
        mayGrow: true,
      },
    ]);
    expect(await getJson(lab.rawData, dataKeys.current('d'))).toMatchObject({ status: 'CLEANING' });
  });

  test('that waits for its job, or whose job failed without a word, says why', async () => {
    await lab.prepare(await lab.upload('raw/d/data.csv', big));
    const later = new Date(lab.services.now().getTime() + 60_000);
    const api = createHandler(() => ({ ...lab.services, now: () => later, presign: async () => '' }));
    const dataset = async () => JSON.parse((await api(apiEvent('GET', '/datasets/d'))).body);
    const job = { name: 'd-clean', status: 'RUNNABLE', vcpus: 4, busyVcpus: 64, maxVcpus: 64 };
    batch.jobs = [job];
    expect(datasetSchema.parse(await dataset())).toMatchObject({ status: 'CLEANING', waiting: expect.stringMatching(/^All 64 vCPUs/) });
    batch.jobs = [];
    batch.failures['d-clean'] = 'OutOfMemoryError: Container killed due to memory usage';
    expect(datasetSchema.parse(await dataset())).toMatchObject({
      status: 'CLEANING',
      error: { message: expect.stringMatching(/OutOfMemory/), fix: expect.any(String) },
    });
  });

  test('is cleaned by the function where Batch does not take the job', async () => {
    batch.trouble = new Error('no connection');
    await lab.prepare(await lab.upload('raw/d/data.csv', big));
    expect(await getJson(lab.rawData, dataKeys.current('d'))).toMatchObject({ status: 'READY' });
  });

  const outOfMemory = new Error('Out of Memory Error: could not allocate block of size 256.0 KiB (1.4 GiB/1.4 GiB used)');
  const outOfDisk = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });

  test.each([outOfMemory, outOfDisk])(
    'goes on in a job of twice the memory where that of the function was too small: %s',
    async (error) => {
      process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'] = '10240';
      lab.services.data.download = () => Promise.reject(error);
      await clean(await lab.upload('raw/d/data.csv', table), lab.services);
      delete process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'];
      expect(batch.submitted).toMatchObject([{ name: 'd-clean', stage: 'Clean', size: { memory: 26 * 1024 } }]);
      expect(await getJson(lab.rawData, dataKeys.current('d'))).toMatchObject({ status: 'CLEANING' });
    },
  );

  test('that has used up the memory of its job is rejected where there is no larger one, and else left to that', async () => {
    delete process.env[environment.batch];
    process.env[environment.jobStage] = 'Clean';
    process.env[environment.jobMayGrow] = 'yes';
    lab.services.data.download = () => Promise.reject(outOfMemory);
    const event = await lab.upload('raw/d/data.csv', table);
    await expect(clean(event, lab.services)).rejects.toThrow('Out of Memory');
    expect(await getJson(lab.rawData, dataKeys.current('d'))).toMatchObject({ status: 'CLEANING' });
    delete process.env[environment.jobMayGrow];
    await clean(event, lab.services);
    const error = { code: 'UnreadableDataset', message: expect.stringMatching(/^The table is too large for the memory/) };
    expect(await getJson(lab.rawData, dataKeys.current('d'))).toMatchObject({ status: 'REJECTED', error });
  });

  test('whose features take more than the memory of a function is transformed by a job', async () => {
    await clean(await lab.upload('raw/d/data.csv', table), lab.services);
    const { revision } = (await getJson<{ revision: string }>(lab.rawData, dataKeys.current('d')))!;
    process.env[environment.jobMemory] = '0.001';
    await transform(lab.eventOf(dataKeys.report('d', revision)), lab.services);
    expect(batch.submitted).toMatchObject([{ name: 'd-transform', stage: 'Transform', event: { dataset: 'd', revision } }]);
    expect(lab.queue.records).toEqual([]);
  });
});
