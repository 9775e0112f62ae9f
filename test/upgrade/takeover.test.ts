/** What the first release left, taken over by this one: nothing is lost, nothing answers otherwise, and what is uploaded from then on is learned beside it. */
import { existsSync, rmSync } from 'node:fs';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cardSchema, datasetSchema, modelSchema, predictionsSchema, runSchema } from '../../core/api/schemas.ts';
import { version } from '../../core/names.ts';
import type { Alias } from '../../core/registry/aliases.ts';
import { Laptop } from '../e2e/laptop.ts';
import { type Asked, firstRelease, type LeftObject, objectsIn } from './first-release.ts';

const executablePath = process.env['INGOT_CHROMIUM'] ?? '/usr/bin/chromium';
const hasChromium = existsSync(executablePath);
const { home, answers } = firstRelease();

let laptop: Laptop;
let left: LeftObject[];
const found: Asked = {};

beforeAll(async () => {
  left = await objectsIn(home);
  laptop = await Laptop.start({ home });
  // Before anything else happens.
  for (const [path, { type, body }] of Object.entries(answers)) {
    const response = await laptop.fetch(path, type === undefined ? {} : { method: 'POST', headers: { 'content-type': type }, body: body! });
    found[path] = { status: response.status, answer: await response.json() };
  }
});
afterAll(async () => {
  await laptop?.stop();
  rmSync(home, { recursive: true, force: true });
});

interface Model {
  versions: { version: number }[];
  aliases: Record<string, Alias>;
}

const contentOf = (of: string) => left.find(({ key }) => key === of)!.body;
const put = (key: string, Body: Uint8Array | string) =>
  laptop.s3.send(new PutObjectCommand({ Bucket: laptop.outputs.DataBucket, Key: key, Body }));
const modelWhen = (name: string, isReached: (model: Model) => boolean) =>
  laptop.until(`the next version of ${name}`, async () => {
    const model = await laptop.get<Model>(`models/${name}`);
    return isReached(model) ? model : undefined;
  });
const post = async <T>(path: string, { type, body }: { type?: string; body?: string } = {}, method = 'POST') => {
  const response = await laptop.fetch(path, { method, ...(type && { headers: { 'content-type': type } }), ...(body && { body }) });
  return { status: response.status, body: (await response.json()) as T };
};

/** What the description of the API says of an answer. */
const schemas: [RegExp, { parse(value: unknown): unknown }][] = [
  [/^datasets\//, datasetSchema],
  [/^models\/\w+$/, modelSchema],
  [/^models\/\w+\/versions\//, cardSchema],
  [/^models\/\w+\/predict/, predictionsSchema],
  [/^runs\//, runSchema],
];

test.each(Object.entries(answers))('%s is answered as the first release answered it, to the bit', (path, { status, answer }) => {
  const { estimate } = path.startsWith('runs/') ? (answer as { estimate?: object }) : {};
  // It reckoned with AWS's list of June 2025, and did not say so.
  const prices = { region: 'us-east-1', asOf: '2025-06', source: "AWS's public price pages" };
  expect(found[path]).toEqual({ status, answer: estimate ? { ...(answer as object), estimate: { ...estimate, prices } } : answer });
  for (const [which, schema] of schemas) if (which.test(path)) schema.parse(found[path]!.answer);
});

test('the questions were of every kind, and each model was among them', () => {
  expect(Object.keys(answers).length).toBeGreaterThanOrEqual(20);
  for (const [which] of schemas) expect(Object.keys(answers).some((path) => which.test(path))).toBe(true);
  expect(version).not.toBe((answers['datasets/cells']!.answer as { report: { version: string } }).report.version);
});

test('a version that has nothing to explain by says so, and what to do', async () => {
  const { status, body } = await post<{ error: object }>('models/cells/predict?explain=true', answers['models/cells/predict']);
  expect(status).toBe(404);
  expect(body.error).toMatchObject({ code: 'NotFound', where: 'query explain', fix: expect.stringContaining('upload the dataset again') });
});

test('a run that was under way ends with a sentence that says what to do; and that helps', async () => {
  const run = await laptop.finished('halfway');
  expect(run).toMatchObject({ status: 'FAILED', stage: 'Search' });
  expect(run.error).toMatchObject({
    code: 'Conflict',
    message: `The dataset 'halfway' was prepared by Ingot 0.1.0, and this is ${version}.`,
    fix: expect.stringContaining('Upload its file again'),
  });
  await put('raw/halfway/prices.csv', contentOf('raw/halfway/prices.csv'));
  const model = await laptop.until('the model', () => laptop.get<Model>('models/halfway'));
  expect(model.versions).toHaveLength(1);
});

test('the same file again is another revision, which is learned anew: version 2 beside version 1, which answers as ever', async () => {
  const before = answers['datasets/cells']!.answer as { revision: string };
  await put('raw/cells/cells.csv', contentOf('raw/cells/cells.csv'));
  const model = await modelWhen('cells', ({ aliases }) => aliases['live']!.version === 2);
  expect(model.versions.map((each) => each.version)).toEqual([1, 2]);
  const after = await laptop.get<{ revision: string; report: { version: string } }>('datasets/cells');
  expect(after.report.version).toBe(version);
  expect(after.revision).not.toBe(before.revision);

  const asked = answers['models/cells/predict']!;
  const { body } = await post<{ version: number; predictions: object[] }>('models/cells/predict?explain=true', asked);
  expect(body.version).toBe(2);
  for (const row of body.predictions) expect(row).toMatchObject({ set: expect.any(Array), contributions: expect.any(Object) });
  expect((await post('models/cells/predict?version=1', asked)).body).toEqual(asked.answer);
  expect(await laptop.get('models/cells/versions/1')).toEqual(answers['models/cells/versions/1']!.answer);

  const back = await post<Alias>('models/cells/aliases/live/rollback');
  expect(back.body.version).toBe(1);
  // A pointer that has moved shows up within about a second.
  const again = await laptop.until('the older version', async () => {
    const { body: answer } = await post<{ version: number }>('models/cells/predict', asked);
    return answer.version === 1 ? answer : undefined;
  });
  expect(again).toEqual(asked.answer);
});

test('new rows of a dataset become version 3; aliases keep their history, and move from where they stood', async () => {
  const before = answers['models/prices/aliases/live']!.answer as Alias;
  const rows = contentOf('raw/prices/prices.csv').toString();
  const later = rows.split('\n').slice(1, 40);
  await put('raw/prices/prices.csv', `${rows}${later.map((row) => row.replace(/^\d+/, '2026')).join('\n')}\n`);
  const { versions, aliases } = await modelWhen('prices', (model) => model.aliases['live']!.version === 3);
  expect(versions.map((each) => each.version)).toEqual([1, 2, 3]);
  expect(aliases['live']!.history.slice(0, -1)).toEqual(before.history);
  expect(aliases['next']).toEqual(answers['models/prices/aliases/next']!.answer);

  // The files of then are requests still. Dates, which the first release left out, are learned from now: who leaves them out is told so.
  const { body } = await post<{ predictions: object[] }>('models/prices/predict?version=3', answers['models/prices/predict']);
  for (const row of body.predictions)
    expect(row).toEqual({ value: expect.any(Number), interval: [expect.any(Number), expect.any(Number)] });
  const without = await post<{ error: object }>('models/prices/predict?version=3', answers['models/prices/predict?version=1']);
  expect(without).toMatchObject({ status: 400, body: { error: { code: 'InvalidRow', message: expect.stringContaining("'sold'") } } });

  const current = await laptop.fetch('models/prices/aliases/next');
  const move = (etag: string) =>
    laptop.fetch('models/prices/aliases/next', {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'if-match': etag },
      body: '{"version": 1}',
    });
  expect((await move('"another"')).status).toBe(412);
  expect((await move(current.headers.get('etag')!)).status).toBe(200);
  // `live` had been rolled back from 2 to 1, and goes back to that.
  expect((await post<Alias>('models/prices/aliases/live/rollback')).body.version).toBe(1);
});

describe.skipIf(!hasChromium)('the console [needs Chromium]', () => {
  test('draws runs and cards of the first release, and nothing of what those lack', async () => {
    const browser = await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    });
    try {
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
      await page.goto(`${laptop.outputs.ConsoleUrl}#key=${encodeURIComponent(laptop.outputs.ApiKey)}`);
      const detail = page.locator('#detail');
      // The newest comes first.
      await page.locator('#runs').getByRole('button', { name: 'cells' }).last().click();
      await detail.getByText('100 rows read').waitFor();
      await page.locator('#models').getByRole('button', { name: 'cells' }).click();
      await detail.getByText('cells, version 1').waitFor();
      const text = (await detail.textContent())!;
      expect(text).toContain('20 rows were held out.');
      expect(text).toMatch(/Expected: .* Spent: /);
      expect(text).not.toMatch(/undefined|NaN|null to|\[object/);
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});

test('what was written once stays as it was written: pointers alone have moved', async () => {
  const isPointer = (key: string) => /^clean\/[^/]+\/current\.json$|^models\/[^/]+\/aliases\//.test(key);
  const isReplaced = (key: string) => key === 'raw/prices/prices.csv';
  for (const { bucket, key, body } of left.filter(({ key }) => !isPointer(key) && !isReplaced(key))) {
    const object = await laptop.s3.send(new GetObjectCommand({ Bucket: laptop.outputs[bucket], Key: key }));
    expect(Buffer.compare(await object.Body!.transformToByteArray(), body), key).toBe(0);
  }
});
