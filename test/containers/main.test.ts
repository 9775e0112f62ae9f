import { setTimeout as delay } from 'node:timers/promises';
import { deserialize } from 'node:v8';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { modelKeys } from '../../core/keys.ts';
import { environment } from '../../core/names.ts';
import { getJson, needBytes } from '../../core/object-store.ts';
import type { Plan, TrialResult } from '../../core/search/plan.ts';
import { plan } from '../../functions/plan.lambda.ts';
import { select } from '../../functions/select.lambda.ts';
import { batchEnvironment, FakeBatch } from '../functions/batch.ts';
import { Laboratory } from '../functions/laboratory.ts';
import { exitOf, JobMachine } from './job-machine.ts';

/** Its fit takes some seconds. */
const rounds = 4000;
const spec = {
  ...{ folds: 4, lane: 'cpu', families: ['boosting'] },
  grids: { boosting: { nEstimators: [rounds], learningRate: [0.01], maxLeaves: [7], minSamplesLeaf: [5] } },
};
/** Noisy, so that there is something to learn in every round. */
const rowOf = (i: number) => `${(i * 37) % 101},${(i * 53) % 97},${(i * 37) % 101 > 50 !== (i * 7919) % 13 < 3}`;
const table = `a,b,y\n${Array.from({ length: 2000 }, (_, i) => rowOf(i)).join('\n')}\n`;

/** The jobs of one dataset. */
describe('the job of each stage', () => {
  let machine: JobMachine;
  let event: { run: string; dataset: string; revision: string };

  beforeAll(async () => {
    machine = await JobMachine.start();
    await machine.data.put('raw/d/data.csv', table);
    await machine.data.put('raw/d/dataset.json', JSON.stringify(spec));
    process.env[environment.batch] = batchEnvironment;
  });

  afterAll(async () => {
    delete process.env[environment.batch];
    await machine.stop();
  });

  const namesUnder = async (prefix: string) => {
    const found: string[] = [];
    for await (const { key } of machine.models.list(prefix)) found.push(key.split('/').at(-1)!);
    return found;
  };
  const trials = () => namesUnder(modelKeys.trials(event.run));

  test('an upload is cleaned, and its features are made and its run started', async () => {
    const source = { key: 'raw/d/data.csv', sequencer: '01', eventTime: '2026-11-25T08:00:00Z' };
    expect(await machine.run('Clean', source)).toBe(0);
    const { revision, status } = (await getJson<{ revision: string; status: string }>(machine.data, 'clean/d/current.json'))!;
    expect(status).toBe('CLEAN');
    expect(await machine.run('Transform', { dataset: 'd', revision })).toBe(0);
    expect(machine.started).toEqual([expect.stringMatching(/^d-/)]);
    event = { run: machine.started[0]!, dataset: 'd', revision };
  });

  test('a child of the search does its slice of the trials, and those that are done not again', async () => {
    const { services } = new Laboratory();
    Object.assign(services, { data: machine.data, models: machine.models, jobs: async () => new FakeBatch() });
    await plan(event, services);
    const { trials: planned } = (await getJson<Plan>(machine.models, modelKeys.plan(event.run)))!;
    expect(await machine.run('Search', { ...event, rung: 0, children: 2 }, { index: 1 })).toBe(0);
    expect(await trials()).toEqual([planned[1]!, planned[3]!].map(({ id }) => `${id}.json`));
    const first = await getJson<TrialResult>(machine.models, modelKeys.trial(event.run, planned[1]!.id));
    expect(await machine.run('Search', { ...event, rung: 0, children: 1 })).toBe(0);
    expect(await trials()).toHaveLength(4);
    expect(await getJson<TrialResult>(machine.models, modelKeys.trial(event.run, planned[1]!.id))).toEqual(first);
    await select(event, services);
  });

  test('a machine that is taken away ends with the code of its signal, and the next attempt goes on from the trees that it has', {
    timeout: 240_000,
  }, async () => {
    const more = { [environment.checkpointSeconds]: '0.02' };
    const parts = () => namesUnder(modelKeys.checkpoints(event.run, 'fit/0'));
    const child = machine.job('Finish', event, { more });
    const exit = exitOf(child);
    while ((await parts()).length === 0 && child.exitCode === null) await delay(5);
    child.kill('SIGTERM');
    expect(await exit).toBe(143);
    expect(await machine.models.head(modelKeys.fitted(event.run))).toBeUndefined();
    const kept = await Promise.all(
      (await parts()).map((_, part) => needBytes(machine.models, modelKeys.checkpoint(event.run, 'fit/0', part))),
    );
    const count = kept.reduce((sum, bytes) => sum + (deserialize(bytes) as { pieces: unknown[] }).pieces.length, 0);
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(rounds);

    expect(await machine.run('Finish', event, { more })).toBe(0);
    for (const key of [modelKeys.fit, modelKeys.optimised, modelKeys.gate]) expect(await machine.models.head(key(event.run))).toBeDefined();
    // Of no more use, they are gone.
    expect(await namesUnder(modelKeys.checkpoints(event.run, ''))).toEqual([]);

    const resumed = await needBytes(machine.models, modelKeys.fitted(event.run));
    for (const key of [modelKeys.fitted(event.run), modelKeys.fit(event.run)]) await machine.models.delete(key);
    expect(await machine.run('Finish', event)).toBe(0);
    expect(Buffer.compare(await needBytes(machine.models, modelKeys.fitted(event.run)), resumed)).toBe(0);
  });

  test('an error is told where Plan finds it, with its stage, and ends with 1, which is not retried', async () => {
    const nobody = { ...event, run: 'nobody' };
    expect(await machine.run('Finish', nobody)).toBe(1);
    expect(await getJson(machine.models, modelKeys.jobFailure('nobody'))).toMatchObject({
      code: 'NotFound',
      stage: 'Fit',
      fix: expect.any(String),
    });
  });
});
