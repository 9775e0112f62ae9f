import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defaultLane } from '../../core/compute/lane.ts';
import { modelKeys } from '../../core/keys.ts';
import { environment } from '../../core/names.ts';
import { getJson } from '../../core/object-store.ts';
import { Random } from '../../core/random.ts';
import type { ModelCard } from '../../core/registry/card.ts';
import { plan } from '../../functions/plan.lambda.ts';
import { createPredict } from '../../functions/predict.lambda.ts';
import { select } from '../../functions/select.lambda.ts';
import { apiEvent } from '../functions/api-event.ts';
import { batchEnvironment, FakeBatch } from '../functions/batch.ts';
import { Laboratory } from '../functions/laboratory.ts';
import { type Held, JobMachine } from './job-machine.ts';

/** MB of the table and of each job's memory: a file that is larger than it. docs/scale.md tells what it takes. */
const size = Number(process.env['INGOT_LARGE_MB'] ?? 660);
const memory = Number(process.env['INGOT_LARGE_MEMORY'] ?? 640);
/** Of the functions that only decide, in a deployment that says nothing else. */
const { controlMemory } = defaultLane;
const minutes = 6 + size / 20;

const directory = mkdtempSync(join(tmpdir(), 'ingot-large-'));
const file = join(directory, 'data.csv');
let machine: JobMachine;

beforeAll(async () => {
  await writeTable(file, size * 1e6);
  machine = await JobMachine.start();
  process.env[environment.batch] = batchEnvironment;
  process.env[environment.lane] = JSON.stringify({ pipelineMemory: memory });
}, minutes * 60_000);

afterAll(async () => {
  delete process.env[environment.batch];
  delete process.env[environment.lane];
  await machine.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** Numbers at full length, drawn from many so that writing them does not take longer than all the rest, and a class that follows from a few. */
const width = 20;
const numbers = 2 ** 18;

async function writeTable(path: string, bytes: number): Promise<void> {
  const random = new Random(5);
  const values = Float64Array.from({ length: numbers }, () => random.uniform() * 2 - 1);
  const texts = Array.from(values, (value) => value.toFixed(15));
  const out = createWriteStream(path);
  out.write(`${names.join(',')},y\n`);
  for (let written = 0; written < bytes; ) {
    const lines = Array.from({ length: 1000 }, () => {
      const drawn = names.map(() => random.below(numbers));
      const [a, b, c, d] = drawn.map((number) => values[number]!) as [number, number, number, number];
      const signal = a - b + c * d + random.uniform() - 0.5;
      return `${drawn.map((number) => texts[number]!).join(',')},${signal > 0.3 ? 'yes' : 'no'}\n`;
    }).join('');
    written += lines.length;
    if (!out.write(lines)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'close');
}

const names = Array.from({ length: width }, (_, i) => `n${i}`);

test('a file is cleaned, transformed, trained on and released by processes that are killed where they hold more than their memory', {
  timeout: minutes * 60_000,
}, async ({ annotate }) => {
  const { data, models } = machine;
  const megabytes = Math.round(statSync(file).size / 1e6);
  expect(megabytes).toBeGreaterThanOrEqual(memory);
  await data.put('raw/d/dataset.json', JSON.stringify({ lane: 'lambda', budget: { minutes: 1 } }));
  await data.upload(file, 'raw/d/data.csv');
  const held = async (what: string, most: number, work: Promise<Held>) => {
    const { code, peak, said } = await work;
    await annotate(`${what}: ${Math.round(peak)} of ${most} MB, for a file of ${megabytes} MB`);
    expect(code, said).toBe(0);
  };
  const job = (...work: Parameters<JobMachine['run']>) => held(work[0], memory, machine.runWithin(memory, ...work));
  const call = (name: string) => held(name, controlMemory, machine.callWithin(controlMemory, name, event));
  await job('Clean', { key: 'raw/d/data.csv', sequencer: '01', eventTime: '2026-11-25T08:00:00Z' });
  const { revision } = (await getJson<{ revision: string }>(data, 'clean/d/current.json'))!;
  await job('Transform', { dataset: 'd', revision });
  const event = { run: machine.started[0]!, dataset: 'd', revision };
  const { services } = new Laboratory();
  Object.assign(services, { data, models, jobs: async () => new FakeBatch(), now: () => new Date() });
  let rung = 0;
  for (let next = await plan(event, services); next.trials.length > 0; next = await select(event, services))
    await job('Search', { ...event, rung: rung++, children: 1 });
  await job('Finish', event);
  await call('register');
  await call('release');

  const card = (await getJson<ModelCard>(models, modelKeys.card('d', 1)))!;
  const told = [card.data.sample!.why, ...card.ensemble!.why].join(' ');
  await annotate(told);
  expect(told).toMatch(
    /there is not the memory\..* candidates \(.*svm.*\) are left out: of so many rows they take more memory than there is\./,
  );
  expect(card.heldOut.scores.accuracy).toBeGreaterThan(0.7);
  const predict = createPredict({ models: async () => models, emit: () => undefined });
  const row = { ...Object.fromEntries(names.map((name) => [name, 0])), n0: 0.9, n1: -0.9 };
  const asked = [row, { ...row, n0: -0.9, n1: 0.9 }];
  const { statusCode, body } = await predict(apiEvent('POST', '/models/d/predict', { rows: asked }));
  expect(statusCode, body).toBe(200);
  expect(JSON.parse(body)).toMatchObject({ version: 1, predictions: [{ label: 'yes' }, { label: 'no' }] });
});
