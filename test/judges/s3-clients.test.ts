/**
 * The same programs, written for S3, against the laptop's S3 and against MiniStack's, which we didn't write: what holds on one holds on
 * the other. First @aws-sdk/client-s3 with lib-storage, then boto3 (s3_clients.py), then the AWS CLI.
 */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import {
  AbortMultipartUploadCommand,
  ChecksumAlgorithm,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, startServer } from '../local/s3/server.ts';
import { python, pythonHas } from '../python.ts';
import { startMiniStack } from './ministack.ts';

const run = promisify(execFile);
const mib = 1024 * 1024;
const quotedMd5 = (body: string | Uint8Array) => `"${createHash('md5').update(body).digest('hex')}"`;

const miniStack = pythonHas('ministack', 'boto3') ? [{ name: "MiniStack's S3", start: () => startMiniStack() }] : [];
const servers = [
  { name: "the laptop's S3", start: (): Promise<{ endpoint: string; stop(): Promise<void> }> => startServer() },
  ...miniStack,
];

describe.each(servers)('$name', ({ start }) => {
  let server: { endpoint: string; stop(): Promise<void> };
  let client: S3Client;
  let Bucket: string;
  let buckets = 0;

  beforeAll(async () => {
    server = await start();
    client = connect(server.endpoint);
  });
  afterAll(async () => {
    client?.destroy();
    await server?.stop();
  });

  const newBucket = async (versioned = false) => {
    Bucket = `clients-${++buckets}`;
    await client.send(new CreateBucketCommand({ Bucket }));
    if (versioned) await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  };
  const put = (Key: string, Body: string | Uint8Array, rest = {}) => client.send(new PutObjectCommand({ Bucket, Key, Body, ...rest }));
  const get = (Key: string, rest = {}) => client.send(new GetObjectCommand({ Bucket, Key, ...rest }));
  const text = async (Key: string, rest = {}) => (await get(Key, rest)).Body?.transformToString();
  const fails = async (promise: Promise<unknown>, status: number, name?: string) => {
    const error = await promise.then(
      () => expect.fail('it should have been refused'),
      (reason: { name: string; $metadata: { httpStatusCode: number } }) => reason,
    );
    expect(error).toMatchObject({ $metadata: { httpStatusCode: status }, ...(name && { name }) });
  };

  describe('buckets', () => {
    it('are created, listed, found and deleted when they are empty', async () => {
      await newBucket();
      await client.send(new HeadBucketCommand({ Bucket }));
      expect((await client.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name)).toContain(Bucket);
      await put('key', 'x');
      await fails(client.send(new DeleteBucketCommand({ Bucket })), 409, 'BucketNotEmpty');
      await client.send(new DeleteObjectCommand({ Bucket, Key: 'key' }));
      await client.send(new DeleteBucketCommand({ Bucket }));
      await fails(client.send(new HeadBucketCommand({ Bucket })), 404);
      await fails(client.send(new ListObjectsV2Command({ Bucket })), 404, 'NoSuchBucket');
      await fails(put('key', 'x'), 404, 'NoSuchBucket');
    });
  });

  describe('objects', () => {
    beforeAll(() => newBucket());

    it('come back with their bytes, headers and metadata', async () => {
      const body = randomBytes(300_000);
      const rest = {
        ContentType: 'image/png',
        CacheControl: 'max-age=5',
        ContentDisposition: 'inline',
        ContentLanguage: 'de',
        Metadata: { colour: 'blue' },
      };
      expect((await put('a/b.png', body, rest)).ETag).toBe(quotedMd5(body));
      const got = await get('a/b.png');
      expect(Buffer.from(await got.Body!.transformToByteArray()).equals(body)).toBe(true);
      expect(got).toMatchObject({ ...rest, ETag: quotedMd5(body), ContentLength: body.length, AcceptRanges: 'bytes' });
      expect(await client.send(new HeadObjectCommand({ Bucket, Key: 'a/b.png' }))).toMatchObject({ ...rest, ContentLength: body.length });
      await fails(get('nothing'), 404, 'NoSuchKey');
      await fails(client.send(new HeadObjectCommand({ Bucket, Key: 'nothing' })), 404, 'NotFound');
    });

    it('may be empty', async () => {
      await put('empty', '');
      expect(await text('empty')).toBe('');
    });

    it('give ranges', async () => {
      await put('digits', '0123456789');
      expect(await get('digits', { Range: 'bytes=2-4' })).toMatchObject({ ContentRange: 'bytes 2-4/10', ContentLength: 3 });
      expect(await text('digits', { Range: 'bytes=2-4' })).toBe('234');
      expect(await text('digits', { Range: 'bytes=7-' })).toBe('789');
      expect(await text('digits', { Range: 'bytes=-3' })).toBe('789');
      expect(await text('digits', { Range: 'bytes=8-100' })).toBe('89');
      await fails(get('digits', { Range: 'bytes=10-' }), 416, 'InvalidRange');
    });

    it('are answered conditionally', async () => {
      const { ETag } = await put('if', 'x');
      const { LastModified } = await get('if');
      const past = new Date(LastModified!.getTime() - 60_000);
      const future = new Date(LastModified!.getTime() + 60_000);
      expect(await text('if', { IfMatch: ETag })).toBe('x');
      await fails(get('if', { IfMatch: '"other"' }), 412, 'PreconditionFailed');
      await fails(get('if', { IfNoneMatch: ETag }), 304);
      expect(await text('if', { IfNoneMatch: '"other"' })).toBe('x');
      expect(await text('if', { IfModifiedSince: past })).toBe('x');
      await fails(get('if', { IfModifiedSince: LastModified }), 304);
      await fails(get('if', { IfUnmodifiedSince: past }), 412);
      expect(await text('if', { IfUnmodifiedSince: future })).toBe('x');
    });

    it('are answered with the headers that the request asks for', async () => {
      await put('named', 'x');
      const got = await get('named', { ResponseContentType: 'text/csv', ResponseContentDisposition: 'attachment; filename="x.csv"' });
      expect(got).toMatchObject({ ContentType: 'text/csv', ContentDisposition: 'attachment; filename="x.csv"' });
    });

    it('have tags', async () => {
      await put('tagged', 'x', { Tagging: 'team=a%26b' });
      expect((await client.send(new GetObjectTaggingCommand({ Bucket, Key: 'tagged' }))).TagSet).toEqual([{ Key: 'team', Value: 'a&b' }]);
      await client.send(new PutObjectTaggingCommand({ Bucket, Key: 'tagged', Tagging: { TagSet: [{ Key: 'k', Value: 'v' }] } }));
      expect((await client.send(new GetObjectTaggingCommand({ Bucket, Key: 'tagged' }))).TagSet).toEqual([{ Key: 'k', Value: 'v' }]);
    });

    it('are copied, with their metadata or with other', async () => {
      const { ETag } = await put('from here', 'copied', { ContentType: 'text/plain', Metadata: { colour: 'blue' } });
      const CopySource = `${Bucket}/from%20here`;
      const { CopyObjectResult } = await client.send(new CopyObjectCommand({ Bucket, Key: 'to', CopySource }));
      expect(CopyObjectResult?.ETag).toBe(ETag);
      expect(await get('to')).toMatchObject({ ContentType: 'text/plain', Metadata: { colour: 'blue' } });
      const replaced = { MetadataDirective: 'REPLACE', Metadata: { colour: 'red' }, ContentType: 'text/css' } as const;
      await client.send(new CopyObjectCommand({ Bucket, Key: 'to', CopySource, ...replaced }));
      expect(await get('to')).toMatchObject({ ContentType: 'text/css', Metadata: { colour: 'red' } });
      await fails(
        client.send(new CopyObjectCommand({ Bucket, Key: 'to', CopySource, CopySourceIfMatch: '"other"' })),
        412,
        'PreconditionFailed',
      );
      await fails(client.send(new CopyObjectCommand({ Bucket, Key: 'to', CopySource: `${Bucket}/nothing` })), 404, 'NoSuchKey');
    });

    it('are deleted only as they were seen', async () => {
      const { ETag } = await put('seen', '1');
      await put('seen', '2');
      await fails(client.send(new DeleteObjectCommand({ Bucket, Key: 'seen', IfMatch: ETag })), 412, 'PreconditionFailed');
      await client.send(new DeleteObjectCommand({ Bucket, Key: 'seen', IfMatch: quotedMd5('2') }));
      await fails(client.send(new DeleteObjectCommand({ Bucket, Key: 'seen', IfMatch: ETag })), 404, 'NoSuchKey');
    });

    it('are deleted, one or many at a time', async () => {
      for (const key of ['d1', 'd2', 'd & 3']) await put(key, 'x');
      await client.send(new DeleteObjectCommand({ Bucket, Key: 'd1' }));
      await client.send(new DeleteObjectCommand({ Bucket, Key: 'd1' })); // what isn't there is deleted too
      await fails(get('d1'), 404, 'NoSuchKey');
      const Objects = [{ Key: 'd2' }, { Key: 'd & 3' }, { Key: 'd4' }];
      const { Deleted, Errors } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
      expect([Deleted?.map(({ Key }) => Key).sort(), Errors ?? []]).toEqual([['d & 3', 'd2', 'd4'], []]);
      await fails(get('d & 3'), 404, 'NoSuchKey');
    });
  });

  describe('conditional writes', () => {
    beforeAll(() => newBucket());

    it('write only where there is nothing', async () => {
      await put('once', 'first', { IfNoneMatch: '*' });
      await fails(put('once', 'second', { IfNoneMatch: '*' }), 412, 'PreconditionFailed');
      expect(await text('once')).toBe('first');
      await client.send(new DeleteObjectCommand({ Bucket, Key: 'once' }));
      await put('once', 'third', { IfNoneMatch: '*' });
      expect(await text('once')).toBe('third');
    });

    it('write only over the version they have seen', async () => {
      const { ETag } = await put('pointer', '1');
      await put('pointer', '2', { IfMatch: ETag });
      await fails(put('pointer', '3', { IfMatch: ETag }), 412, 'PreconditionFailed');
      expect(await text('pointer')).toBe('2');
      await fails(put('no pointer', '1', { IfMatch: ETag }), 404, 'NoSuchKey');
    });

    it('let exactly one of twenty racing writers win', async () => {
      for (let round = 0; round < 5; round++) {
        const Key = `race-${round}`;
        const race = async (name: string, rest: object) => {
          const results = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => put(Key, `${name} ${i}`, rest)));
          const winners = results.flatMap((result, i) => (result.status === 'fulfilled' ? i : []));
          for (const result of results)
            if (result.status === 'rejected') expect([409, 412]).toContain(result.reason.$metadata.httpStatusCode);
          expect(winners).toHaveLength(1);
          expect(await text(Key)).toBe(`${name} ${winners[0]}`);
        };
        await race('creator', { IfNoneMatch: '*' });
        await race('changer', { IfMatch: (await get(Key)).ETag });
      }
    });
  });

  describe('checksums', () => {
    beforeAll(() => newBucket());
    const algorithms = [
      ['CRC32', 'y/Q5Jg=='],
      ['CRC32C', '4waSgw=='],
      ['CRC64NVME', 'rosUhgp5mIg='],
      ['SHA1', createHash('sha1').update('123456789').digest('base64')],
      ['SHA256', createHash('sha256').update('123456789').digest('base64')],
    ] as const;

    it.each(algorithms)('%s is verified, kept and given back', async (algorithm, value) => {
      const name = `Checksum${algorithm}` as const;
      await put(algorithm, '123456789', { [name]: value });
      expect(await client.send(new HeadObjectCommand({ Bucket, Key: algorithm, ChecksumMode: 'ENABLED' }))).toMatchObject({
        [name]: value,
      });
      await fails(put(`${algorithm} wrong`, '12345678x', { [name]: value }), 400);
      await fails(get(`${algorithm} wrong`), 404, 'NoSuchKey');
    });

    it('Content-MD5 is verified', async () => {
      await put('md5', 'x', { ContentMD5: createHash('md5').update('x').digest('base64') });
      await fails(put('md5', 'y', { ContentMD5: createHash('md5').update('x').digest('base64') }), 400, 'BadDigest');
      expect(await text('md5')).toBe('x');
    });
  });

  describe('multipart uploads', () => {
    beforeAll(() => newBucket());
    const begin = async (Key: string, rest = {}) =>
      (await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...rest }))).UploadId!;
    const part = (Key: string, UploadId: string, PartNumber: number, Body: Uint8Array) =>
      client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
    const complete = (Key: string, UploadId: string, Parts: { PartNumber: number; ETag: string | undefined }[], rest = {}) =>
      client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...rest }));

    it('join their parts', async () => {
      const bodies = [randomBytes(5 * mib), randomBytes(5 * mib + 1), randomBytes(10)];
      const UploadId = await begin('joined', { ContentType: 'text/plain', Metadata: { a: 'b' } });
      const Parts = [];
      for (const [i, body] of bodies.entries()) {
        const { ETag } = await part('joined', UploadId, 2 * i + 1, body);
        expect(ETag).toBe(quotedMd5(body));
        Parts.push({ PartNumber: 2 * i + 1, ETag });
      }
      const listed = await client.send(new ListPartsCommand({ Bucket, Key: 'joined', UploadId }));
      expect(listed.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual(bodies.map((body, i) => [2 * i + 1, body.length]));
      expect((await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads).toMatchObject([{ Key: 'joined', UploadId }]);
      await fails(get('joined'), 404, 'NoSuchKey');

      const md5s = Buffer.concat(bodies.map((body) => createHash('md5').update(body).digest()));
      const ETag = `"${createHash('md5').update(md5s).digest('hex')}-3"`;
      expect(await complete('joined', UploadId, Parts)).toMatchObject({ ETag });
      const got = await get('joined');
      expect(got).toMatchObject({ ETag, ContentType: 'text/plain', Metadata: { a: 'b' } });
      expect(Buffer.from(await got.Body!.transformToByteArray()).equals(Buffer.concat(bodies))).toBe(true);
      const across = await get('joined', { Range: `bytes=${5 * mib - 2}-${5 * mib + 1}` });
      expect(Buffer.from(await across.Body!.transformToByteArray()).equals(Buffer.concat(bodies).subarray(5 * mib - 2, 5 * mib + 2))).toBe(
        true,
      );
      expect((await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? []).toEqual([]);
    });

    it('refuse what does not fit together', async () => {
      const UploadId = await begin('unfit');
      const one = { PartNumber: 1, ETag: (await part('unfit', UploadId, 1, randomBytes(100))).ETag };
      const two = { PartNumber: 2, ETag: (await part('unfit', UploadId, 2, randomBytes(100))).ETag };
      await fails(complete('unfit', UploadId, [{ ...one, ETag: '"0123"' }]), 400, 'InvalidPart');
      await fails(complete('unfit', UploadId, [{ ...one, PartNumber: 7 }]), 400, 'InvalidPart');
      await complete('unfit', UploadId, [two]); // parts that aren't named are left out
      expect((await get('unfit')).ContentLength).toBe(100);
    });

    it('are aborted', async () => {
      const UploadId = await begin('aborted');
      await part('aborted', UploadId, 1, randomBytes(100));
      await client.send(new AbortMultipartUploadCommand({ Bucket, Key: 'aborted', UploadId }));
      await fails(part('aborted', UploadId, 2, randomBytes(100)), 404, 'NoSuchUpload');
      await fails(client.send(new ListPartsCommand({ Bucket, Key: 'aborted', UploadId })), 404, 'NoSuchUpload');
    });

    it('complete conditionally', async () => {
      await put('taken', 'x');
      const UploadId = await begin('taken');
      const { ETag } = await part('taken', UploadId, 1, randomBytes(100));
      await fails(complete('taken', UploadId, [{ PartNumber: 1, ETag }], { IfNoneMatch: '*' }), 412, 'PreconditionFailed');
      expect(await text('taken')).toBe('x');
    });

    it('copy parts from objects', async () => {
      const body = randomBytes(6 * mib);
      await put('source', body);
      const UploadId = await begin('assembled');
      const from = { Bucket, Key: 'assembled', UploadId, CopySource: `${Bucket}/source` };
      const whole = await client.send(new UploadPartCopyCommand({ ...from, PartNumber: 1 }));
      const slice = await client.send(new UploadPartCopyCommand({ ...from, PartNumber: 2, CopySourceRange: 'bytes=10-19' }));
      const Parts = [whole, slice].map(({ CopyPartResult }, i) => ({ PartNumber: i + 1, ETag: CopyPartResult!.ETag }));
      await complete('assembled', UploadId, Parts);
      const got = Buffer.from(await (await get('assembled')).Body!.transformToByteArray());
      expect(got.equals(Buffer.concat([body, body.subarray(10, 20)]))).toBe(true);
    });

    it.each([ChecksumAlgorithm.CRC32, ChecksumAlgorithm.SHA256])(
      'lib-storage uploads a stream in parts, checked by %s',
      async (algorithm) => {
        const folder = await mkdtemp(join(tmpdir(), 'ingot-upload-'));
        const body = randomBytes(17 * mib);
        await writeFile(join(folder, 'file'), body);
        const Body = createReadStream(join(folder, 'file'));
        await new Upload({ client, params: { Bucket, Key: 'streamed', Body, ChecksumAlgorithm: algorithm } }).done();
        const got = Buffer.from(await (await get('streamed')).Body!.transformToByteArray());
        expect(got.equals(body)).toBe(true);
        await rm(folder, { recursive: true });
      },
    );
  });

  describe('lists', () => {
    const keys = ['a', 'b/1', 'b/2', 'b/c/3', 'd e&f', 'ü', 'z'];
    beforeAll(async () => {
      await newBucket();
      await Promise.all(keys.map((key) => put(key, key)));
    });
    const list = (rest = {}) => client.send(new ListObjectsV2Command({ Bucket, ...rest }));
    const names = (page: Pick<ListObjectsV2CommandOutput, 'Contents' | 'CommonPrefixes'>) => [
      page.Contents?.map(({ Key }) => Key) ?? [],
      page.CommonPrefixes?.map(({ Prefix }) => Prefix) ?? [],
    ];

    it('hold all keys in the order of their bytes', async () => {
      const page = await list();
      expect(names(page)).toEqual([['a', 'b/1', 'b/2', 'b/c/3', 'd e&f', 'z', 'ü'], []]);
      expect(page).toMatchObject({ KeyCount: 7, IsTruncated: false });
      expect(page.Contents?.[0]).toMatchObject({ Size: 1, ETag: quotedMd5('a') });
    });

    it('are narrowed by prefix, folded by delimiter, begun after a key', async () => {
      expect(names(await list({ Prefix: 'b/' }))).toEqual([['b/1', 'b/2', 'b/c/3'], []]);
      expect(names(await list({ Delimiter: '/' }))).toEqual([['a', 'd e&f', 'z', 'ü'], ['b/']]);
      expect(names(await list({ Delimiter: '/', Prefix: 'b/' }))).toEqual([['b/1', 'b/2'], ['b/c/']]);
      expect(names(await list({ StartAfter: 'b/2' }))).toEqual([['b/c/3', 'd e&f', 'z', 'ü'], []]);
      expect(names(await list({ EncodingType: 'url', Prefix: 'd' }))[0]).toHaveLength(1);
    });

    it.each([1, 2, 3])('come in pages of %i', async (MaxKeys) => {
      for (const Delimiter of [undefined, '/']) {
        const found: (string | undefined)[][] = [[], []];
        let ContinuationToken: string | undefined;
        do {
          const page = await list({ MaxKeys, Delimiter, ContinuationToken });
          expect(page.KeyCount).toBeLessThanOrEqual(MaxKeys);
          names(page).forEach((more, i) => void found[i]!.push(...more));
          ContinuationToken = page.NextContinuationToken;
        } while (ContinuationToken);
        expect(found).toEqual(names(await list({ Delimiter })));
      }
    });

    it('come in the first version of the call too', async () => {
      const page = await client.send(new ListObjectsCommand({ Bucket, Delimiter: '/', MaxKeys: 2 }));
      expect(names(page)).toEqual([['a'], ['b/']]);
      expect(page).toMatchObject({ IsTruncated: true, NextMarker: 'b/' });
      expect(names(await client.send(new ListObjectsCommand({ Bucket, Delimiter: '/', Marker: 'b/' })))).toEqual([['d e&f', 'z', 'ü'], []]);
    });
  });

  describe('versions', () => {
    beforeAll(() => newBucket(true));

    it('are all kept, and a delete only hides them', async () => {
      const first = await put('v', 'one');
      const second = await put('v', 'two');
      expect(first.VersionId).toBeTruthy();
      expect(second.VersionId).not.toBe(first.VersionId);
      expect(await text('v')).toBe('two');
      expect(await text('v', { VersionId: first.VersionId })).toBe('one');

      const marker = await client.send(new DeleteObjectCommand({ Bucket, Key: 'v' }));
      expect(marker).toMatchObject({ DeleteMarker: true });
      await fails(get('v'), 404, 'NoSuchKey');
      await fails(get('v', { VersionId: marker.VersionId }), 405, 'MethodNotAllowed');
      expect(await text('v', { VersionId: second.VersionId })).toBe('two');
      expect((await client.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
      await put('v', 'three', { IfNoneMatch: '*' }); // a deleted object isn't there
      const listed = await client.send(new ListObjectVersionsCommand({ Bucket, Prefix: 'v' }));
      expect(listed.Versions?.map(({ VersionId, IsLatest, Size }) => [VersionId === first.VersionId, IsLatest, Size])).toEqual([
        [false, true, 5],
        [false, false, 3],
        [true, false, 3],
      ]);
      expect(listed.DeleteMarkers).toMatchObject([{ Key: 'v', VersionId: marker.VersionId, IsLatest: false }]);
    });

    it('are deleted for good by their id, and a deleted marker brings the object back', async () => {
      const first = await put('back', 'one');
      const marker = await client.send(new DeleteObjectCommand({ Bucket, Key: 'back' }));
      await client.send(new DeleteObjectCommand({ Bucket, Key: 'back', VersionId: marker.VersionId }));
      expect(await text('back')).toBe('one');
      await client.send(new DeleteObjectCommand({ Bucket, Key: 'back', VersionId: first.VersionId }));
      await fails(get('back'), 404, 'NoSuchKey');
      const { Versions, DeleteMarkers } = await client.send(new ListObjectVersionsCommand({ Bucket, Prefix: 'back' }));
      expect([Versions ?? [], DeleteMarkers ?? []]).toEqual([[], []]);
    });

    it('can be copied', async () => {
      const old = await put('restore', 'old');
      await put('restore', 'new');
      await client.send(new CopyObjectCommand({ Bucket, Key: 'restore', CopySource: `${Bucket}/restore?versionId=${old.VersionId}` }));
      expect(await text('restore')).toBe('old');
    });
  });

  describe('presigned URLs', () => {
    beforeAll(() => newBucket());

    it('get and put without credentials', async () => {
      // Else the SDK signs the checksum of an empty body into the URL, and no other body fits it.
      const signer = connect(server.endpoint, { requestChecksumCalculation: 'WHEN_REQUIRED' });
      const putUrl = await getSignedUrl(signer, new PutObjectCommand({ Bucket, Key: 'by url.csv' }), { expiresIn: 60 });
      expect((await fetch(putUrl, { method: 'PUT', body: 'a,b\n1,2\n' })).status).toBe(200);
      const getUrl = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'by url.csv' }), { expiresIn: 60 });
      expect(await (await fetch(getUrl)).text()).toBe('a,b\n1,2\n');
    });

    it('expire and cannot be changed', async () => {
      const past = new Date(Date.now() - 3600_000);
      const expired = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'by url.csv' }), { expiresIn: 60, signingDate: past });
      expect((await fetch(expired)).status).toBe(403);
      const url = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'by url.csv' }), { expiresIn: 60 });
      expect((await fetch(url.replace('by%20url.csv', 'other.csv'))).status).toBe(403);
    });
  });

  it.skipIf(!pythonHas('boto3'))('serves boto3 (skipped where Python has no boto3)', async () => {
    await run(python, [resolve(import.meta.dirname, 's3_clients.py'), server.endpoint]);
  });

  const aws = join(dirname(python), 'aws');
  it.skipIf(!existsSync(aws))('serves the AWS CLI: cp of 200 MB, sync (skipped where there is no aws beside Python)', async () => {
    await newBucket();
    const folder = await mkdtemp(join(tmpdir(), 'ingot-cli-'));
    const env = {
      ...process.env,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ENDPOINT_URL: server.endpoint,
    };
    const s3 = async (...args: string[]) => (await run(aws, ['s3', ...args, '--only-show-errors'], { cwd: folder, env })).stdout;
    const big = Buffer.concat(Array.from({ length: 4 }, () => randomBytes(50_000_000)));
    await writeFile(join(folder, 'big'), big);
    await s3('cp', 'big', `s3://${Bucket}/big`);
    expect((await client.send(new HeadObjectCommand({ Bucket, Key: 'big' }))).ETag).toMatch(/-\d+"$/);
    await s3('cp', `s3://${Bucket}/big`, 'back');
    expect((await readFile(join(folder, 'back'))).equals(big)).toBe(true);

    await mkdir(join(folder, 'tree/deep er'), { recursive: true });
    for (const name of ['tree/one.csv', 'tree/deep er/two & ü.csv']) {
      await writeFile(join(folder, name), name);
      await utimes(join(folder, name), 1e9, 1e9);
    }
    await s3('sync', 'tree', `s3://${Bucket}/tree`);
    const keys = async () => (await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'tree/' }))).Contents?.map(({ Key }) => Key);
    expect(await keys()).toEqual(['tree/deep er/two & ü.csv', 'tree/one.csv']);
    await rm(join(folder, 'tree/one.csv'));
    await s3('sync', 'tree', `s3://${Bucket}/tree`, '--delete');
    expect(await keys()).toEqual(['tree/deep er/two & ü.csv']);
    await s3('sync', `s3://${Bucket}/tree`, 'copy');
    expect(await readFile(join(folder, 'copy/deep er/two & ü.csv'), 'utf8')).toBe('tree/deep er/two & ü.csv');
    await rm(folder, { recursive: true });
  });
});
