import { EventEmitter } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Told, watchSlice } from '../../containers/train/search-slice.ts';
import { hangsAfter } from '../../core/compute/clock.ts';
import { modelKeys } from '../../core/keys.ts';
import { linear } from '../../core/models/linear/linear.ts';
import { environment } from '../../core/names.ts';
import { getJson } from '../../core/object-store.ts';
import type { ModelCard } from '../../core/registry/card.ts';
import type { Leaderboard, Plan, TrialResult } from '../../core/search/plan.ts';
import { plan } from '../../functions/plan.lambda.ts';
import { register } from '../../functions/register.lambda.ts';
import { search } from '../../functions/search.lambda.ts';
import { select } from '../../functions/select.lambda.ts';
import { batchEnvironment, FakeBatch } from '../functions/batch.ts';
import { Laboratory } from '../functions/laboratory.ts';
import { JobMachine } from './job-machine.ts';

/** A thread that runs a program, in which `tell` tells the one that watches it. */
const thread = (program: string) =>
  new Worker(`const { parentPort } = require('node:worker_threads'); const tell = (told) => parentPort.postMessage(told); ${program}`, {
    eval: true,
  });
const noInterrupt = () => undefined;

describe('a thread of trials', () => {
  test('that loops for ever is ended, with the trial that it was at', { timeout: 30_000 }, async () => {
    const looping = thread(`tell({ begun: 'a' }); tell({ begun: 'b' }); for (;;);`);
    expect(await watchSlice(looping, 300, noInterrupt)).toEqual({
      trial: 'b',
      why: 'It was ended after 0 seconds, as it did not come to its end.',
    });
    expect(looping.threadId).toBe(-1);
  });

  test('has the time that each trial asks for, or else the usual', async () => {
    vi.useFakeTimers();
    try {
      const telling = Object.assign(new EventEmitter(), { terminate: async () => 0, postMessage: () => undefined });
      let found: object | undefined;
      const watched = watchSlice(telling as unknown as Worker, 1000, noInterrupt).then((ended) => {
        found = ended;
      });
      const tellAfter = async (milliseconds: number, told: Told) => {
        await vi.advanceTimersByTimeAsync(milliseconds);
        expect(found).toBeUndefined();
        telling.emit('message', told);
      };
      await tellAfter(5000, { begun: 'a' });
      await tellAfter(900, { begun: 'b' });
      await tellAfter(900, { within: 60_000 });
      await tellAfter(59_000, { within: undefined });
      await vi.advanceTimersByTimeAsync(1000);
      await watched;
      expect(found).toMatchObject({ trial: 'b' });
    } finally {
      vi.useRealTimers();
    }
  });

  test('that fails says how', async () => {
    const told = { code: 'NotFound', message: 'The features are not there.', fix: 'Upload it again.', stage: 'Search' };
    await expect(watchSlice(thread(`tell({ failed: ${JSON.stringify(told)} })`), undefined, noInterrupt)).rejects.toMatchObject({ told });
    await expect(watchSlice(thread('throw new TypeError("broken")'), undefined, noInterrupt)).rejects.toThrow('broken');
    await expect(watchSlice(thread('process.exit(3)'), undefined, noInterrupt)).rejects.toThrow('code 3');
  });

  test('keeps what is under way when the machine is about to be taken away', async () => {
    let keep = async () => {};
    const program = `tell({ begun: 'a' }); parentPort.on('message', (heard) => tell(heard === 'interrupt' ? { kept: true } : { done: true }));`;
    const working = thread(program);
    const watched = watchSlice(working, undefined, (own) => {
      keep = own;
    });
    await keep();
    working.postMessage('end');
    expect(await watched).toBeUndefined();
  });
});

test('a trial hangs when it takes many times what its whole run was to take', () => {
  const seconds = (high: number) => ({ estimate: { seconds: { low: 1, point: 1, high } } }) as Plan;
  expect(hangsAfter(seconds(10))).toBe(15 * 60_000);
  expect(hangsAfter(seconds(3600))).toBe(3 * 3600_000);
  expect(hangsAfter({} as Plan)).toBeUndefined();
});

test('of an automatic search, what a trial has kept counts although it was ended', { timeout: 60_000 }, async () => {
  const lab = new Laboratory();
  const rows = Array.from({ length: 300 }, (_, i) => `${(i * 37) % 101},${(i * 53) % 97},${(i * 7919) % 13 < 6}`);
  await lab.rawData.put('raw/d/dataset.json', JSON.stringify({ families: ['linear'], folds: 2 }));
  await lab.prepare(await lab.upload('raw/d/data.csv', `a,b,y\n${rows.join('\n')}\n`));
  const { run, dataset, revision } = lab.queue.records[0]!;
  const event = { run, dataset, revision };
  const [trial] = (await plan(event, lab.services)).trials;
  const { candidates } = (await getJson<Plan>(lab.rawModels, modelKeys.plan(run)))!.trials[0]!;
  const { fit } = linear;
  const hanging = Promise.withResolvers<void>();
  let fits = 0;
  vi.spyOn(linear, 'fit').mockImplementation((...of) => {
    if (++fits < candidates!.length) return fit(...of);
    hanging.resolve();
    return new Promise(() => undefined);
  });
  void search({ ...event, trial }, lab.services);
  await hanging.promise;
  await search({ ...event, trial, ended: 'It was ended.' }, lab.services);
  vi.restoreAllMocks();
  const { scores, failed, stopped } = (await getJson<TrialResult>(lab.rawModels, modelKeys.trial(run, trial!)))!;
  expect(scores.map(({ candidate }) => candidate)).toEqual(candidates!.slice(0, -1));
  expect({ failed, stopped }).toEqual({ failed: [{ candidates: candidates!.slice(-1), message: 'It was ended.' }], stopped: undefined });
});

test('the time of a trial is looked at when its rows have been read: DuckDB cannot be ended half-way', { timeout: 60_000 }, async () => {
  const lab = new Laboratory();
  const rows = Array.from({ length: 100 }, (_, i) => `${(i * 37) % 101},${(i * 7919) % 13 < 6}`);
  const spec = { families: ['linear'], folds: 2, budget: { minutes: 60 } };
  await lab.rawData.put('raw/d/dataset.json', JSON.stringify(spec));
  await lab.prepare(await lab.upload('raw/d/data.csv', `a,y\n${rows.join('\n')}\n`));
  const { run, dataset, revision } = lab.queue.records[0]!;
  const event = { run, dataset, revision };
  const [trial] = (await plan(event, lab.services)).trials;
  const seen: string[] = [];
  const read = lab.rawData.download.bind(lab.rawData);
  vi.spyOn(lab.rawData, 'download').mockImplementation(async (key, path) => {
    const found = await read(key, path);
    seen.push('read');
    return found;
  });
  const endBy = () => {
    seen.push('watched');
    return () => void seen.push('released');
  };
  await search({ ...event, trial }, { ...lab.services, endBy });
  vi.restoreAllMocks();
  expect(seen).toEqual(['read', 'watched', 'released']);
});

/** A machine that is to be exact beyond what a float64 can be does not come to its end. */
const endless = { kernel: ['rbf'], C: [1], tol: [Number.MIN_VALUE], maxIter: [100_000_000] };
const line = { penalty: ['l2'], alpha: [0.01] };

describe('in a job', () => {
  let machine: JobMachine;

  beforeAll(async () => {
    machine = await JobMachine.start();
    process.env[environment.batch] = batchEnvironment;
  });

  afterAll(async () => {
    delete process.env[environment.batch];
    await machine.stop();
  });

  test('trials that hang are failed ones, with a sentence, and the others of the slice go on to a model', {
    timeout: 240_000,
  }, async () => {
    const rows = Array.from({ length: 1200 }, (_, i) => `${(i * 37) % 101},${(i * 53) % 97},${(i * 7919) % 13 < 6}`);
    const spec = { folds: 2, lane: 'cpu', families: ['svm', 'linear'], grids: { svm: endless, linear: line } };
    await machine.data.put('raw/d/data.csv', `a,b,y\n${rows.join('\n')}\n`);
    await machine.data.put('raw/d/dataset.json', JSON.stringify(spec));
    await machine.run('Clean', { key: 'raw/d/data.csv', sequencer: '01', eventTime: '2026-11-25T08:00:00Z' });
    const { revision } = (await getJson<{ revision: string }>(machine.data, 'clean/d/current.json'))!;
    await machine.run('Transform', { dataset: 'd', revision });
    const event = { run: machine.started[0]!, dataset: 'd', revision };
    const { services } = new Laboratory();
    Object.assign(services, { data: machine.data, models: machine.models, jobs: async () => new FakeBatch() });
    await plan(event, services);

    const more = { [environment.trialSeconds]: '12' };
    expect(await machine.run('Search', { ...event, rung: 0, children: 1 }, { more })).toBe(0);
    const { trials, candidates } = (await getJson<Plan>(machine.models, modelKeys.plan(event.run)))!;
    const machines = candidates.filter(({ family }) => family === 'svm').map(({ id }) => id);
    const message = 'It was ended after 12 seconds, as it did not come to its end.';
    for (const { id, family } of trials) {
      const result = await getJson<TrialResult>(machine.models, modelKeys.trial(event.run, id));
      if (family === 'svm') expect(result).toMatchObject({ scores: [], failed: [{ candidates: machines, message }] });
      else expect(result!.failed).toBeUndefined();
    }
    await select(event, services);
    const board = (await getJson<Leaderboard>(machine.models, modelKeys.leaderboard(event.run)))!;
    expect(board.failed).toEqual([{ candidates: machines, message }]);
    expect(await machine.run('Finish', event)).toBe(0);
    await register(event, services);
    expect(await getJson<ModelCard>(machine.models, modelKeys.card('d', 1))).toMatchObject({ family: 'linear' });
  });
});
