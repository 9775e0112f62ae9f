import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { datasetSchema, predictionsSchema } from '../../core/api/schemas.ts';
import { dataKeys, modelKeys } from '../../core/keys.ts';
import { forest } from '../../core/models/forest/forest.ts';
import type { Params } from '../../core/models/model.ts';
import { getJson } from '../../core/object-store.ts';
import type { Alias } from '../../core/registry/aliases.ts';
import type { ModelCard } from '../../core/registry/card.ts';
import type { DatasetPointer } from '../../core/registry/datasets.ts';
import type { MemoryObjectStore } from '../../core/registry/memory-object-store.ts';
import { getRun } from '../../core/registry/runs.ts';
import { parseSpec } from '../../core/spec.ts';
import type { CleanReport } from '../../core/table/report.ts';
import { createHandler } from '../../functions/api.lambda.ts';
import { clean } from '../../functions/clean.lambda.ts';
import { personalSecret } from '../../functions/shared/secret.ts';
import { transform } from '../../functions/transform.lambda.ts';
import { apiEvent } from './api-event.ts';
import { Laboratory } from './laboratory.ts';

const cancer = readFileSync(resolve(import.meta.dirname, '../../examples/breast-cancer/breast-cancer.csv'), 'utf8');

/** A dataset that is learned in a moment, under a spec with a small grid; another seed, other rows. */
const spec = JSON.stringify({ folds: 2, grids: { forest: { nEstimators: [5], maxDepth: [null], minSamplesSplit: [2, 10] } } });
const table = (seed: number) =>
  `x,colour,y\n${Array.from({ length: 80 }, (_, i) => `${(i * (seed + 36)) % 101},${['red', 'blue'][i % 2]},${(i * (seed + 36)) % 101 > 50 ? 'large' : 'small'}`).join('\n')}\n`;

const pointer = (lab: Laboratory, dataset = 'd') => getJson<DatasetPointer>(lab.rawData, dataKeys.current(dataset));
const live = (lab: Laboratory, model = 'd') => getJson<Alias>(lab.rawModels, modelKeys.alias(model, 'live'));

/** A laboratory with a small grid for the dataset `d`. */
async function small(): Promise<Laboratory> {
  const lab = new Laboratory();
  await lab.rawData.put('raw/d/dataset.json', spec);
  return lab;
}

describe('a file becomes a model that answers', () => {
  const lab = new Laboratory();
  let card: ModelCard;
  beforeAll(async () => {
    await lab.prepare(await lab.upload('raw/cancer/breast-cancer.csv', cancer));
    await lab.runAll();
    card = (await getJson<ModelCard>(lab.rawModels, modelKeys.card('cancer', 1)))!;
  });

  test('the dataset is ready, its report counts every row', async () => {
    const { status, revision } = (await pointer(lab, 'cancer'))!;
    expect(status).toBe('READY');
    const { rows } = (await getJson<CleanReport>(lab.rawData, dataKeys.report('cancer', revision!)))!;
    expect(rows).toMatchObject({ read: 569, kept: 569 });
  });

  test('the run has gone through every stage', async () => {
    const [record] = lab.queue.records;
    const run = await getRun(lab.rawModels, lab.queue, record!.run);
    expect(run).toMatchObject({ status: 'SUCCEEDED', stage: 'Release', progress: 1, model: { name: 'cancer', version: 1, live: true } });
    expect(run!.id).toMatch(/^cancer-[0-9a-f]{12}$/);
    expect(lab.counted).toMatchObject({ DatasetsCleaned: 1, RowsRead: 569, RunsSucceeded: 1 });
  });

  test('the card has all candidates, where each stopped, and what the model is made of and worth', () => {
    const { entries } = card.leaderboard;
    expect(new Set(entries.map(({ family }) => family)).size).toBeGreaterThan(2);
    for (const { mean, std, rung } of entries)
      expect([mean.logLoss, std.logLoss, rung]).toEqual([expect.any(Number), expect.any(Number), expect.any(Number)]);
    const { members, score, best, why } = card.ensemble!;
    for (const { candidate, weight } of members) {
      expect(entries.map((entry) => entry.candidate)).toContain(candidate);
      expect(weight).toBeGreaterThan(0);
    }
    expect(score).toBeLessThanOrEqual(best!);
    expect(why.length).toBeGreaterThan(0);
    const { points, member } = card.learningCurves.trainingSizes!;
    const { candidate, family } = members.reduce((most, each) => (each.weight > most.weight ? each : most));
    expect(member).toEqual({ candidate, family });
    expect(points.map(({ rows }) => rows / points.at(-1)!.rows)).toEqual([1 / 8, 1 / 4, 1 / 2, 1].map((share) => expect.closeTo(share, 2)));
    expect(points.at(-1)!.score).toBeCloseTo(entries.find((entry) => entry.candidate === candidate)!.perFold[0]!, 6);
    expect(card.heldOut.scores.accuracy).toBeGreaterThan(0.93);
    expect(card.heldOut.confusion!.flat().reduce((sum, count) => sum + count)).toBe(card.heldOut.rows);
    expect(card.parity.testRows).toBe(card.heldOut.rows);
    expect(card.parity.edgeRows).toBeGreaterThan(100);
  });

  test('the API answers the rows of the file', async () => {
    const [header, ...lines] = cancer.trimEnd().split('\n');
    const answer = await lab.ask('POST', '/models/cancer/predict', [header, ...lines].join('\n'), { 'content-type': 'text/csv' });
    expect(answer.statusCode).toBe(200);
    const { version, predictions } = JSON.parse(answer.body) as { version: number; predictions: { label: unknown }[] };
    expect(version).toBe(1);
    const right = predictions.filter(({ label }, i) => String(label) === lines[i]!.trimEnd().split(',').at(-1));
    expect(right.length / lines.length).toBeGreaterThan(0.97);
  });
});

describe('answers that can be relied on', () => {
  const examples = resolve(import.meta.dirname, '../../examples');
  const learn = async (file: string, spec: object) => {
    const lab = new Laboratory();
    await lab.rawData.put('raw/d/dataset.json', JSON.stringify(spec));
    await lab.prepare(await lab.upload(`raw/d/${basename(file)}`, readFileSync(`${examples}/${file}`)));
    await lab.runAll();
    return { lab, card: (await getJson<ModelCard>(lab.rawModels, modelKeys.card('d', 1)))! };
  };
  const ask = async (lab: Laboratory, path: string, body: unknown) => JSON.parse((await lab.ask('POST', path, body)).body);
  const rowOf = (card: ModelCard, number: number) =>
    Object.fromEntries(card.inputs.map(({ name, type }) => [name, type === 'number' ? number : null]));

  test.each([
    ['forest', { nEstimators: [20] }],
    ['boosting', { nEstimators: [20], maxLeaves: [7] }],
    ['linear', { penalty: ['l2'], alpha: [0.01] }],
  ])('%s: a value comes with its interval, and with what each column added to it', async (family, grid) => {
    const { lab, card } = await learn('auto-mpg/auto-mpg.jsonl', { families: [family], grids: { [family]: grid } });
    expect(card.heldOut.coverage!.measured).toBeGreaterThan(0.8);
    expect(card.answers.coverage).toBe(0.9);
    const rows = [rowOf(card, 80), rowOf(card, 3000)];
    const { predictions } = await ask(lab, '/models/d/predict?explain=true', { rows });
    for (const { value, interval, contributions, base, raw } of predictions) {
      expect(interval[0]).toBeLessThan(value);
      expect(interval[1]).toBeGreaterThan(value);
      const sum = Object.values(contributions as Record<string, number>).reduce((a, b) => a + b, base);
      expect(raw).toEqual({ is: 'value', value: expect.closeTo(value, 3) });
      expect(sum).toBeCloseTo(raw.value, 8);
      expect(Object.keys(contributions)).toEqual(card.inputs.map(({ name }) => name));
    }
    const inputs = card.inputs.map(({ name, type }) => ({
      name,
      shape: [1],
      datatype: type === 'number' ? 'FP32' : 'BYTES',
      data: [type === 'number' ? 80 : null],
    }));
    const { outputs } = await ask(lab, '/v2/models/d/infer', { inputs });
    expect(outputs.map(({ name, shape }: { name: string; shape: number[] }) => [name, shape])).toEqual([
      ['value', [1, 1]],
      ['interval', [1, 2]],
    ]);
    expect(outputs[1].data).toEqual(predictions[0].interval);
  });

  test('a label comes with the classes that are likely enough, and is decided by the metric', async () => {
    const { lab, card } = await learn('penguins/penguins.csv', {
      target: 'Species',
      coverage: 0.99,
      classWeights: 'balanced',
      metric: 'balancedAccuracy',
      grids: { forest: { nEstimators: [20] } },
    });
    expect(card.answers).toMatchObject({ coverage: 0.99, classWeights: 'balanced', outOfFold: { before: {}, after: {} } });
    // A bird as there are many: one like none of them may have an empty set.
    const bird = { ...rowOf(card, 190), 'Culmen Length (mm)': 39.1, 'Culmen Depth (mm)': 18.7, 'Body Mass (g)': 3750, Island: 'Torgersen' };
    const row = Object.fromEntries(
      card.inputs.map(({ name }) => [name, { ...bird, 'Delta 13 C (o/oo)': null, 'Delta 15 N (o/oo)': null }[name] ?? null]),
    );
    const { predictions } = await ask(lab, '/models/d/predict?explain=true', { rows: [row] });
    const [{ label, set, contributions, base, raw }] = predictions;
    expect(set).toContain(label);
    expect(raw).toMatchObject({ is: 'probability', class: label });
    expect(Object.values(contributions as Record<string, number>).reduce((a, b) => a + b, base)).toBeCloseTo(raw.value, 8);
    expect(predictionsSchema.parse({ model: 'd', version: 1, predictions }).predictions[0]).toEqual(predictions[0]);
    const { outputs } = JSON.parse((await lab.ask('GET', '/v2/models/d')).body);
    expect(outputs).toContainEqual({ name: 'set', datatype: 'BOOL', shape: [-1, 3] });
  });

  test('the card has what a page draws and what makes the version again', async () => {
    const { card } = await learn('breast-cancer/breast-cancer.csv', { folds: 3, grids: { forest: { nEstimators: [10, 20] } } });
    const { heldOut, learningCurves, reproduce, answers } = card;
    const [low, high] = heldOut.intervals!.accuracy!;
    expect(low).toBeLessThanOrEqual(heldOut.scores.accuracy!);
    expect(high).toBeGreaterThanOrEqual(heldOut.scores.accuracy!);
    const [curve] = heldOut.curves!;
    expect([curve!.roc[0], curve!.roc.at(-1)]).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(curve!.calibration.reduce((sum, { rows }) => sum + rows, 0)).toBe(heldOut.rows);
    expect(heldOut.importance!.columns).toHaveLength(card.inputs.length);
    expect(heldOut.dependence![0]!.column).toBe(heldOut.importance!.columns[0]!.column);
    expect(learningCurves.trainingSizes!.points.at(-1)!.rows).toBeGreaterThan(learningCurves.trainingSizes!.points[0]!.rows);
    expect(learningCurves.iterations!.points.at(-1)![0]).toBe(card.params['nEstimators']);
    expect(answers.outOfFold!.after.logLoss).toBeLessThanOrEqual(answers.outOfFold!.before.logLoss!);
    const again = new Laboratory();
    await again.rawData.put('raw/d/dataset.json', JSON.stringify(reproduce.chosen));
    await again.prepare(await again.upload('raw/d/breast-cancer.csv', cancer));
    await again.runAll();
    const second = (await getJson<ModelCard>(again.rawModels, modelKeys.card('d', 1)))!;
    expect(second.heldOut).toEqual(heldOut);
    expect(parseSpec(JSON.stringify(reproduce.chosen))).toEqual(reproduce.chosen);
  });

  test.each([
    ['a grid', { folds: 3, grids: { forest: { nEstimators: [10, 20] } } }],
    ['a mixture', { families: ['linear'] }],
  ])('what the card of %s says makes the same graph again, to the byte', async (_, spec) => {
    const { lab, card } = await learn('breast-cancer/breast-cancer.csv', spec);
    const again = await learn('breast-cancer/breast-cancer.csv', card.reproduce.spec);
    expect(again.card.revision).toBe(card.revision);
    const written = card.reproduce.commands.find((command) => command.startsWith('printf'))!.replace(/ > dataset.json$/, '');
    expect(JSON.parse(execFileSync('sh', ['-c', written], { encoding: 'utf8' }))).toEqual(card.reproduce.spec);
    expect(card.reproduce.unless).toBeUndefined();
    const graph = async ({ rawModels }: Laboratory) => (await rawModels.get(modelKeys.model('d', 1)))!.body;
    expect(Buffer.compare(await graph(again.lab), await graph(lab))).toBe(0);
  });
});

describe.each([
  ['groups', { groups: 'who', families: ['boosting'], folds: 3 }],
  ['time', { time: 'who', families: ['linear', 'boosting'], folds: 3, target: 'y' }],
])('a table whose rows hang together by %s', (by, asked) => {
  const lab = new Laboratory();
  // The group alone says what y is; in rows of other groups it says nothing. A float32 would take eight neighbouring groups for one.
  const rows = Array.from(
    { length: 400 },
    (_, i) => `${123_456_768 + Math.floor(i / 8)},${(i * 37) % 101},${(Math.floor(i / 8) * 7) % 3 === 0 ? 'yes' : 'no'}`,
  );
  beforeAll(async () => {
    await lab.rawData.put('raw/d/dataset.json', JSON.stringify(asked));
    await lab.prepare(await lab.upload('raw/d/data.csv', `who,x,y\n${rows.join('\n')}\n`));
    await lab.runAll();
  });

  test('is split so, the column is no feature, and a row to predict may have it or not', async () => {
    const card = (await getJson<ModelCard>(lab.rawModels, modelKeys.card('d', 1)))!;
    expect(card.inputs.map(({ name }) => name)).toEqual(['x']);
    expect(card.data.rows.test).toBe(80);
    expect(card.ensemble!.members.every(({ from }) => from === (by === 'time' ? 'all rows' : 'folds'))).toBe(true);
    for (const row of [{ x: 5 }, { x: 5, who: 3 }])
      expect((await lab.ask('POST', '/models/d/predict', { rows: [row] })).statusCode).toBe(200);
  });
});

describe('the same again', () => {
  test('the same upload twice: one run, one version', async () => {
    const lab = await small();
    await lab.prepare(await lab.upload('raw/d/data.csv', table(1)));
    await lab.runAll();
    await lab.prepare(await lab.upload('raw/d/data.csv', table(1)));
    await lab.runAll();
    expect(lab.queue.records).toHaveLength(1);
    expect((await live(lab))!.history.map(({ version }) => version)).toEqual([1, 1]);
    expect((await pointer(lab))!.status).toBe('READY');
  });

  test('data uploaded again after others: no run, and their version is live again, whichever run ends last', async () => {
    const lab = await small();
    const upload = async (seed: number) => lab.prepare(await lab.upload('raw/d/data.csv', table(seed)));
    await upload(1);
    await lab.runAll();
    await upload(2);
    await lab.runAll();
    expect((await live(lab))!.version).toBe(2);
    await upload(1);
    expect(lab.queue.records).toHaveLength(2);
    expect((await live(lab))!.version).toBe(1);
    const other = await small();
    for (const seed of [1, 2, 1]) await other.prepare(await other.upload('raw/d/data.csv', table(seed)));
    await other.runAll();
    expect((await live(other))!.history.map(({ version }) => version)).toEqual([1]);
  });

  test('in another laboratory: the same bytes of every object', async () => {
    const [one, two] = [await small(), await small()];
    for (const lab of [one, two]) {
      await lab.prepare(await lab.upload('raw/d/data.csv', table(1)));
      await lab.runAll();
    }
    expect(await two.state()).toEqual(await one.state());
  });

  test('every event and every stage delivered twice at once: as if once', async () => {
    const [once, twice] = [await small(), await small()];
    await once.prepare(await once.upload('raw/d/data.csv', table(1)));
    await once.runAll();
    const event = await twice.upload('raw/d/data.csv', table(1));
    await Promise.all([clean(event, twice.services), clean(event, twice.services)]);
    const report = twice.eventOf(dataKeys.report('d', (await pointer(twice))!.revision!));
    await Promise.all([transform(report, twice.services), transform(report, twice.services)]);
    const [record] = twice.queue.records;
    await Promise.all([twice.stages(record!), twice.stages(record!), twice.stages(record!)]);
    await Promise.all([twice.prepare(event), twice.stages(record!)]);
    expect(await twice.state()).toEqual(await once.state());
    expect(twice.counted['RunsSucceeded']).toBe(1);
  });

  test('an event that comes late does no harm', async () => {
    const lab = await small();
    const older = await lab.upload('raw/d/data.csv', table(1));
    const newer = await lab.upload('raw/d/data.csv', table(2));
    await lab.prepare(newer);
    const { revision } = (await pointer(lab))!;
    await lab.prepare(older);
    await lab.runAll();
    expect(lab.queue.records).toHaveLength(1);
    expect(await pointer(lab)).toMatchObject({ status: 'READY', revision });
  });

  test('each event reads the version of the object that it tells of', async () => {
    const lab = await small();
    const first = await lab.upload('raw/d/data.csv', table(1));
    const second = await lab.upload('raw/d/data.csv', table(2));
    await lab.prepare(first);
    await lab.prepare(second);
    expect(new Set(lab.queue.records.map(({ revision }) => revision)).size).toBe(2);
  });

  test('a run of older data that finishes late is registered, and live stays on the newer', async () => {
    const lab = await small();
    await lab.prepare(await lab.upload('raw/d/data.csv', table(1)));
    await lab.prepare(await lab.upload('raw/d/data.csv', table(2)));
    const [older, newer] = lab.queue.records;
    await lab.execute(newer!);
    await lab.execute(older!);
    expect(await live(lab)).toMatchObject({ version: 1, history: [{ by: newer!.run }] });
    expect(await getRun(lab.rawModels, lab.queue, older!.run)).toMatchObject({ status: 'SUCCEEDED', model: { version: 2, live: false } });
  });
});

describe('what starts a cleaning', () => {
  test('a spec alone starts nothing; with its file beside it, whichever came first, the spec counts', async () => {
    const lab = new Laboratory();
    await lab.prepare(await lab.upload('raw/d/dataset.json', spec));
    expect(await pointer(lab)).toBeUndefined();
    await lab.prepare(await lab.upload('raw/d/data.csv', table(1)));
    const other = new Laboratory();
    await other.rawData.put('raw/d/data.csv', table(1));
    await other.prepare(await other.upload('raw/d/dataset.json', spec));
    expect((await pointer(other))!.revision).toBe((await pointer(lab))!.revision);
  });

  test('a spec that names files waits for its own upload', async () => {
    const lab = new Laboratory();
    await lab.rawData.put('raw/d/dataset.json', JSON.stringify({ files: ['a.csv', 'b.csv'] }));
    await lab.prepare(await lab.upload('raw/d/a.csv', table(1)));
    await lab.prepare(await lab.upload('raw/d/b.csv', table(2)));
    expect(await pointer(lab)).toBeUndefined();
    await lab.prepare(lab.eventOf('raw/d/dataset.json'));
    const { revision } = (await pointer(lab))!;
    expect((await getJson<CleanReport>(lab.rawData, dataKeys.report('d', revision!)))!.rows.read).toBe(160);
  });

  test('folders, other keys, other events and the test event of S3 start nothing', async () => {
    const lab = new Laboratory();
    await lab.prepare(await lab.upload('raw/d/', ''));
    await lab.prepare(await lab.upload('raw/file.csv', table(1)));
    await lab.prepare({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'ingot-data' });
    const event = (await lab.upload('raw/d/data.csv', table(1))) as { Records: { eventName: string }[] };
    event.Records[0]!.eventName = 'ObjectRemoved:DeleteMarkerCreated';
    await lab.prepare(event);
    expect(await pointer(lab)).toBeUndefined();
  });
});

describe('what cannot be used is rejected, with place and mend, and is not tried again', () => {
  test.each<[string, Record<string, string>, string, RegExp]>([
    ['an empty file', { 'data.csv': '' }, 'EmptyDataset', /data\.csv/],
    ['a header alone', { 'data.csv': 'a,b\n' }, 'EmptyDataset', /data\.csv/],
    ['a target of one value', { 'data.csv': `a,b\n${'1,x\n2,x\n'.repeat(20)}` }, 'UnusableTarget', /b/],
    ['a spec with an unknown field', { 'data.csv': table(1), 'dataset.json': '{"tarjet":"y"}' }, 'InvalidSpec', /tarjet/],
    ['a spec that is no JSON', { 'data.csv': table(1), 'dataset.json': '{\n"target": }' }, 'InvalidSpec', /line 2/],
    ['a spec that names a file that is not there', { 'dataset.json': '{"files":["a.csv"]}' }, 'InvalidSpec', /field files/],
  ])('%s', async (_, files, code, where) => {
    const lab = new Laboratory();
    let event = {};
    for (const [name, body] of Object.entries(files)) event = await lab.upload(`raw/d/${name}`, body);
    await lab.prepare(event);
    const { status, error } = (await pointer(lab))!;
    expect([status, error!.code]).toEqual(['REJECTED', code]);
    expect(error!.where).toMatch(where);
    expect(error!.fix).toBeTruthy();
    await lab.prepare(event);
    expect(lab.queue.records).toEqual([]);
  });

  test.each([
    ['{"tarjet":"y"}', 'tarjet', /unknown field 'tarjet'/, /^The fields are .*target/],
    ['{"budget":{"minute":5}}', 'budget.minute', /unknown field 'minute'/, /schema/],
    ['{"budget":{"minutes":0}}', 'budget.minutes', /expected more than 0/, /schema/],
    ['{"testFraction":0.9}', 'testFraction', /expected at most 0.5/, /schema/],
  ])('%s is told by its field and what that takes', (text, field, message, fix) => {
    const expected = { where: `dataset.json, field ${field}`, message: expect.stringMatching(message), fix: expect.stringMatching(fix) };
    expect(() => parseSpec(text)).toThrow(expect.objectContaining(expected));
  });

  test('a dataset whose name cannot be a model', async () => {
    const lab = new Laboratory();
    await lab.prepare(await lab.upload('raw/my data/a b.csv', table(1)));
    expect(await pointer(lab, 'my data')).toMatchObject({ status: 'REJECTED', error: { code: 'InvalidName' } });
  });

  test('a table that is too large for the memory', async () => {
    const lab = new Laboratory();
    const wide = (value: (column: number) => number | string) => `${Array.from({ length: 600 }, (_, column) => value(column)).join(',')}\n`;
    const rows = Array.from({ length: 300 }, (_, row) => wide((column) => (row * 7919 + column * 104_729) % 1_000_003));
    vi.stubEnv('AWS_LAMBDA_FUNCTION_MEMORY_SIZE', '24');
    await lab
      .prepare(await lab.upload('raw/d/data.csv', `${wide((column) => `c${column}`)}${rows.join('')}`))
      .finally(() => vi.unstubAllEnvs());
    expect(await pointer(lab)).toMatchObject({
      status: 'REJECTED',
      error: { code: 'UnreadableDataset', message: expect.stringContaining('192MB'), fix: expect.stringContaining('memory') },
    });
  });

  test('a good file after a bad one is learned', async () => {
    const lab = await small();
    await lab.prepare(await lab.upload('raw/d/data.csv', ''));
    await lab.prepare(await lab.upload('raw/d/data.csv', table(1)));
    expect((await pointer(lab))!.status).toBe('READY');
  });
});

test('an attempt that failed by no fault of the data is told, and the next one mends it', async () => {
  let broken = true;
  const lab = new Laboratory((store) =>
    Object.assign(Object.create(store) as MemoryObjectStore, {
      upload: async (path: string, key: string) => {
        if (broken) throw new Error('no space left on device');
        await store.upload(path, key);
      },
    }),
  );
  const event = await lab.upload('raw/d/data.csv', table(1));
  await expect(lab.prepare(event)).rejects.toThrow('no space left');
  expect(await pointer(lab)).toMatchObject({
    status: 'CLEANING',
    error: { code: 'Internal', message: expect.stringContaining('no space left') },
  });
  broken = false;
  await lab.prepare(event);
  expect(await pointer(lab)).toMatchObject({ status: 'READY' });
  expect((await pointer(lab))!.error).toBeUndefined();
});

describe('a run that fails', () => {
  test('says in a sentence what failed and what to do: in its record, in a metric, in a message', async () => {
    const lab = new Laboratory();
    await lab.rawData.put('raw/d/dataset.json', '{"metric":"r2"}');
    await lab.prepare(await lab.upload('raw/d/data.csv', table(1)));
    await lab.runAll();
    const [record] = lab.queue.records;
    expect(await getRun(lab.rawModels, lab.queue, record!.run)).toMatchObject({
      status: 'FAILED',
      stage: 'Plan',
      error: { code: 'InvalidSpec', message: expect.stringContaining('r2'), fix: expect.any(String) },
    });
    expect(lab.counted['RunsFailed']).toBe(1);
    expect(lab.messages).toMatchObject([
      { subject: `Ingot: the run ${record!.run} failed`, message: expect.stringContaining('What to do:') },
    ]);
  });

  test('is none where the best candidate of a grid fails on all rows: the next best is the model, and the card says so', async () => {
    const lab = new Laboratory();
    const grids = { forest: { nEstimators: [5], maxDepth: [1, 4], minSamplesSplit: [2] } };
    await lab.rawData.put('raw/d/dataset.json', JSON.stringify({ folds: 2, grids }));
    await lab.prepare(await lab.upload('raw/d/data.csv', table(1)));
    const { fit } = forest;
    let failed: Params | undefined;
    vi.spyOn(forest, 'fit').mockImplementation(async (x, y, params, context) => {
      failed ??= params;
      if (params === failed) throw new RangeError('Array buffer allocation failed');
      return fit(x, y, params, context);
    });
    await lab.runAll();
    vi.restoreAllMocks();
    const card = (await getJson<ModelCard>(lab.rawModels, modelKeys.card('d', 1)))!;
    const [first, second] = card.leaderboard.entries;
    expect(first!.params).toEqual(failed);
    expect(card.passedOver).toEqual([{ candidates: [first!.candidate], message: 'RangeError: Array buffer allocation failed' }]);
    expect(card).toMatchObject({ params: second!.params, score: second!.mean[card.metric] });
  });

  test('for an object that is gone says which', async () => {
    const lab = await small();
    await lab.prepare(await lab.upload('raw/d/data.csv', table(1)));
    const [record] = lab.queue.records;
    await lab.rawData.delete(dataKeys.train('d', record!.revision));
    await lab.runAll();
    const run = await getRun(lab.rawModels, lab.queue, record!.run);
    expect(run).toMatchObject({ status: 'FAILED', stage: 'Search', error: { code: 'NotFound' } });
    expect(await live(lab)).toBeUndefined();
  });
});

describe('a table with wrong labels, leaks and personal data', () => {
  const lab = new Laboratory();
  const rows = Array.from({ length: 300 }, (_, i) => {
    const [a, b] = [(i * 37) % 101, (i * 53) % 97];
    const large = a + b > 100;
    return {
      a,
      b,
      email: `user${i % 100}@example.org`,
      state: large ? 'closed' : 'open',
      y: (i === 120 || i === 250) !== large ? 'large' : 'small',
    };
  });
  // Row 10 of the file has no target, and is not in the table.
  const lines = rows.map((row, i) => (i === 9 ? { ...row, y: '' } : row)).map((row) => Object.values(row).join(','));
  beforeAll(async () => {
    await lab.rawData.put('raw/d/dataset.json', JSON.stringify({ ...JSON.parse(spec), pii: { policy: 'hash' } }));
    await lab.prepare(await lab.upload('raw/d/d.csv', ['a,b,email,state,y', ...lines].join('\n')));
  });

  test('is told of by the API', async () => {
    const { revision } = (await pointer(lab))!;
    const services = { ...lab.services, presign: async (key: string) => key };
    const answer = await createHandler(() => services)(apiEvent('GET', '/datasets/d'));
    const body = JSON.parse(answer.body);
    expect(() => datasetSchema.parse(body)).not.toThrow();
    expect(body.report.columns).toMatchObject([
      { name: 'a' },
      { name: 'b' },
      { name: 'email', role: 'ignored', personal: { kinds: ['email'], treatment: 'hashed' } },
      { name: 'y' },
      { name: 'state', role: 'ignored', leak: { kind: 'afterwards', treatment: 'quarantined' } },
    ]);
    expect(body.suspiciousLabels.rows.map(({ row }: { row: number }) => row)).toEqual(expect.arrayContaining([121, 251]));
    expect(new TextDecoder().decode((await lab.rawData.get(dataKeys.suspiciousLabelsFile('d', revision!)))!.body)).toMatch(
      /^row,given,suggested,confidence\n/,
    );
  });

  test('the secret is made once', async () => {
    const secret = await personalSecret(lab.rawData);
    expect(secret).toHaveLength(32);
    expect(await personalSecret(lab.rawData)).toEqual(secret);
  });
});
