import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { modelKeys } from '../../core/keys.ts';
import { families } from '../../core/models/families.ts';
import { getJson } from '../../core/object-store.ts';
import type { ModelCard } from '../../core/registry/card.ts';
import { getRun } from '../../core/registry/runs.ts';
import { familyNames } from '../../core/spec.ts';
import { Laboratory } from './laboratory.ts';

const example = (path: string) => readFileSync(resolve(import.meta.dirname, '../../examples', path), 'utf8');

test('a spec may ask for every family that there is', () => {
  expect([...familyNames].sort()).toEqual(families.map(({ name }) => name).sort());
});

const forest = { nEstimators: [20], maxDepth: [null], minSamplesSplit: [2] };

test.each([
  ['breast-cancer.csv', 'breast-cancer/breast-cancer.csv', 'accuracy', 0.93],
  ['auto-mpg.jsonl', 'auto-mpg/auto-mpg.jsonl', 'r2', 0.75],
] as const)('%s with all families, and with one alone: from file to a model that answers', async (file, path, metric, least) => {
  for (const asked of [familyNames, ['linear'], ['svm'], ['extraTrees'], ['network']] as const) {
    const lab = new Laboratory();
    await lab.rawData.put('raw/d/dataset.json', JSON.stringify({ families: asked, folds: 3, grids: { forest, extraTrees: forest } }));
    await lab.prepare(await lab.upload(`raw/d/${file}`, example(path)));
    await lab.runAll();
    expect(await getRun(lab.rawModels, lab.queue, lab.queue.records[0]!.run)).toMatchObject({ status: 'SUCCEEDED' });
    const card = (await getJson<ModelCard>(lab.rawModels, modelKeys.card('d', 1)))!;
    expect(new Set(card.leaderboard.entries.map(({ family }) => family))).toEqual(new Set(asked));
    expect(card.heldOut.scores[metric]).toBeGreaterThan(least);
    expect(card.parity.testRows).toBe(card.heldOut.rows);
  }
});
