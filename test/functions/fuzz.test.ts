import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { errorSchema } from '../../core/api/schemas.ts';
import { errorCodes } from '../../core/errors.ts';
import { MemoryObjectStore } from '../../core/registry/memory-object-store.ts';
import { createHandler } from '../../functions/api.lambda.ts';
import { createPredict } from '../../functions/predict.lambda.ts';
import { Queue } from '../registry/queue.ts';
import { apiEvent } from './api-event.ts';
import { noBatch } from './batch.ts';
import { publishSmallModel } from './small-model.ts';

const models = new MemoryObjectStore();
const predict = createPredict({ models: async () => models, emit: () => undefined });
const services = {
  data: new MemoryObjectStore(),
  models,
  executions: new Queue(),
  jobs: noBatch,
  now: () => new Date(),
  presign: async (key: string) => key,
};
const api = createHandler(() => services);

beforeAll(() => publishSmallModel(models, 'm'));

const segment = fc.oneof(
  fc.constantFrom(
    'm',
    'models',
    'predict',
    'live',
    'aliases',
    'versions',
    '1',
    'v2',
    'infer',
    'runs',
    'datasets',
    'uploads',
    '__proto__',
    '..',
    '%2e',
    '%',
    '',
  ),
  fc.string(),
);
const path = fc.oneof(
  fc.constantFrom('/predict', '/models/m/predict', '/invocations', '/v2/models/m/infer', '/models/m/aliases/live', '/datasets/d/uploads'),
  fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join('/')}`.replaceAll(/[?#]/g, '')),
);
const cell = fc.oneof(fc.constantFrom('size', 'colour', 'red', '1', '"', ',', '\n', ';', '\0', '\uFEFF'), fc.string({ maxLength: 3 }));
const body = fc.oneof(
  fc.json(),
  fc.array(cell).map((cells) => cells.join('')),
  fc
    .jsonValue()
    .map((value) =>
      JSON.stringify({ rows: [value], input_data: [value], inputs: [value], instances: value, version: value, files: value }),
    ),
  fc
    .record({ size: fc.jsonValue(), colour: fc.jsonValue() })
    .map((row) => JSON.stringify({ rows: [row], input_data: [[row.size, row.colour]], model: 'm' })),
);
const type = fc.constantFrom('application/json', 'text/csv', 'application/x-ndjson', 'text/html', ';;', '');
const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH');

test('whatever is asked, the answer is an answer or an error of the contract, and never a defect', async () => {
  await fc.assert(
    fc.asyncProperty(method, path, type, body, fc.boolean(), async (method, path, type, text, isBase64Encoded) => {
      const event = { ...apiEvent(method, path, text, { 'Content-Type': type }), isBase64Encoded };
      for (const { statusCode, body } of [
        await predict(event),
        (await api(event as never)) as never as { statusCode: number; body: string },
      ]) {
        expect(statusCode, `${method} ${path}: ${body}`).toBeLessThan(500);
        if (statusCode < 400 || method === 'HEAD') continue;
        const { error } = errorSchema.parse(JSON.parse(body));
        expect(errorCodes[error.code].status).toBe(statusCode);
      }
    }),
    { numRuns: 1500 },
  );
});
