import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { modelKeys } from '../../core/keys.ts';
import { environment } from '../../core/names.ts';
import { getJson } from '../../core/object-store.ts';
import { Random } from '../../core/random.ts';
import type { Gate } from '../../core/registry/gate.ts';
import type { Plan } from '../../core/search/plan.ts';
import { plan } from '../../functions/plan.lambda.ts';
import { select } from '../../functions/select.lambda.ts';
import { batchEnvironment, FakeBatch } from '../functions/batch.ts';
import { Laboratory } from '../functions/laboratory.ts';
import { JobMachine } from './job-machine.ts';

/**
 * MB of the table and of each job's memory. A file that is larger than the memory (INGOT_LARGE_MB=1100 INGOT_LARGE_MEMORY=1024) takes some ten
 * minutes; here the floor of a process that has DuckDB in it allows no such ratio.
 */
const size = Number(process.env['INGOT_LARGE_MB'] ?? 12);
const memory = Number(process.env['INGOT_LARGE_MEMORY'] ?? 512);
const minutes = 3 + size / 20;

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

/** Sixty numbers at full length, and a class that follows from a few. */
async function writeTable(path: string, bytes: number): Promise<void> {
  const random = new Random(5);
  const out = createWriteStream(path);
  out.write(`${Array.from({ length: 60 }, (_, i) => `n${i}`).join(',')},y\n`);
  for (let written = 0; written < bytes; ) {
    const lines = Array.from({ length: 1000 }, () => {
      const x = Array.from({ length: 60 }, () => random.uniform() * 2 - 1);
      const signal = x[0]! - x[1]! + x[2]! * x[3]! + random.uniform() - 0.5;
      return `${x.map((value) => value.toFixed(15)).join(',')},${signal > 0.3 ? 'yes' : 'no'}\n`;
    }).join('');
    written += lines.length;
    if (!out.write(lines)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'close');
}

test('a file is cleaned, transformed and trained on by jobs that are killed where they hold more than their memory', {
  timeout: minutes * 60_000,
}, async ({ annotate }) => {
  const { data, models } = machine;
  const grids = { boosting: { nEstimators: [40], maxLeaves: [31] }, linear: { penalty: ['l2'], alpha: [0.001] } };
  await data.put('raw/d/dataset.json', JSON.stringify({ lane: 'lambda', families: ['boosting', 'linear'], folds: 2, grids }));
  await data.upload(file, 'raw/d/data.csv');
  const within = async (...work: Parameters<JobMachine['run']>) => {
    const { code, peak, said } = await machine.runWithin(memory, ...work);
    await annotate(`${work[0]}: ${Math.round(peak)} of ${memory} MB, for a file of ${Math.round(statSync(file).size / 1e6)} MB`);
    expect(code, said).toBe(0);
  };
  await within('Clean', { key: 'raw/d/data.csv', sequencer: '01', eventTime: '2026-11-25T08:00:00Z' });
  const { revision } = (await getJson<{ revision: string }>(data, 'clean/d/current.json'))!;
  await within('Transform', { dataset: 'd', revision });
  const event = { run: machine.started[0]!, dataset: 'd', revision };
  const { services } = new Laboratory();
  Object.assign(services, { data, models, jobs: async () => new FakeBatch() });
  let rung = 0;
  for (let next = await plan(event, services); next.trials.length > 0; next = await select(event, services))
    await within('Search', { ...event, rung: rung++, children: 1 });
  await within('Finish', event);
  const { sample } = (await getJson<Plan>(models, modelKeys.plan(event.run)))!;
  await annotate(`Trained on ${sample ? `${sample.rows} of ${sample.of}` : 'all'} rows.`);
  const { heldOut } = (await getJson<Gate>(models, modelKeys.gate(event.run)))!;
  expect(heldOut.scores.accuracy).toBeGreaterThan(0.8);
});
