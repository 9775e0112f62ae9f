import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, describe, expect, test } from 'vitest';
import { lambda, newHome, writeAssembly } from './assembly.ts';
import { endProcess, killAll, lives, startProcess } from './processes.ts';

const functions = {
  /** Says in the home's `began` that it began, and after `ms` in `done` that it is done. */
  works: `
    import { appendFileSync } from 'node:fs';
    import { join } from 'node:path';
    export const handler = async (event) => {
      const key = event.Records?.[0].s3.object.key ?? event.key;
      appendFileSync(join(process.env.NOTES, 'began'), key + '\\n');
      await new Promise((done) => setTimeout(done, Number(process.env.MS)));
      appendFileSync(join(process.env.NOTES, 'done'), key + '\\n');
      return process.pid;
    };`,
};

const assembly = (home: string) =>
  writeAssembly(
    {
      Resources: {
        Works: lambda('works', { Timeout: 60, Environment: { Variables: { NOTES: home, MS: '700' } } }),
        Data: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'data' } },
        Events: {
          Type: 'Custom::S3BucketNotifications',
          Properties: {
            BucketName: 'data',
            NotificationConfiguration: {
              LambdaFunctionConfigurations: [{ Events: ['s3:ObjectCreated:*'], LambdaFunctionArn: { 'Fn::GetAtt': ['Works', 'Arn'] } }],
            },
          },
        },
      },
    },
    functions,
  );

afterAll(killAll);

const put = (endpoint: string, Key: string) =>
  new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } }).send(
    new PutObjectCommand({ Bucket: 'data', Key, Body: 'text' }),
  );

const invoke = async (url: string) => {
  const response = await fetch(`${url}/2015-03-31/functions/works/invocations`, {
    method: 'POST',
    body: '{"key":"invoked"}',
    headers: { authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0' },
  });
  return (await response.json()) as number;
};

const notes = (home: string, name: string) =>
  existsSync(join(home, name)) ? readFileSync(join(home, name), 'utf8').trim().split('\n') : [];

describe('killed with kill -9', () => {
  test('what was acknowledged is delivered after the next start, and no process of a function is left', async () => {
    const home = newHome();
    const directory = assembly(home);
    const first = await startProcess(directory, home);
    const pid = await invoke(first.url);
    expect(lives(pid)).toBe(true);
    await Promise.all(['a', 'b', 'c', 'd'].map((key) => put(first.url, key)));
    await endProcess(first.child, 'SIGKILL');
    await expect.poll(() => lives(pid)).toBe(false);
    const second = await startProcess(directory, home);
    await expect.poll(() => new Set(notes(home, 'done'))).toEqual(new Set(['invoked', 'a', 'b', 'c', 'd']));
    await endProcess(second.child, 'SIGTERM');
  });
});

describe('told to stop by SIGTERM', () => {
  test('it ends with 0, its functions with it, and says no more that it is ready', async () => {
    const home = newHome();
    const { child, url } = await startProcess(assembly(home), home);
    const pid = await invoke(url);
    expect(existsSync(join(home, 'outputs.json'))).toBe(true);
    expect(await endProcess(child, 'SIGTERM')).toBe(0);
    await expect.poll(() => lives(pid)).toBe(false);
    expect(existsSync(join(home, 'outputs.json'))).toBe(false);
    expect(existsSync(join(home, 'lock'))).toBe(false);
  });
});
