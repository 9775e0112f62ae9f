import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { setAlias } from '../../core/registry/aliases.ts';
import { MemoryObjectStore } from '../../core/registry/memory-object-store.ts';
import { createPredict } from '../../functions/predict.lambda.ts';
import { apiEvent } from './api-event.ts';
import { publishSmallModel } from './small-model.ts';

const models = new MemoryObjectStore();
const predict = createPredict({ models: async () => models, emit: () => undefined });

async function ask(method: string, path: string, body?: unknown, headers?: Record<string, string>) {
  const { statusCode, body: text, headers: answered } = await predict(apiEvent(method, path, body, headers));
  return { status: statusCode, type: answered['content-type'], allow: answered['allow'], text, json: parsed(text) };
}

function parsed(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

afterEach(() => {
  vi.useRealTimers();
});

beforeAll(async () => {
  await publishSmallModel(models, 'older', 1, new Date('2026-11-25T08:00:00Z'));
  await publishSmallModel(models, 'shirts', 2, new Date('2026-11-25T09:00:00Z'));
});

describe('a prediction', () => {
  test('a byte order mark before the body is passed over', async () => {
    const row = '{"size": 2, "colour": "red"}';
    const plain = await ask('POST', '/models/shirts/predict', `{"rows": [${row}]}`);
    expect(await ask('POST', '/models/shirts/predict', `\uFEFF{"rows": [${row}]}`)).toEqual(plain);
    expect(await ask('POST', '/models/shirts/predict', `\uFEFF${row}`, { 'content-type': 'application/x-ndjson' })).toEqual(plain);
    expect(plain.status).toBe(200);
  });

  test('by column names', async () => {
    const rows = [
      { size: 2, colour: 'red' },
      { size: 50, colour: null },
    ];
    const { status, json } = await ask('POST', '/models/shirts/predict', { rows });
    expect(status).toBe(200);
    expect((await ask('POST', '/models/shirts/predict', rows)).json).toEqual(json);
    expect(json).toMatchObject({ model: 'shirts', version: 2, predictions: [{ label: 'small' }, { label: 'big' }] });
    expect(json.predictions[0].probabilities.small).toBeGreaterThan(0.8);
  });

  test('in column order, by the model that was put live last, or the one that is named', async () => {
    const rows = { input_data: [[50, 'blue']] };
    const { json } = await ask('POST', '/predict', rows);
    expect(json.output_data[0][0]).toBeGreaterThan(0.8);
    expect(json.output_data[0][0] + json.output_data[0][1]).toBeCloseTo(1);
    expect((await ask('POST', '/predict', { ...rows, model: 'older' })).json).toEqual(json);
  });

  test('as CSV, separated by tabs, and as lines of JSON', async () => {
    const tsv = await ask('POST', '/models/shirts/predict', 'colour\tsize\nred\t2\nblue\t50\n', {
      'content-type': 'text/tab-separated-values',
    });
    const csv = await ask('POST', '/models/shirts/predict', 'colour,size\nred,2\nblue,50\n', { 'content-type': 'text/csv; charset=utf-8' });
    const lines = await ask('POST', '/models/shirts/predict', '{"size":2,"colour":"red"}\n{"size":50,"colour":"blue"}\n', {
      'Content-Type': 'application/x-ndjson',
    });
    expect(csv.json).toEqual(lines.json);
    expect(tsv.json).toEqual(lines.json);
    expect(csv.json.predictions.map(({ label }: { label: string }) => label)).toEqual(['small', 'big']);
  });

  test('by a version', async () => {
    expect((await ask('POST', '/models/shirts/predict?version=1', { rows: [{ size: 2, colour: 'red' }] })).json.version).toBe(1);
  });

  test('of a body that came in base64', async () => {
    const event = apiEvent('POST', '/predict', Buffer.from('{"input_data": [[2, "red"]]}').toString('base64'));
    expect((await predict({ ...event, isBase64Encoded: true })).statusCode).toBe(200);
  });

  test('by the Open Inference Protocol v2', async () => {
    expect((await ask('GET', '/v2')).json).toMatchObject({ name: 'ingot' });
    expect((await ask('GET', '/v2/health/ready')).status).toBe(200);
    expect((await ask('GET', '/v2/models/shirts/ready')).status).toBe(200);
    expect((await ask('GET', '/v2/models/shirts')).json).toMatchObject({ name: 'shirts', versions: ['1', '2'] });
    const { json } = await ask('POST', '/v2/models/shirts/versions/1/infer', {
      id: 'mine',
      inputs: [
        { name: 'size', shape: [1], datatype: 'FP32', data: [50] },
        { name: 'colour', shape: [1], datatype: 'BYTES', data: ['red'] },
      ],
    });
    expect(json).toMatchObject({ id: 'mine', model_version: '1', outputs: [{ name: 'label', data: ['big'] }, { name: 'probabilities' }] });
  });

  test("by SageMaker's and MLflow's calls", async () => {
    expect((await ask('GET', '/ping')).status).toBe(200);
    const csv = await ask('POST', '/invocations', '2,red\n50,blue\n', { 'content-type': 'text/csv' });
    expect(csv).toMatchObject({ text: 'small\nbig\n', type: 'text/csv' });
    const split = { columns: ['colour', 'size'], data: [['red', 2]] };
    expect((await ask('POST', '/invocations?model=older', { dataframe_split: split })).json).toEqual({ predictions: ['small'] });
  });
});

describe('a wrong request gets the error with place and mend', () => {
  const row = { size: 2, colour: 'red' };
  const csv = { 'content-type': 'text/csv' };
  test.each([
    ['a model that is not there', '/models/none/predict', { rows: [row] }, {}, 404, 'NotFound', 'model'],
    ['a version that is not there', '/models/shirts/predict?version=9', { rows: [row] }, {}, 404, 'NotFound', 'version'],
    ['a version that is no number', '/models/shirts/predict?version=last', { rows: [row] }, {}, 400, 'InvalidRequest', 'query version'],
    ['an alias that is not there', '/models/shirts/predict?alias=none', { rows: [row] }, {}, 404, 'NotFound', 'alias'],
    ['alias and version', '/models/shirts/predict?alias=live&version=1', { rows: [row] }, {}, 400, 'InvalidRequest', 'query'],
    [
      'an explanation that was never prepared',
      '/models/shirts/predict?explain=true',
      { rows: [row] },
      {},
      404,
      'NotFound',
      'query explain',
    ],
    ['broken JSON', '/models/shirts/predict', '{"rows":\n [{]}', {}, 400, 'InvalidRequest', 'body, line 2, column 4'],
    ['no body', '/models/shirts/predict', '', {}, 400, 'InvalidRequest', 'body, line 1, column 1'],
    ['null', '/predict', 'null', {}, 400, 'InvalidRequest', 'input_data'],
    ['no rows', '/models/shirts/predict', { rows: [] }, {}, 400, 'InvalidRequest', 'body'],
    ['rows that are no list', '/models/shirts/predict', { rows: row }, {}, 400, 'InvalidRequest', 'rows'],
    ['a missing field', '/models/shirts/predict', { rows: [row, { size: 2 }] }, {}, 400, 'InvalidRow', 'rows[1]'],
    ['an extra field', '/models/shirts/predict', { rows: [{ ...row, age: 1 }] }, {}, 400, 'InvalidRow', 'rows[0].age'],
    [
      'an inherited field',
      '/models/shirts/predict',
      '{"rows":[{"size":1,"colour":"red","__proto__":1}]}',
      {},
      400,
      'InvalidRow',
      'rows[0].__proto__',
    ],
    ['an ill-typed field', '/models/shirts/predict', { rows: [{ ...row, size: 'wide' }] }, {}, 400, 'InvalidRow', 'rows[0].size'],
    ['a short row', '/predict', { input_data: [[1]] }, {}, 400, 'InvalidRow', 'input_data[0]'],
    ['a model name that is no text', '/predict', { input_data: [[1, 'red']], model: 7 }, {}, 400, 'InvalidRequest', 'model'],
    ['another type', '/models/shirts/predict', 'x', { 'content-type': 'image/png' }, 415, 'UnsupportedMediaType', 'Content-Type'],
    ['CSV where only JSON is read', '/predict', '1,red', csv, 415, 'UnsupportedMediaType', 'Content-Type'],
    ['a ragged line of CSV', '/models/shirts/predict', 'size,colour\n1\n', csv, 400, 'InvalidRow', 'line 2'],
    ['an open quote', '/models/shirts/predict', 'size,colour\n1,"red\n', csv, 400, 'InvalidRequest', 'line 2, value 2'],
    ['a path that nobody knows', '/v2/nothing', {}, {}, 404, 'NotFound', 'path'],
    ['a name that cannot be decoded', '/models/%E0%A4/predict', { rows: [row] }, {}, 400, 'InvalidRequest', 'path'],
  ])('%s', async (_, path, body, headers, status, code, where) => {
    const answer = await ask('POST', path, body, headers);
    expect(answer).toMatchObject({ status, json: { error: { code, where, message: expect.any(String), fix: expect.any(String) } } });
  });

  test.each([
    ['GET', '/predict', 'POST'],
    ['DELETE', '/models/shirts/predict', 'POST'],
    ['POST', '/ping', 'GET'],
    ['POST', '/v2/models/shirts', 'GET'],
  ])('%s %s: not with this method', async (method, path, allow) => {
    expect(await ask(method, path)).toMatchObject({ status: 405, allow, json: { error: { code: 'MethodNotAllowed' } } });
  });

  test('more rows than an answer has room for', async () => {
    const answer = await ask('POST', '/models/shirts/predict', `size,colour\n${'1,red\n'.repeat(150_000)}`, csv);
    expect(answer).toMatchObject({ status: 413, json: { error: { code: 'PayloadTooLarge', fix: 'Send fewer rows in one request.' } } });
  });

  test('where no model is, it says so', async () => {
    const empty = createPredict({ models: async () => new MemoryObjectStore(), emit: () => undefined });
    const { statusCode, body } = await empty(apiEvent('POST', '/predict', { input_data: [[1]] }));
    expect([statusCode, JSON.parse(body).error.code]).toEqual([404, 'NotFound']);
  });

  test('where the bucket does not answer, health is Unavailable and a prediction is Internal, without its stack', async () => {
    const log = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const broken = createPredict({ models: () => Promise.reject(new Error('secret')), emit: () => undefined });
    expect((await broken(apiEvent('GET', '/v2/health/ready'))).statusCode).toBe(503);
    const { statusCode, body } = await broken(apiEvent('POST', '/predict', { input_data: [[1]] }));
    expect(statusCode).toBe(500);
    expect(body).not.toContain('secret');
    expect(log.mock.calls.join()).toContain('Error: secret');
    log.mockRestore();
  });
});

test('a release shows within about a second, busy or idle', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const store = new MemoryObjectStore();
  await publishSmallModel(store, 'm', 2);
  const ours = createPredict({ models: async () => store, emit: () => undefined });
  const version = async () =>
    JSON.parse((await ours(apiEvent('POST', '/models/m/predict', { rows: [{ size: 1, colour: 'red' }] }))).body).version;
  expect(await version()).toBe(2);
  await setAlias(store, 'm', 'live', 1, new Date());
  vi.setSystemTime(Date.now() + 1000);
  expect(await version()).toBe(1);
});

test('predictions are counted, a line a second at most', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const lines: string[] = [];
  const ours = createPredict({ models: async () => models, emit: (line) => lines.push(line) });
  for (let i = 0; i < 20; i++)
    await ours(
      apiEvent('POST', '/predict', {
        input_data: [
          [1, 'red'],
          [2, 'red'],
        ],
      }),
    );
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({
    Predictions: 2,
    _aws: { CloudWatchMetrics: [{ Namespace: 'Ingot', Dimensions: [[]], Metrics: [{ Name: 'Predictions', Unit: 'Count' }] }] },
  });
});
