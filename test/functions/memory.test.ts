import { afterEach, expect, test } from 'vitest';
import { margin } from '../../core/compute/batch.ts';
import { modelKeys } from '../../core/keys.ts';
import { environment } from '../../core/names.ts';
import { getJson } from '../../core/object-store.ts';
import type { ModelCard } from '../../core/registry/card.ts';
import { MemoryObjectStore } from '../../core/registry/memory-object-store.ts';
import type { Plan } from '../../core/search/plan.ts';
import { plan } from '../../functions/plan.lambda.ts';
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

async function prepared(spec: object, rows: number): Promise<Laboratory> {
  const lab = new Laboratory();
  await lab.rawData.put('raw/d/dataset.json', JSON.stringify(spec));
  await lab.prepare(await lab.upload('raw/d/data.csv', table(rows)));
  return lab;
}

const megabyte = 2 ** 20;

test.each([
  ['an automatic search', { families: ['linear'], folds: 2 }],
  [
    'a grid',
    {
      ...{ families: ['boosting', 'forest'], folds: 2 },
      grids: { boosting: { nEstimators: [12] }, forest: { nEstimators: [8], maxDepth: [6], minSamplesSplit: [2] } },
    },
  ],
])(
  '%s that has memory for a few thousand values at a time leaves the bytes of one that has it for all',
  { timeout: 240_000 },
  async (_, spec) => {
    const stateOf = async () => {
      const lab = await prepared(spec, 2600);
      await lab.runAll();
      return lab.state();
    };
    const whole = await stateOf();
    process.env[environment.jobMemory] = '1';
    const little = await stateOf();
    expect(Object.keys(little)).toEqual(Object.keys(whole));
    for (const [key, object] of Object.entries(whole)) expect(little[key], key).toEqual(object);
  },
);

test('where no lane has the memory for all rows, as many are trained on as there is room for, and the run and the card say so', async () => {
  const lab = await prepared({ families: ['linear'], folds: 2 }, 14_000);
  const { run, dataset, revision } = lab.queue.records[0]!;
  const elsewhere = new MemoryObjectStore();
  await plan({ run, dataset, revision }, { ...lab.services, models: elsewhere });
  const { estimate } = (await getJson<Plan>(elsewhere, modelKeys.plan(run)))!;
  process.env[environment.lane] = JSON.stringify({ pipelineMemory: (estimate!.memory * margin) / megabyte - 0.1 });
  await lab.runAll();
  const made = (await getJson<Plan>(lab.rawModels, modelKeys.plan(run)))!;
  expect(made.sample).toEqual({ rows: 10_080, of: 11_200 });
  expect(made.shape!.rows).toBe(10_080);
  const sentence = /Of 11200 rows to train on 10080 are taken/;
  expect(made.laneReason).toMatch(sentence);
  const card = (await getJson<ModelCard>(lab.rawModels, modelKeys.card('d', 1)))!;
  expect(card.data.sample).toEqual({ ...made.sample, why: expect.stringMatching(sentence) });
});
