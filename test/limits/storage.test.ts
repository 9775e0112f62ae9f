/** Limits of S3: 1,024 bytes of a key, 5 GB of a PUT, 10,000 parts of 5 MB to 5 GB. */
import { createReadStream, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dataKeys, modelKeys } from '../../core/keys.ts';
import { createHandler } from '../../functions/api.lambda.ts';
import { apiEvent } from '../functions/api-event.ts';
import { Laboratory } from '../functions/laboratory.ts';
import { startServer, type TestServer } from '../local/s3/server.ts';

const gibibyte = 2 ** 30;
const most = { key: 1024, put: 5 * gibibyte, parts: 10_000, leastPart: 5 * 2 ** 20 };
const name = 'd'.repeat(63);

const folder = mkdtempSync(join(tmpdir(), 'ingot-parts-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('every key that Ingot writes is short enough, with the longest names that it takes', () => {
  const [run, revision] = [`${name}-0123456789ab`, '0123456789abcdef'];
  const file = 'é'.repeat(200);
  const keys = [
    dataKeys.raw(name, file),
    dataKeys.suspiciousLabelsFile(name, revision),
    dataKeys.trainKeys(name, revision),
    modelKeys.trial(run, 'extraTrees-19'),
    modelKeys.foldAnswers(run, 1, 999, 19),
    modelKeys.explain(name, 999_999_999),
    modelKeys.alias(name, name),
  ];
  for (const key of keys) expect(Buffer.byteLength(key)).toBeLessThanOrEqual(most.key);
});

test('a name that would make a longer key is refused, with what is allowed', async () => {
  const api = createHandler(() => ({ ...new Laboratory().services, presign: async () => '' }));
  const { statusCode, body } = await api(apiEvent('POST', `/datasets/${name}/uploads`, { files: ['f'.repeat(201)] }));
  expect(statusCode).toBe(400);
  expect(JSON.parse(body)).toMatchObject({ error: { code: 'InvalidName', fix: expect.stringContaining('1 to 200 characters') } });
  const long = await api(apiEvent('POST', `/datasets/${'d'.repeat(64)}/uploads`, { files: ['f.csv'] }));
  expect(JSON.parse(long.body)).toMatchObject({ error: { code: 'InvalidName', fix: expect.stringContaining('1 to 63') } });
});

test('a table as large as the disk of a job is uploaded in parts that S3 takes', () => {
  const path = join(folder, 'table.parquet');
  writeFileSync(path, '');
  // A sparse file: it takes no place.
  truncateSync(path, 200 * gibibyte);
  const body = createReadStream(path);
  const upload = new Upload({ client: {} as never, params: { Bucket: 'b', Key: 'k', Body: body } }) as unknown as { partSize: number };
  body.destroy();
  expect(upload.partSize).toBeGreaterThanOrEqual(most.leastPart);
  expect(upload.partSize).toBeLessThanOrEqual(most.put);
  expect(Math.ceil((200 * gibibyte) / upload.partSize)).toBeLessThanOrEqual(most.parts);
});

describe('on the laptop', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
    await server.client().send(new CreateBucketCommand({ Bucket: 'bucket' }));
  });
  afterAll(() => server.stop());

  test('a PUT of more than 5 GB, to an address that the API gave, is refused before its body is read', async () => {
    const url = await getSignedUrl(server.client(), new PutObjectCommand({ Bucket: 'bucket', Key: 'raw/d/large.csv' }));
    const answer = await new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      const put = request(url, { method: 'PUT', headers: { 'content-length': most.put + 1 } }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => resolve({ status: response.statusCode, text }));
      });
      put.on('error', reject).flushHeaders();
    });
    expect(answer).toEqual({ status: 400, text: expect.stringContaining('EntityTooLarge') });
  });
});
