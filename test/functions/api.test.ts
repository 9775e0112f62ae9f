import { beforeEach, describe, expect, test } from 'vitest';
import { calls } from '../../core/api/paths.ts';
import { datasetSchema, errorSchema, modelSchema, modelsSchema, runSchema, runsSchema, uploadsSchema } from '../../core/api/schemas.ts';
import { type ErrorCode, errorCodes } from '../../core/errors.ts';
import { dataKeys, modelKeys } from '../../core/keys.ts';
import { putJson } from '../../core/object-store.ts';
import { advanceDataset } from '../../core/registry/datasets.ts';
import { MemoryObjectStore } from '../../core/registry/memory-object-store.ts';
import { createHandler } from '../../functions/api.lambda.ts';
import { createPredict } from '../../functions/predict.lambda.ts';
import { Queue } from '../registry/queue.ts';
import { apiEvent } from './api-event.ts';
import { noBatch } from './batch.ts';
import { publishSmallModel } from './small-model.ts';

const now = new Date('2026-11-25T08:00:00Z');
let data: MemoryObjectStore;
let models: MemoryObjectStore;
let executions: Queue;
let handler: ReturnType<typeof createHandler>;

beforeEach(() => {
  [data, models, executions] = [new MemoryObjectStore(), new MemoryObjectStore(), new Queue()];
  const presign = async (key: string) => `https://bucket.example/${key}?signed`;
  const services = { data, models, executions, jobs: noBatch, now: () => now, presign };
  handler = createHandler(() => services);
});

/** A request through the handler, as API Gateway hands it on. */
async function ask(method: string, path: string, body?: unknown, headers?: Record<string, string>) {
  const answer = await handler(apiEvent(method, path, body, headers));
  const json = answer.headers['content-type']?.includes('json') ? JSON.parse(answer.body) : undefined;
  if (answer.statusCode >= 400) errorSchema.parse(json);
  return { status: answer.statusCode, headers: answer.headers, text: answer.body, json };
}

describe('models', () => {
  test('are listed with versions and aliases', async () => {
    await publishSmallModel(models, 'shirts', 2, now);
    const { json } = await ask('GET', '/models');
    modelsSchema.parse(json);
    expect(json.models).toEqual([(await ask('GET', '/models/shirts')).json]);
    expect(modelSchema.parse(json.models[0])).toMatchObject({
      name: 'shirts',
      versions: [{ version: 1, metric: 'accuracy', score: 1, createdAt: now.toISOString() }, { version: 2 }],
      aliases: { live: { version: 2 } },
    });
    expect((await ask('GET', '/models/shirts/versions/1')).json).toMatchObject({ model: 'shirts', version: 1, run: 'shirts-1' });
  });

  test('where there are none the list is empty', async () => {
    expect((await ask('GET', '/models')).json).toEqual({ models: [] });
    expect((await ask('GET', '/runs')).json).toEqual({ runs: [] });
  });

  test('an alias moves with the ETag that was read, and rolls back', async () => {
    await publishSmallModel(models, 'shirts', 3, now);
    const { headers } = await ask('GET', '/models/shirts/aliases/live');
    const moved = await ask('PUT', '/models/shirts/aliases/live', { version: 1 }, { 'If-Match': headers['etag']! });
    expect(moved).toMatchObject({ status: 200, json: { version: 1, history: [{ version: 3 }, { version: 1, by: 'api', why: 'set' }] } });
    const late = await ask('PUT', '/models/shirts/aliases/live', { version: 2 }, { 'If-Match': headers['etag']! });
    expect(late).toMatchObject({ status: 412, json: { error: { code: 'PreconditionFailed', where: 'header If-Match' } } });
    expect((await ask('POST', '/models/shirts/aliases/live/rollback')).json.version).toBe(3);
    expect((await ask('POST', '/models/shirts/aliases/live/rollback')).json.error.code).toBe('Conflict');
  });

  test('an alias of any name can be made', async () => {
    await publishSmallModel(models, 'shirts', 1, now);
    expect((await ask('PUT', '/models/shirts/aliases/blue-team', { version: 1 })).status).toBe(200);
    const predict = createPredict({ models: async () => models, emit: () => undefined });
    const { statusCode } = await predict(
      apiEvent('POST', '/models/shirts/predict?alias=blue-team', { rows: [{ size: 1, colour: 'red' }] }),
    );
    expect(statusCode).toBe(200);
  });
});

describe('runs', () => {
  const record = { run: 'd-0123456789ab', dataset: 'd', revision: 'r', createdAt: now.toISOString() };

  test('show progress, and can be cancelled while they are under way', async () => {
    await putJson(models, modelKeys.run(record.run), record);
    await executions.start(record);
    await putJson(models, modelKeys.plan(record.run), { trials: [{ id: 'forest-0' }, { id: 'forest-1' }] });
    await putJson(models, modelKeys.trial(record.run, 'forest-0'), {});
    const { json } = await ask('GET', '/runs');
    runsSchema.parse(json);
    expect(json.runs).toMatchObject([
      { id: record.run, dataset: 'd', status: 'RUNNING', stage: 'Search', progress: expect.closeTo(0.325) },
    ]);
    expect(runSchema.parse((await ask('GET', `/runs/${record.run}`)).json).trials).toEqual({ done: 1, planned: 2 });
    expect(await ask('DELETE', `/runs/${record.run}`)).toMatchObject({ status: 202, json: { status: 'ABORTED' } });
    expect(await ask('DELETE', `/runs/${record.run}`)).toMatchObject({ status: 409, json: { error: { code: 'Conflict' } } });
  });
});

describe('datasets', () => {
  const source = { key: 'raw/d/data.csv', sequencer: '0A', eventTime: now.toISOString() };

  test('show the report of the newest revision', async () => {
    await advanceDataset(data, 'd', { status: 'CLEANING', source });
    expect(datasetSchema.parse((await ask('GET', '/datasets/d')).json)).toEqual({ dataset: 'd', revision: null, status: 'CLEANING' });
    await putJson(data, dataKeys.report('d', 'r'), { rows: { read: 3 } });
    await advanceDataset(data, 'd', { status: 'CLEAN', source, revision: 'r' });
    expect((await ask('GET', '/datasets/d')).json).toEqual({ dataset: 'd', revision: 'r', status: 'CLEAN', report: { rows: { read: 3 } } });
  });

  test('say why they were rejected', async () => {
    const error = { code: 'EmptyDataset', message: 'The file has no rows.', where: 'data.csv', fix: 'Upload one with rows.' } as const;
    await advanceDataset(data, 'd', { status: 'REJECTED', source, error });
    expect(datasetSchema.parse((await ask('GET', '/datasets/d')).json)).toMatchObject({ status: 'REJECTED', error });
  });

  test('take files at presigned addresses', async () => {
    const { status, json } = await ask('POST', '/datasets/d/uploads', { files: ['dataset.json', 'ä b.csv'] });
    expect(status).toBe(201);
    expect(uploadsSchema.parse(json).uploads).toMatchObject([
      { file: 'dataset.json', key: 'raw/d/dataset.json', method: 'PUT', url: 'https://bucket.example/raw/d/dataset.json?signed' },
      { file: 'ä b.csv', expiresAt: '2026-11-25T09:00:00.000Z' },
    ]);
  });
});

describe('a wrong request gets the error with place and mend', () => {
  beforeEach(() => publishSmallModel(models, 'shirts', 1, now));

  test.each<[string, string, string, unknown, number, ErrorCode, string]>([
    ['an unknown model', 'GET', '/models/none', undefined, 404, 'NotFound', 'path'],
    ['an unknown version', 'GET', '/models/shirts/versions/2', undefined, 404, 'NotFound', 'path'],
    ['a version that is no number', 'GET', '/models/shirts/versions/one', undefined, 400, 'InvalidRequest', 'path'],
    ['an unknown alias', 'GET', '/models/shirts/aliases/none', undefined, 404, 'NotFound', 'path'],
    ['an alias to an unknown version', 'PUT', '/models/shirts/aliases/live', { version: 2 }, 404, 'NotFound', 'field version'],
    ['a bad alias name', 'PUT', '/models/shirts/aliases/__proto__', { version: 1 }, 400, 'InvalidName', 'alias name'],
    ['no version', 'PUT', '/models/shirts/aliases/live', {}, 400, 'InvalidRequest', 'version'],
    ['a version of text', 'PUT', '/models/shirts/aliases/live', { version: '1' }, 400, 'InvalidRequest', 'version'],
    ['a field too many', 'PUT', '/models/shirts/aliases/live', { version: 1, weight: 2 }, 400, 'InvalidRequest', 'weight'],
    ['a canary', 'PUT', '/models/shirts/aliases/live', { version: 1, canary: { version: 1 } }, 400, 'InvalidRequest', 'canary'],
    ['a shadow', 'PUT', '/models/shirts/aliases/live', { version: 1, shadow: 1 }, 400, 'InvalidRequest', 'shadow'],
    ['broken JSON', 'PUT', '/models/shirts/aliases/live', '{\n"version": }', 400, 'InvalidRequest', 'body, line 2, column 12'],
    ['an unknown run', 'GET', '/runs/none', undefined, 404, 'NotFound', 'path'],
    ['a run that cannot be', 'GET', '/runs/..%2F..', undefined, 404, 'NotFound', 'path'],
    ['a limit that is none', 'GET', '/runs?limit=1000', undefined, 400, 'InvalidRequest', 'query limit'],
    ['an unknown dataset', 'GET', '/datasets/none', undefined, 404, 'NotFound', 'path'],
    ['a bad dataset name', 'POST', '/datasets/%22;%20DROP/uploads', { files: ['a.csv'] }, 400, 'InvalidName', 'dataset name'],
    ['a file name that leads elsewhere', 'POST', '/datasets/d/uploads', { files: ['a.csv', '../b'] }, 400, 'InvalidName', 'files.1'],
    ['no files', 'POST', '/datasets/d/uploads', { files: [] }, 400, 'InvalidRequest', 'files'],
    ['a path that nobody knows', 'GET', '/no/such/path', undefined, 404, 'NotFound', 'path'],
    ['a file of the console that is not there', 'GET', '/console/none.js', undefined, 404, 'NotFound', 'path'],
    ['a file outside of the console', 'GET', '/console/..%2fpackage.json', undefined, 404, 'NotFound', 'path'],
  ])('%s', async (_, method, path, body, status, code, where) => {
    const answer = await ask(method, path, body);
    expect(answer).toMatchObject({ status, json: { error: { code, where, fix: expect.any(String) } } });
  });

  test('another type than JSON', async () => {
    const answer = await ask('POST', '/datasets/d/uploads', 'files=a', { 'content-type': 'text/plain' });
    expect(answer).toMatchObject({ status: 415, json: { error: { code: 'UnsupportedMediaType' } } });
  });
});

describe('the description', () => {
  test('has every call, and every code that it may answer', async () => {
    const { json } = await ask('GET', '/openapi.json');
    expect(json.openapi).toBe('3.1.0');
    for (const { method, path, errors } of calls) {
      const operation = json.paths[path][method.toLowerCase()];
      for (const code of errors) expect(operation.responses[errorCodes[code].status].description).toContain(`${code}:`);
    }
    const told = JSON.stringify(json);
    for (const { pattern } of [...told.matchAll(/"\$ref":"(?<pattern>[^"]+)"/g)].map(({ groups }) => groups!)) {
      expect(pattern).toBe('#/components/schemas/Error');
    }
  });

  test('every call is known to one of the two handlers, and no other method is', async () => {
    const predict = createPredict({ models: async () => models, emit: () => undefined });
    for (const path of new Set(calls.map((call) => call.path))) {
      const concrete = path.replace('{version}', '1').replaceAll(/\{[a-z]+\}/g, 'x');
      for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH']) {
        const known = calls.some((call) => call.path === path && call.method === method);
        const answers = [(await predict(apiEvent(method, concrete))).body, (await ask(method, concrete, {})).text];
        const codes = answers.map((text) => (text.startsWith('{') ? JSON.parse(text).error?.code : undefined));
        if (known)
          expect(
            codes.some((code) => code !== 'MethodNotAllowed'),
            `${method} ${path}`,
          ).toBe(true);
        else expect(codes, `${method} ${path}`).toContain('MethodNotAllowed');
      }
    }
  });
});

test.each(['/console', '/console/', '/console/index.html'])('%s is the web page', async (path) => {
  expect(await ask('GET', path)).toMatchObject({
    status: 200,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    text: expect.stringMatching(path === '/console' ? /<base href="console\/">/ : /<html/),
  });
});
