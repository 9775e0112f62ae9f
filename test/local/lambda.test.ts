import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningCloud } from '../../local/start-cloud.ts';
import { lambda, newHome, start } from './assembly.ts';

const functions = {
  works: `
    let running = 0, most = 0;
    export const handler = async (event, context) => {
      most = Math.max(most, ++running);
      await new Promise((done) => setTimeout(done, event.ms ?? 0));
      running--;
      console.log('worked on', JSON.stringify(event));
      return { event, most, pid: process.pid, id: context.awsRequestId, left: context.getRemainingTimeInMillis(), stage: process.env.STAGE,
        memory: context.memoryLimitInMB, secret: process.env.INGOT_TEST_SECRET };
    };`,
  fails: `
    class Unreadable extends Error { name = 'UnreadableDataset'; }
    export const handler = async (event) => { throw event.text ? event.text : new Unreadable('no rows'); };`,
  exits: 'export const handler = async () => process.exit(3);',
  broken: "import 'not-there'; export const handler = async () => 1;",
  nameless: 'export const other = 1;',
  slow: 'await new Promise((done) => setTimeout(done, 200)); export const handler = async () => 1;',
  hungry: 'export const handler = async () => { const all = []; for (;;) all.push(new Array(100_000).fill({ a: 1 })); };',
  counts: `
    import { appendFileSync } from 'node:fs';
    export const handler = async (event) => { appendFileSync(event.path, 'x'); if (event.fail) throw new Error('again'); };`,
};

let cloud: RunningCloud;
const home = newHome();

beforeAll(async () => {
  process.env['INGOT_TEST_SECRET'] = 'of the user';
  const template = {
    Resources: {
      Works: lambda('works', { Environment: { Variables: { STAGE: 'laptop' } } }),
      Sleeps: { ...lambda('works', { FunctionName: 'sleeps', Timeout: 1 }) },
      Fails: lambda('fails'),
      Exits: lambda('exits'),
      Broken: lambda('broken'),
      Nameless: lambda('nameless'),
      Slow: lambda('slow'),
      Hungry: lambda('hungry', { Timeout: 60 }),
      Closed: lambda('works', { FunctionName: 'closed', ReservedConcurrentExecutions: 0 }),
      Dead: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'dead' } },
      Counts: lambda('counts', { DeadLetterConfig: { TargetArn: { 'Fn::GetAtt': ['Dead', 'Arn'] } } }),
    },
  };
  cloud = await start(template, functions, home);
});
afterAll(() => cloud.close());

async function invoke(name: string, event: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${cloud.url}/2015-03-31/functions/${name}/invocations`, {
    method: 'POST',
    body: JSON.stringify(event),
    headers: { ...signature('lambda'), ...headers },
  });
  const text = await response.text();
  return { status: response.status, failed: response.headers.get('x-amz-function-error'), body: text && JSON.parse(text) };
}

const signature = (service: string) => ({
  authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`,
});

describe('a function', () => {
  test('gets its event, context and environment, and nothing of the user’s', async () => {
    const { status, failed, body } = await invoke('works', { a: 'ä' });
    expect({ status, failed }).toEqual({ status: 200, failed: null });
    expect(body).toMatchObject({ event: { a: 'ä' }, stage: 'laptop', memory: '256' });
    expect(body.secret).toBeUndefined();
    expect(body.left).toBeGreaterThan(1000);
    expect(body.id).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('takes one event at a time in a process, and stays warm', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => invoke('works', { ms: 20 })));
    expect(answers.map(({ body }) => body.most)).toEqual(Array(8).fill(1));
    const { body } = await invoke('works', {});
    expect(answers.map((answer) => answer.body.pid)).toContain(body.pid);
  });

  test('that is still loading when its event comes answers it once it has loaded', async () => {
    expect(await invoke('slow', {})).toEqual({ status: 200, failed: null, body: 1 });
  });

  test('that throws is answered with 200, FunctionError and the error', async () => {
    const { status, failed, body } = await invoke('fails', {});
    expect({ status, failed }).toEqual({ status: 200, failed: 'Unhandled' });
    expect(body).toMatchObject({ errorType: 'UnreadableDataset', errorMessage: 'no rows' });
    expect(body.trace[0]).toContain('no rows');
    expect((await invoke('fails', { text: 'only text' })).body).toMatchObject({ errorType: 'string', errorMessage: 'only text' });
  });

  test('is killed at its timeout, and the next event finds a new process', async () => {
    const { failed, body } = await invoke('sleeps', { ms: 60_000 });
    expect(failed).toBe('Unhandled');
    expect(body).toMatchObject({ errorType: 'Sandbox.Timedout' });
    expect(body.errorMessage).toMatch(/Task timed out after 1\.00 seconds$/);
    expect((await invoke('sleeps', {})).failed).toBeNull();
  });

  test.each([
    ['exits', 'Runtime.ExitError', /exit status 3/],
    ['broken', 'Error', /not-there/],
    ['nameless', 'Runtime.HandlerNotFound', /index\.handler/],
    ['hungry', 'Runtime.ExitError', /SIGABRT|SIGKILL|SIGTRAP|exit status/],
  ])('that cannot go on (%s) is told as %s', async (name, errorType, message) => {
    const { failed, body } = await invoke(name, {});
    expect(failed).toBe('Unhandled');
    expect(body.errorType).toBe(errorType);
    expect(body.errorMessage).toMatch(message);
  });

  test('that ends its process answers all that wait for a place', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => invoke('exits', {})));
    expect(answers.map(({ body }) => body.errorType)).toEqual(Array(8).fill('Runtime.ExitError'));
  });

  test('without concurrency is throttled; one that is not there is a 404; an event that is no JSON is a 400', async () => {
    expect(await invoke('closed', {})).toMatchObject({ status: 429 });
    expect(await invoke('nobody', {})).toMatchObject({ status: 404 });
    const response = await fetch(`${cloud.url}/2015-03-31/functions/works/invocations`, {
      method: 'POST',
      body: '{',
      headers: signature('lambda'),
    });
    expect(response.status).toBe(400);
    await response.text();
  });

  test('writes to its log group, which its configuration names', async () => {
    const configuration = await fetch(`${cloud.url}/2015-03-31/functions/works/configuration`, { headers: signature('lambda') });
    expect(await configuration.json()).toMatchObject({ FunctionName: 'works', LoggingConfig: { LogGroup: '/aws/lambda/works' } });
    await invoke('works', { mark: 'in the log' });
    const log = join(home, 'logs', `${encodeURIComponent('/aws/lambda/works')}.log`);
    await expect.poll(() => read(log)).toContain('{"mark":"in the log"}');
  });
});

describe('an asynchronous invocation', () => {
  test('is accepted at once and done once', async () => {
    const path = join(home, 'once');
    expect((await invoke('counts', { path }, { 'x-amz-invocation-type': 'Event' })).status).toBe(202);
    await expect.poll(() => read(path)).toBe('x');
  });

  test('that fails is tried three times, and then lies in the dead-letter queue', async () => {
    const path = join(home, 'thrice');
    await invoke('counts', { path, fail: true }, { 'x-amz-invocation-type': 'Event' });
    const queue = [...cloud.cloud.queues.values()][0]!;
    await expect.poll(() => queue.count().visible).toBe(1);
    expect(read(path)).toBe('xxx');
    const [message] = await queue.receive(1, 30_000, 0, AbortSignal.timeout(1000));
    expect(JSON.parse(message!.body)).toEqual({ path, fail: true });
    expect(message!.attributes).toMatchObject({ ErrorMessage: { StringValue: 'again' } });
  });
});

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
