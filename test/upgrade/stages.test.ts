/** An upgrade may come between any two steps of what the first release was about: what it had prepared is neither learned from nor lost without a word. */
import { rmSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { dataKeys, modelKeys } from '../../core/keys.ts';
import { version } from '../../core/names.ts';
import { getDataset } from '../../core/registry/datasets.ts';
import { clean } from '../../functions/clean.lambda.ts';
import { transform } from '../../functions/transform.lambda.ts';
import { Laboratory } from '../functions/laboratory.ts';
import { firstRelease, type LeftObject, objectsIn } from './first-release.ts';

let left: LeftObject[];
beforeAll(async () => {
  const { home } = firstRelease();
  left = await objectsIn(home);
  rmSync(home, { recursive: true });
});

const dataset = 'cells';

/** The dataset's run, begun with what the first release left but for some. */
async function begun(isGone: (key: string) => boolean): Promise<{ lab: Laboratory; run: string; revision: string }> {
  const lab = new Laboratory();
  for (const { bucket, key, body } of left) if (!isGone(key)) await (bucket === 'DataBucket' ? lab.rawData : lab.rawModels).put(key, body);
  const origin = left.find(({ key }) => key.startsWith(`clean/${dataset}/`) && key.endsWith('origin.json'))!;
  const record = left.find(({ key }) => key.startsWith(`runs/${dataset}-`) && key.endsWith('run.json'))!;
  const { revision } = JSON.parse(origin.body.toString()) as { revision: string };
  const { run } = JSON.parse(record.body.toString()) as { run: string };
  return { lab, run, revision };
}

const prepared = { code: 'Conflict', message: `The dataset 'cells' was prepared by Ingot 0.1.0, and this is ${version}.` };
const failureOf = async ({ lab, run }: { lab: Laboratory; run: string }) => {
  const failure = await lab.rawModels.get(modelKeys.failure(run));
  return failure && (JSON.parse(new TextDecoder().decode(failure.body)) as object);
};

/** What a stage and those after it leave, models too. Select is not among them: to rank what the trials found is right still. */
const leftBy = {
  Plan: /^runs\/.*\/(?!run\.json)/,
  Search: /^runs\/.*\/(trials\/forest-2|leaderboard|fit|model|optimised|gate|registered|released)/,
  Fit: /^runs\/.*\/(fit|model|optimised|gate|registered|released)/,
  Optimise: /^runs\/.*\/(model|optimised|gate|registered|released)/,
  Gate: /^runs\/.*\/(gate|registered|released)/,
  Register: /^runs\/.*\/(registered|released)/,
};

describe('a run that was under way', () => {
  test.each(Object.entries(leftBy))('up to %s registers nothing, and says what to do', async (at, gone) => {
    const found = await begun((key) => gone.test(key) || key.startsWith('models/'));
    const { lab, run, revision } = found;
    await lab.services.executions.start({ run, dataset, revision, createdAt: '2026-11-25T08:00:00Z' });
    await lab.runAll();
    expect(await failureOf(found)).toMatchObject({ ...prepared, stage: at, fix: expect.stringContaining('Upload its file again') });
    expect(lab.messages[0]!.message).toContain(prepared.message);
    expect(await lab.rawModels.head(modelKeys.card(dataset, 1))).toBeUndefined();
  });

  test('up to its release is released: its version was whole', async () => {
    const found = await begun((key) => /^runs\/.*\/released|^models\/.*\/aliases\//.test(key));
    const { lab, run, revision } = found;
    await lab.services.executions.start({ run, dataset, revision, createdAt: '2026-11-25T08:00:00Z' });
    await lab.runAll();
    expect(await failureOf(found)).toBeUndefined();
    const answer = await lab.ask('POST', '/predict', { input_data: [Array(30).fill(1)], model: dataset });
    expect(answer.statusCode).toBe(200);
  });
});

describe('what was being prepared', () => {
  const report = async ({ lab, revision }: { lab: Laboratory; revision: string }) => lab.eventOf(dataKeys.report(dataset, revision));
  const pointerOf = async (lab: Laboratory) => (await getDataset(lab.rawData, dataset))!;

  test('cleaned: the dataset says that its file is to be uploaded again, and then it is learned', async () => {
    const { lab, revision } = await begun((key) => /^(features|runs|models)\//.test(key));
    await transform(await report({ lab, revision }), lab.services);
    expect(lab.queue.records).toEqual([]);
    expect(await pointerOf(lab)).toMatchObject({
      status: 'REJECTED',
      error: { ...prepared, fix: expect.stringContaining('Upload its file again') },
    });
    await clean(lab.eventOf(`raw/${dataset}/cells.csv`), lab.services);
    const again = (await pointerOf(lab)).revision!;
    expect(again).not.toBe(revision);
    await transform(await report({ lab, revision: again }), lab.services);
    await lab.runAll();
    expect(await lab.rawModels.head(modelKeys.card(dataset, 1))).toBeDefined();
  });

  test('features without a run: the run says it', async () => {
    const found = await begun((key) => /^(runs|models)\//.test(key));
    await transform(await report(found), found.lab.services);
    await found.lab.runAll();
    expect(found.lab.queue.records.map(({ run }) => run)).toEqual([found.run]);
    expect(await failureOf(found)).toMatchObject({ ...prepared, stage: 'Plan' });
  });

  test('an event that comes twice, the second time after the upgrade, changes nothing', async () => {
    const found = await begun(() => false);
    const { lab } = found;
    const before = await lab.state();
    await transform(await report(found), lab.services);
    await lab.runAll();
    const after = await lab.state();
    delete after[modelKeys.source(found.run)];
    expect(after).toEqual(before);
  });
});
