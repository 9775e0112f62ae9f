/**
 * kill -9 at random moments of a storm of writes, again and again on the same folder. After each start: every acknowledged
 * version is there and whole, none is half, and the event of each was delivered. `INGOT_CRASHES` sets how many times.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Random } from '../../../core/random.ts';
import { createS3, type S3ObjectEvent } from '../../../local/s3/s3.ts';
import { connect } from './server.ts';

const crashes = Number(process.env['INGOT_CRASHES'] ?? 8);
const Bucket = 'storm';
let home: string;
let root: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'ingot-crash-'));
  root = join(home, 's3');
});
afterAll(() => rm(home, { recursive: true }));

interface Running {
  child: ChildProcess;
  client: S3Client;
}

const delivered: S3ObjectEvent[] = [];

/** Starts the process; undefined where it was killed before it was ready. */
async function start(killAfter?: number): Promise<Running | undefined> {
  const child = spawn(process.execPath, [resolve(import.meta.dirname, 'crash-server.ts'), root], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (killAfter !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfter);
  const port = await new Promise<number | undefined>((done) => {
    child.once('close', (code) => done(code ? expect.fail(`the server ended with ${code}`) : undefined));
    createInterface({ input: child.stdout! }).on('line', (line) => {
      // A killed process may leave half a line; its event isn't acknowledged.
      if (!line.endsWith('}')) return;
      const message = JSON.parse(line) as { event?: S3ObjectEvent; port?: number };
      if (message.event) delivered.push(message.event);
      if (message.port) done(message.port);
    });
  });
  return port === undefined ? undefined : { child, client: connect(`http://127.0.0.1:${port}`) };
}

async function kill({ child, client }: Running): Promise<void> {
  const closed = new Promise((done) =>
    child.exitCode === null && child.signalCode === null ? child.once('close', done) : done(undefined),
  );
  child.kill('SIGKILL');
  await closed;
  client.destroy();
}

/** Bodies by attempt, whether acknowledged or not; and what was acknowledged. */
const attempts = new Map<string, string>();
const acknowledged: { Key: string; VersionId: string; attempt?: string }[] = [];
let count = 0;

const md5 = (body: Uint8Array) => createHash('md5').update(body).digest('hex');

function newBody(random: Random, size: number): { body: Buffer; Metadata: { attempt: string } } {
  const attempt = String(++count);
  const body = Buffer.alloc(size, `${attempt}:${random.uint32()};`);
  attempts.set(attempt, md5(body));
  return { body, Metadata: { attempt } };
}

async function writeOnce(client: S3Client, random: Random): Promise<void> {
  const Key = `key ${random.below(12)}`;
  const kind = random.below(10);
  if (kind < 6) {
    const { body, Metadata } = newBody(random, random.below(3) === 0 ? random.below(2_000_000) : random.below(2000));
    const { VersionId } = await client.send(new PutObjectCommand({ Bucket, Key, Body: body, Metadata }));
    acknowledged.push({ Key, VersionId: VersionId!, attempt: Metadata.attempt });
  } else if (kind < 8) {
    const { body, Metadata } = newBody(random, 5 * 1024 * 1024 + random.below(100_000));
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key, Metadata }));
    const Parts = await Promise.all(
      [body.subarray(0, 5 * 1024 * 1024), body.subarray(5 * 1024 * 1024)].map(async (Body, i) => {
        const { ETag } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: i + 1, Body }));
        return { PartNumber: i + 1, ETag };
      }),
    );
    const { VersionId } = await client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
    acknowledged.push({ Key, VersionId: VersionId!, attempt: Metadata.attempt });
  } else if (kind < 9) {
    const { VersionId } = await client.send(new DeleteObjectCommand({ Bucket, Key }));
    acknowledged.push({ Key, VersionId: VersionId! });
  } else {
    const source = acknowledged.findLast((write) => write.attempt !== undefined);
    if (!source) return;
    const CopySource = `${Bucket}/${encodeURIComponent(source.Key)}?versionId=${source.VersionId}`;
    const { VersionId } = await client.send(new CopyObjectCommand({ Bucket, Key, CopySource }));
    acknowledged.push({ Key, VersionId: VersionId!, ...(source.attempt !== undefined && { attempt: source.attempt }) });
  }
}

/** Writes from several sides until the process is gone. */
const storm = (client: S3Client, random: Random) =>
  Promise.all(
    Array.from({ length: 6 }, async () => {
      try {
        for (;;) await writeOnce(client, random);
      } catch (error) {
        // Whatever the client tells of a broken connection; an answer of S3's would have a status.
        expect((error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode).toBeUndefined();
      }
    }),
  );

const verified = new Set<string>();

/** @returns the versions and delete markers that are there, by their id */
async function check(client: S3Client): Promise<Map<string, { Key: string; deleteMarker: boolean }>> {
  const there = new Map<string, { Key: string; deleteMarker: boolean }>();
  let markers: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } | undefined = {};
  while (markers) {
    const page: Awaited<ReturnType<typeof listPage>> = await listPage(client, markers);
    for (const { Key, VersionId } of page.Versions ?? []) there.set(VersionId!, { Key: Key!, deleteMarker: false });
    for (const { Key, VersionId } of page.DeleteMarkers ?? []) there.set(VersionId!, { Key: Key!, deleteMarker: true });
    markers = page.IsTruncated ? { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker } : undefined;
  }
  for (const { Key, VersionId, attempt } of acknowledged)
    expect(there.get(VersionId)).toEqual({ Key, deleteMarker: attempt === undefined });
  for (const [VersionId, { Key, deleteMarker }] of there) {
    if (deleteMarker || verified.has(VersionId)) continue;
    const { Body, Metadata } = await client.send(new GetObjectCommand({ Bucket, Key, VersionId }));
    expect(md5(await Body!.transformToByteArray())).toBe(attempts.get(Metadata!['attempt']!));
    verified.add(VersionId);
  }
  return there;
}

const listPage = (client: S3Client, markers: object) => client.send(new ListObjectVersionsCommand({ Bucket, ...markers }));

it(`${crashes} kills lose nothing that was acknowledged and leave nothing half`, async () => {
  const random = new Random(20261124);
  for (let crash = 0; crash < crashes; crash++) {
    const delay = random.below(600);
    const killedAtStart = random.below(4) === 0;
    const running = await start(killedAtStart ? random.below(400) : undefined);
    if (!running) continue;
    await check(running.client).catch((error) => {
      if (!killedAtStart) throw error;
    });
    await Promise.all([storm(running.client, random), killedAtStart || sleep(delay).then(() => running.child.kill('SIGKILL'))]);
    await kill(running);
  }

  const last = (await start())!;
  const there = await check(last.client);
  expect(acknowledged.length).toBeGreaterThan(0);

  // No file is left but those of objects: with them and the unfinished uploads gone there is none.
  const { Uploads = [] } = await last.client.send(new ListMultipartUploadsCommand({ Bucket }));
  for (const { Key, UploadId } of Uploads) await last.client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  for (const [VersionId, { Key }] of there) await last.client.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
  await kill(last);
  const s3 = await createS3({ root });
  expect(readdirSync(join(root, 'data'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())).toEqual([]);

  // Each acknowledged change's event was delivered, or is still owed.
  const told = new Set([...delivered, ...s3.pendingEvents()].map(({ versionId, key }) => `${versionId} ${key}`));
  for (const { VersionId, Key } of acknowledged) expect(told).toContain(`${VersionId} ${Key}`);
  await s3.close();
});
