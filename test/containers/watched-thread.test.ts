import { EventEmitter } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Told, watchThread } from '../../containers/train/watched-thread.ts';
import type { FoundAnswers } from '../../core/answers/find-answers.ts';
import { hangsAfter } from '../../core/compute/clock.ts';
import { modelKeys } from '../../core/keys.ts';
import { linear } from '../../core/models/linear/linear.ts';
import { environment } from '../../core/names.ts';
import { getJson, putJson } from '../../core/object-store.ts';
import type { ModelCard } from '../../core/registry/card.ts';
import type { Candidate, Leaderboard, Plan, TrialResult } from '../../core/search/plan.ts';
import { type Fit, fit } from '../../functions/fit.lambda.ts';
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

describe('a watched thread', () => {
  test('that loops for ever is ended, with the piece of work that it was at', { timeout: 30_000 }, async () => {
    const looping = thread(`tell({ begun: 'a' }); tell({ begun: 'b' }); for (;;);`);
    expect(await watchThread(looping, 300, noInterrupt)).toEqual({
      piece: 'b',
      why: 'It was ended after 0 seconds, as it did not come to its end.',
    });
    expect(looping.threadId).toBe(-1);
  });

  test('has the time that each piece asks for, or else the usual', async () => {
    vi.useFakeTimers();
    try {
      const telling = Object.assign(new EventEmitter(), { terminate: async () => 0, postMessage: () => undefined });
      let found: object | undefined;
      const watched = watchThread(telling as unknown as Worker, 1000, noInterrupt).then((ended) => {
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
      expect(found).toMatchObject({ piece: 'b' });
    } finally {
      vi.useRealTimers();
    }
  });

  test('that fails says how', async () => {
    const told = { code: 'NotFound', message: 'The features are not there.', fix: 'Upload it again.', stage: 'Search' };
    await expect(watchThread(thread(`tell({ failed: ${JSON.stringify(told)} })`), undefined, noInterrupt)).rejects.toMatchObject({ told });
    await expect(watchThread(thread('throw new TypeError("broken")'), undefined, noInterrupt)).rejects.toThrow('broken');
    await expect(watchThread(thread('process.exit(3)'), undefined, noInterrupt)).rejects.toThrow('code 3');
  });

  test('keeps what is under way when the machine is about to be taken away', async () => {
    let keep = async () => {};
    const program = `tell({ begun: 'a' }); parentPort.on('message', (heard) => tell(heard === 'interrupt' ? { kept: true } : { done: true }));`;
    const working = thread(program);
    const watched = watchThread(working, undefined, (own) => {
      keep = own;
    });
    await keep();
    working.postMessage('end');
    expect(await watched).toBeUndefined();
  });
});

test('a trial or a fit hangs when it takes many times what its whole run was to take', () => {
  const seconds = (high: number) => ({ estimate: { seconds: { low: 1, point: 1, high } } }) as Plan;
  expect(hangsAfter(seconds(10))).toBe(15 * 60_000);
  expect(hangsAfter(seconds(3600))).toBe(3 * 3600_000);
  expect(hangsAfter({} as Plan)).toBeUndefined();
});

test('of an automatic search, what a trial has kept counts although it was ended', async () => {
  const lab = new Laboratory();
  const rows = Array.from({ length: 300 }, (_, i) => `${(i * 37) % 101},${(i * 53) % 97},${(i * 7919) % 13 < 6}`);
  await lab.rawData.put('raw/d/dataset.json', JSON.stringify({ families: ['linear'], folds: 2 }));
  await lab.prepare(await lab.upload('raw/d/data.csv', `a,b,y\n${rows.join('\n')}\n`));
  const { run, dataset, revision } = lab.queue.records[0]!;
  const event = { run, dataset, revision };
  const [trial] = (await plan(event, lab.services)).trials;
  const { candidates } = (await getJson<Plan>(lab.rawModels, modelKeys.plan(run)))!.trials[0]!;
  const { fit: fitLine } = linear;
  const hanging = Promise.withResolvers<void>();
  let fits = 0;
  vi.spyOn(linear, 'fit').mockImplementation((...of) => {
    if (++fits < candidates!.length) return fitLine(...of);
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

test('a fit does without what was ended before: the next best candidate, and a model without answers', { timeout: 60_000 }, async () => {
  const lab = new Laboratory();
  const rows = Array.from({ length: 300 }, (_, i) => `${(i * 37) % 101},${(i * 53) % 97},${(i * 7919) % 13 < 6}`);
  const spec = { folds: 2, families: ['linear'], grids: { linear: { penalty: ['l2'], alpha: [0.01, 1] } } };
  await lab.rawData.put('raw/d/dataset.json', JSON.stringify(spec));
  await lab.prepare(await lab.upload('raw/d/data.csv', `a,b,y\n${rows.join('\n')}\n`));
  const { run, dataset, revision } = lab.queue.records[0]!;
  const event = { run, dataset, revision };
  for (const trial of (await plan(event, lab.services)).trials) await search({ ...event, trial }, lab.services);
  await select(event, lab.services);
  const [best, next] = (await getJson<Leaderboard>(lab.rawModels, modelKeys.leaderboard(run)))!.entries.map(({ candidate }) => candidate);
  const begun: string[] = [];
  const services = { ...lab.services, begin: (piece: string) => void begun.push(piece) };
  const [why, whyNot] = ['It was ended after 20 minutes.', 'Its memory was used up.'];

  await expect(fit({ ...event, ended: { [best!]: why, [next!]: whyNot } }, services)).rejects.toMatchObject({ told: { message: why } });
  await fit({ ...event, ended: { [best!]: why, answers: whyNot } }, services);
  expect(begun).toEqual([String(next)]);
  expect(await getJson<Fit>(lab.rawModels, modelKeys.fit(run))).toMatchObject({
    candidate: next,
    passedOver: [{ candidates: [best], message: why }],
  });
  expect(await getJson<FoundAnswers>(lab.rawModels, modelKeys.answers(run))).toMatchObject({
    skipped: `There is no calibration, threshold, set or interval. ${whyNot}`,
  });
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
  let event: { run: string; dataset: string; revision: string };
  const { services } = new Laboratory();
  const patience = { more: { [environment.trialSeconds]: '12' } };
  const message = 'It was ended after 12 seconds, as it did not come to its end.';

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
    event = { run: machine.started[0]!, dataset: 'd', revision };
    Object.assign(services, { data: machine.data, models: machine.models, jobs: async () => new FakeBatch() });
    await plan(event, services);

    expect(await machine.run('Search', { ...event, rung: 0, children: 1 }, patience)).toBe(0);
    const { trials, candidates } = (await getJson<Plan>(machine.models, modelKeys.plan(event.run)))!;
    const machines = candidates.filter(({ family }) => family === 'svm').map(({ id }) => id);
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

  test('a fit on all rows that hangs is passed over, and the next best is fitted', { timeout: 240_000 }, async () => {
    const { trials, candidates } = (await getJson<Plan>(machine.models, modelKeys.plan(event.run)))!;
    const [{ id: best }] = candidates.filter(({ family }) => family === 'svm') as [Candidate];
    // As if the machine had come to its end on the folds, and were the best.
    for (const { id: trial, family, fold } of trials) {
      const scores = [{ candidate: best, scores: { logLoss: 0.01, accuracy: 1 } }];
      const result: TrialResult = { trial, fold, seconds: 1, scores };
      if (family === 'svm') await putJson(machine.models, modelKeys.trial(event.run, trial), result);
    }
    for (const key of [modelKeys.leaderboard, modelKeys.answers, modelKeys.fitted, modelKeys.fit, modelKeys.optimised, modelKeys.gate])
      await machine.models.delete(key(event.run));
    await select(event, services);
    expect(await getJson<Leaderboard>(machine.models, modelKeys.leaderboard(event.run))).toMatchObject({ best });
    expect(await machine.run('Finish', event, patience)).toBe(0);
    expect(await getJson<Fit>(machine.models, modelKeys.fit(event.run))).toMatchObject({
      family: 'linear',
      passedOver: [{ candidates: [best], message }],
    });
  });
});
