import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { environment } from '../../core/names.ts';
import { buildBootstrap } from '../../infra/assets.ts';
import { createS3, type S3 } from '../../local/s3/s3.ts';

/** A zip as the CDK writes one: files alone, deflated. */
function zip(files: Record<string, string>): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const [path, body] = [Buffer.from(name), deflateRawSync(text)];
    const sizes = Buffer.alloc(16);
    for (const [i, value] of [crc32(text), body.length, Buffer.byteLength(text)].entries()) sizes.writeUInt32LE(value, 4 * i);
    sizes.writeUInt16LE(path.length, 12);
    const head = Buffer.from('504b0304140000000800'.padEnd(28, '0'), 'hex');
    bodies.push(head, sizes, path, body);
    const entry = Buffer.concat([Buffer.from('504b01021400', 'hex'), head.subarray(4), sizes, Buffer.alloc(14), path]);
    entry.writeUInt32LE(offset, 42);
    directory.push(entry);
    offset += 30 + path.length + body.length;
  }
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...bodies, ...directory, end]);
}

/** As infra/assets.ts names a folder. */
function hashOf(files: Record<string, string>): string {
  const hash = createHash('sha256');
  for (const path of Object.keys(files).sort()) hash.update(`${path}\0${Buffer.byteLength(files[path]!)}\0`).update(files[path]!);
  return hash.digest('hex');
}

const code = {
  'dist/main.mjs': "import { word } from './word.mjs'; export async function main() { console.log(word); }",
  'dist/word.mjs': "export const word = 'started';",
  'bin/empty': '',
};

describe("a container's start", () => {
  const home = mkdtempSync(join(tmpdir(), 'ingot-bootstrap-'));
  let s3: S3;
  let server: Server;
  let endpoint: string;

  beforeAll(async () => {
    s3 = await createS3({ root: home });
    server = createServer((request, response) => s3.handle(request, response));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
    await client.send(new CreateBucketCommand({ Bucket: 'assets' }));
    await client.send(new PutObjectCommand({ Bucket: 'assets', Key: 'code.zip', Body: zip(code) }));
  });

  afterAll(async () => {
    await new Promise((done) => server.close(done));
    rmSync(home, { recursive: true, force: true });
  });

  const start = (more: Record<string, string>): Promise<{ failed: boolean; stdout: string; stderr: string }> =>
    new Promise((done) => {
      const env = {
        PATH: process.env['PATH'],
        TMPDIR: home,
        AWS_REGION: 'us-east-1',
        AWS_ENDPOINT_URL: endpoint,
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        [environment.jobCode]: 'https://s3.us-east-1.amazonaws.com/assets/code.zip',
        [environment.jobHash]: hashOf(code),
        ...more,
      };
      // As in the job definition.
      execFile(process.execPath, ['-e', buildBootstrap()], { env }, (error, stdout, stderr) =>
        done({ failed: error !== null, stdout, stderr }),
      );
    });

  it('fetches the code by a signed request, unpacks it and runs it', async () => {
    expect(await start({})).toEqual({ failed: false, stdout: 'started\n', stderr: '' });
  });

  it('signs with the credentials that it has: others are refused', async () => {
    const { failed, stderr } = await start({ AWS_SECRET_ACCESS_KEY: 'another' });
    expect([failed, stderr]).toEqual([true, expect.stringContaining('answers 403')]);
  });

  it('runs nothing that is not what was deployed', async () => {
    const { failed, stdout, stderr } = await start({ [environment.jobHash]: hashOf({ ...code, 'dist/word.mjs': '' }) });
    expect([failed, stdout, stderr]).toEqual([true, '', expect.stringContaining('not what was deployed')]);
  });

  it('says which object is not there', async () => {
    const { failed, stderr } = await start({ [environment.jobCode]: 'https://s3.us-east-1.amazonaws.com/assets/other.zip' });
    expect([failed, stderr]).toEqual([true, expect.stringMatching(/assets\/other\.zip answers 404/)]);
  });
});
