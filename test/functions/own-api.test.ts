import { afterAll, beforeAll, expect, test } from 'vitest';
import { environment } from '../../core/names.ts';
import { createHandler } from '../../functions/api.lambda.ts';
import { apiEvent } from './api-event.ts';
import { Laboratory } from './laboratory.ts';

const lab = new Laboratory();
const api = createHandler(() => ({ ...lab.services, presign: async () => 'https://signed' }));

beforeAll(() => {
  process.env[environment.basePath] = '/ml';
});
afterAll(() => {
  delete process.env[environment.basePath];
});

test('under a path of somebody’s API all is as at its root', async () => {
  expect(await lab.ask('GET', '/ml/ping')).toMatchObject({ statusCode: 200 });
  expect((await api(apiEvent('GET', '/ml/models'))).body).toBe('{"models":[]}');
  expect((await api(apiEvent('GET', '/ml/console/'))).body).toContain('<title>');
  expect(JSON.parse((await api(apiEvent('GET', '/ml/openapi.json'))).body)).toMatchObject({ servers: [{ url: '.' }] });
  for (const path of ['/ml', '/ml/']) expect((await api(apiEvent('GET', path))).statusCode).toBe(404);
});

test('what only begins like it is no path of ours', async () => {
  expect(JSON.parse((await lab.ask('GET', '/mlping')).body)).toMatchObject({
    error: { code: 'NotFound', message: 'There is no path /mlping.' },
  });
});
