import { afterEach, expect, test } from 'vitest';
import { modelKeys } from '../../core/keys.ts';
import { environment } from '../../core/names.ts';
import { getJson } from '../../core/object-store.ts';
import type { ModelCard } from '../../core/registry/card.ts';
import type { Plan } from '../../core/search/plan.ts';
import { Laboratory } from './laboratory.ts';

afterEach(() => {
  delete process.env[environment.jobMemory];
  delete process.env[environment.lane];
});

/** Numbers, categories of few and of many values, dates and texts. */
function table(rows: number): string {
  const lines = Array.from({ length: rows }, (_, i) => {
    const [x, z] = [(i * 7919) % 997, (i * 104_729) % 89];
    const day = `20${10 + (i % 12)}-0${1 + (i % 9)}-1${i % 10}`;
    const note = `the ${['old', 'new', 'red'][i % 3]} thing of number ${i % 70} again`;
    return [
      x,
      i % 13 === 0 ? '' : z / 7,
      ['a', 'b', 'c', 'd'][z % 4],
      `shop ${(i * 31) % 200}`,
      day,
      note,
      x * z > 20_000 + 900 * (i % 5) ? 'yes' : 'no',
    ];
  });
  return ['x,z,letter,shop,day,note,y', ...lines.map((line) => line.join(','))].join('\n');
}

async function learned(spec: object, rows: number, memory?: string): Promise<Laboratory> {
  if (memory) process.env[environment.jobMemory] = memory;
  const lab = new Laboratory();
  await lab.rawData.put('raw/d/dataset.json', JSON.stringify(spec));
  await lab.prepare(await lab.upload('raw/d/data.csv', table(rows)));
  await lab.runAll();
  return lab;
}

test('a run that has memory for a few thousand values at a time leaves the same bytes as one that has it for all', {
  timeout: 240_000,
}, async () => {
  const spec = { families: ['boosting', 'linear'], folds: 2 };
  const whole = await (await learned(spec, 4000)).state();
  const little = await (await learned(spec, 4000, '1')).state();
  expect(Object.keys(little)).toEqual(Object.keys(whole));
  for (const [key, object] of Object.entries(whole)) expect(little[key], key).toEqual(object);
});

test('where no lane has the memory for all rows, as many are trained on as there is room for, and the run and the card say so', {
  timeout: 120_000,
}, async () => {
  process.env[environment.lane] = JSON.stringify({ pipelineMemory: 409 });
  const lab = await learned({ families: ['linear'] }, 40_000);
  const { run } = lab.queue.records[0]!;
  const plan = (await getJson<Plan>(lab.rawModels, modelKeys.plan(run)))!;
  const sentence = new RegExp(`Of 32000 rows to train on ${plan.sample!.rows} are taken`);
  expect(plan.sample).toMatchObject({ of: 32_000 });
  expect(plan.sample!.rows).toBeLessThan(32_000);
  expect(plan.shape!.rows).toBe(plan.sample!.rows);
  expect(plan.laneReason).toMatch(sentence);
  const card = (await getJson<ModelCard>(lab.rawModels, modelKeys.card('d', 1)))!;
  expect(card.data.sample).toMatchObject({ ...plan.sample, why: expect.stringMatching(sentence) });
});
