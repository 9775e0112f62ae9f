import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serviceOf } from '../../local/front.ts';
import { type RunningCloud, startCloud } from '../../local/start-cloud.ts';
import { apiOutputs, lambda, newHome, restApi, start, writeAssembly } from './assembly.ts';

const echo = 'export const handler = async () => ({ statusCode: 200, body: "{}" });';
const template = { Resources: { ...restApi(), Echo: lambda('echo') }, Outputs: apiOutputs };

let cloud: RunningCloud;
const home = newHome();

beforeAll(async () => {
  cloud = await start(template, { echo }, home);
});
afterAll(() => cloud.close());

/** The status of a GET with these headers, `Host` too, which fetch would not let us choose. */
function status(path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((done, failed) => {
    request(new URL(path, cloud.url), { headers }, (response) => {
      response.resume();
      done(response.statusCode!);
    })
      .on('error', failed)
      .end();
  });
}

describe('the one port', () => {
  test('lets programs on this machine in, and web pages of other origins not', async () => {
    const { host, port } = new URL(cloud.url);
    expect(await status('/prod/open', {})).toBe(200);
    expect(await status('/prod/open', { host: `localhost:${port}` })).toBe(200);
    expect(await status('/prod/open', { origin: cloud.url })).toBe(200);
    expect(await status('/prod/open', { host: 'evil.example' })).toBe(403);
    expect(await status('/prod/open', { host: `evil.example:${port}` })).toBe(403);
    expect(await status('/prod/open', { host, origin: 'https://evil.example' })).toBe(403);
    expect(await status('/prod/open', { host, origin: 'null' })).toBe(403);
    expect(await status('/prod/open', { host: `evil.localhost.example:${port}` })).toBe(403);
    expect(await status('/prod/open', { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'image' })).toBe(403);
    expect(await status('/prod/open', { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'document' })).toBe(200);
    expect(await status('/prod/open', { 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': 'script' })).toBe(200);
  });

  test('says where things are to who is lost', async () => {
    const response = await fetch(`${cloud.url}/nowhere`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'NotFound', where: '/nowhere' } });
  });

  test.each([
    ['s3', { authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0' }, '/'],
    [
      'states',
      { authorization: 'AWS4-HMAC-SHA256 Credential=a/b/20260101/eu-west-1/states/aws4_request,SignedHeaders=host,Signature=0' },
      '/',
    ],
    ['s3', { authorization: 'AWS test:signature' }, '/'],
    ['s3', {}, '/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=test%2F20260101%2Fus-east-1%2Fs3%2Faws4_request'],
    [undefined, {}, '/prod/predict?x=1'],
    [undefined, { authorization: 'Bearer token' }, '/prod/predict'],
  ])('a request is for %s by its signature', (service, headers, url) => {
    expect(serviceOf({ headers, url } as never)).toBe(service);
  });

  test('a service or operation that is not there is told so', async () => {
    const authorization = (service: string) => ({
      authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`,
    });
    expect((await fetch(cloud.url, { headers: authorization('ec2') })).status).toBe(404);
    const response = await fetch(cloud.url, {
      method: 'POST',
      headers: { ...authorization('states'), 'x-amz-target': 'AWSStepFunctions.CreateActivity' },
      body: '{}',
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ __type: 'UnknownOperationException' });
  });

  test('a second start on one home, or on one port, says so', async () => {
    const port = Number(new URL(cloud.url).port);
    const assembly = writeAssembly(template, { echo });
    await expect(startCloud({ assembly, home, port: 0 })).rejects.toThrow(/Another Ingot \(process \d+\) is running/);
    await expect(startCloud({ assembly, home: newHome(), port })).rejects.toThrow(`Port ${port} cannot be opened (EADDRINUSE).`);
  });
});

describe('a template', () => {
  test.each([
    [/AWS::EC2::Instance/, { Machine: { Type: 'AWS::EC2::Instance' } }],
    [/FifoQueue of AWS::SQS::Queue/, { Queue: { Type: 'AWS::SQS::Queue', Properties: { FifoQueue: true } } }],
    [/runtime python3.13/, { Function: lambda('echo', { Runtime: 'python3.13' }) }],
  ])('with what the laptop cloud does not know is refused: %s', async (message, Resources) => {
    await expect(start({ Resources }, { echo })).rejects.toThrow(message);
  });
});
