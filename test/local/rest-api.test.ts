import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningCloud } from '../../local/start-cloud.ts';
import { apiOutputs, lambda, restApi, start } from './assembly.ts';

const echo = `
  export const handler = async (event) => {
    if (event.path === '/open/size') return { statusCode: 201, body: String(event.body.length) };
    if (event.path === '/open/nonsense') return { nonsense: true };
    if (event.path === '/open/header') return { statusCode: 200, headers: { 'x-bad': 'a\\nb' }, body: '' };
    if (event.path === '/open/throws') throw new Error('thrown');
    if (event.path === '/open/bytes') return { statusCode: 200, headers: { 'Content-Type': 'application/octet-stream' }, body: 'AAH/', isBase64Encoded: true };
    if (event.path === '/open/cookies') return { statusCode: 204, multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'] } };
    return { statusCode: 201, headers: { 'x-from': 'echo' }, body: JSON.stringify(event) };
  };`;

let cloud: RunningCloud;
let api: string;
let key: string;

beforeAll(async () => {
  const Resources = { ...restApi({ Throttle: { RateLimit: 1000, BurstLimit: 1000 } }), Echo: lambda('echo', { Timeout: 29 }) };
  cloud = await start({ Resources, Outputs: apiOutputs }, { echo });
  api = cloud.outputs['ApiUrl']!;
  key = cloud.outputs['ApiKey']!;
});
afterAll(() => cloud.close());

describe('a REST API', () => {
  test('has its address on the laptop among the outputs', () => {
    expect(api).toBe(`${cloud.url}/prod/`);
  });

  test('hands a proxy event to the function and its answer back', async () => {
    const response = await fetch(`${api}open/caf%C3%A9/a%2Fb/c?x=1&x=2&y=%20`, {
      method: 'PUT',
      body: '{"ä":1}',
      headers: { 'content-type': 'application/json', 'X-Thing': '"quoted"' },
    });
    expect(response.status).toBe(201);
    expect(response.headers.get('x-from')).toBe('echo');
    expect(response.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
    expect(await response.json()).toMatchObject({
      resource: '/open/{thing}/{proxy+}',
      path: '/open/café/a/b/c',
      httpMethod: 'PUT',
      pathParameters: { thing: 'café', proxy: 'a/b/c' },
      queryStringParameters: { x: '2', y: ' ' },
      multiValueQueryStringParameters: { x: ['1', '2'], y: [' '] },
      headers: { 'X-Thing': '"quoted"' },
      requestContext: { stage: 'prod', path: '/prod/open/caf%C3%A9/a%2Fb/c', httpMethod: 'PUT', identity: { sourceIp: '127.0.0.1' } },
      body: '{"ä":1}',
      isBase64Encoded: false,
    });
  });

  test('carries bytes both ways', async () => {
    const response = await fetch(`${api}open`, {
      method: 'POST',
      body: new Uint8Array([0, 255]),
      headers: { 'content-type': 'application/octet-stream' },
    });
    expect(await response.json()).toMatchObject({ body: 'AP8=', isBase64Encoded: true });
    const bytes = await (await fetch(`${api}open/bytes`)).arrayBuffer();
    expect([...new Uint8Array(bytes)]).toEqual([0, 1, 255]);
    expect((await fetch(`${api}open/cookies`)).headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  test('asks for the key, and refuses in the words of the template', async () => {
    for (const headers of [{}, { 'x-api-key': 'wrong' }] as Record<string, string>[]) {
      const response = await fetch(`${api}echo`, { headers });
      expect(response.status).toBe(403);
      expect(await response.json()).toEqual({ error: { code: 'Forbidden', message: 'Forbidden' } });
    }
    const admitted = (await (await fetch(`${api}echo`, { headers: { 'X-API-Key': key } })).json()) as { requestContext: object };
    expect(admitted.requestContext).toMatchObject({ identity: { apiKey: key, apiKeyId: cloud.outputs['ApiKeyId'] } });
  });

  test('takes the 6 MB that Lambda takes and answers more with 413, and goes on', async () => {
    const megabyte = 1024 * 1024;
    const post = (size: number) =>
      fetch(`${api}open/size`, { method: 'POST', body: 'x'.repeat(size), headers: { 'content-type': 'text/plain' } });
    expect((await post(6 * megabyte - 4096)).status).toBe(201);
    expect((await post(6 * megabyte)).status).toBe(413);
    expect((await post(10 * megabyte + 1)).status).toBe(413);
    expect((await fetch(`${api}open`)).status).toBe(201);
  });

  test('a client that reads no answer before it has sent all, and then closes, still gets it', async () => {
    const statusOf = (path: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const request = httpRequest(`${api}${path}`, { method: 'POST', agent: false }, (response) => resolve(response.resume().statusCode));
        request.on('error', reject).end(Buffer.alloc(12 * 1024 * 1024, 'x'));
      });
    expect(await statusOf('open/size')).toBe(413);
    expect(await statusOf('echo')).toBe(403);
  });

  test('answers 502 for a function that fails or answers nonsense, and 403 for a path that is not there', async () => {
    expect((await fetch(`${api}open/throws`)).status).toBe(502);
    expect((await fetch(`${api}open/nonsense`)).status).toBe(502);
    expect((await fetch(`${api}open/header`)).status).toBe(502);
    expect((await fetch(`${api}nowhere`)).status).toBe(403);
  });

  test('counts what it answered', async () => {
    const series = cloud.cloud.metrics.find('AWS/ApiGateway', '5XXError', [{ Name: 'ApiName', Value: 'Api' }])!;
    expect(series.statistic('Sum', 0, Date.now() + 60_000)).toBe(3);
  });
});

describe('a usage plan', () => {
  test('throttles and has its quota', async () => {
    const plan = { Throttle: { RateLimit: 0.001, BurstLimit: 3 }, Quota: { Limit: 2, Period: 'DAY' } };
    const small = await start({ Resources: { ...restApi(plan), Echo: lambda('echo') }, Outputs: apiOutputs }, { echo });
    const get = async () => (await fetch(`${small.outputs['ApiUrl']}echo`, { headers: { 'x-api-key': small.outputs['ApiKey']! } })).status;
    expect([await get(), await get(), await get(), await get()]).toEqual([201, 201, 429, 429]);
    await small.close();
  });
});
