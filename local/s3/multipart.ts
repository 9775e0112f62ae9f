import { createHash, randomBytes } from 'node:crypto';
import { type Checksum, combineCrc, composite } from './checksums.ts';
import { S3Error } from './errors.ts';
import { checkKey } from './names.ts';
import type { Store } from './store.ts';
import type { Part, Upload, Version, WriteCondition } from './types.ts';
import { type Incoming, receive } from './write.ts';

const mib = 1024 * 1024;
/** Every part but the last. */
const smallestPart = 5 * mib;

export async function createUpload(store: Store, bucket: string, draft: Omit<Upload, 'id' | 'initiated'>): Promise<Upload> {
  checkKey(draft.key);
  const upload = { ...draft, id: randomBytes(24).toString('base64url'), initiated: Date.now() };
  await store.change(bucket, [{ t: 'upload', bucket, upload }]);
  return upload;
}

/** Writes a part, over an older one of that number. The upload's checksum algorithm, where it has one, is always computed. */
export async function putPart(store: Store, bucket: string, uploadId: string, number: number, incoming: Incoming): Promise<Part> {
  const { checksum } = store.upload(bucket, uploadId);
  if (!Number.isInteger(number) || number < 1 || number > 10_000) {
    throw new S3Error('InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive.', { ArgumentName: 'partNumber' });
  }
  if (checksum && incoming.algorithm && incoming.algorithm !== checksum.algorithm) {
    const message = `Checksum Type mismatch occurred, expected checksum Type: ${checksum.algorithm.toLowerCase()}, actual checksum Type: ${incoming.algorithm.toLowerCase()}`;
    throw new S3Error('InvalidRequest', message);
  }
  const { segments, digest } = await receive(store, checksum ? { ...incoming, algorithm: checksum.algorithm } : incoming);
  try {
    return await store.onUpload(bucket, uploadId, async () => {
      const part: Part = { number, size: digest.size, etag: digest.md5, lastModified: Date.now(), segments };
      if (digest.checksum !== undefined) part.checksum = digest.checksum;
      await store.change(bucket, [{ t: 'part', bucket, uploadId, part }]);
      return part;
    });
  } catch (error) {
    store.blobs.discard(segments);
    throw error;
  }
}

export interface NamedPart {
  number: number;
  etag: string;
  checksum?: string;
}

/** Joins the parts, in place: the object is a list of the parts' files, so this takes one record in the journal whatever its size. */
export async function completeUpload(
  store: Store,
  bucket: string,
  uploadId: string,
  named: NamedPart[],
  options: { condition?: WriteCondition; size?: number; checksum?: string } = {},
): Promise<Version> {
  return store.onUpload(bucket, uploadId, async (upload) => {
    const parts = chosenParts(upload.parts, named);
    const size = parts.reduce((sum, part) => sum + part.size, 0);
    if (options.size !== undefined && options.size !== size) {
      throw new S3Error(
        'InvalidRequest',
        `The provided 'x-amz-mp-object-size' header value ${options.size} does not match what was computed: ${size}`,
      );
    }
    const checksum = upload.checksum && objectChecksum(upload.checksum, parts);
    if (options.checksum !== undefined && checksum && options.checksum !== checksum.value) {
      throw new S3Error('BadDigest', `The ${checksum.algorithm} you specified did not match what we received.`);
    }
    const md5s = Buffer.concat(parts.map((part) => Buffer.from(part.etag, 'hex')));
    const { watch, done } = store.watch(bucket, upload.key);
    try {
      return await store.putVersion(
        bucket,
        {
          key: upload.key,
          size,
          etag: `${createHash('md5').update(md5s).digest('hex')}-${parts.length}`,
          segments: parts.flatMap((part) => part.segments),
          headers: upload.headers,
          metadata: upload.metadata,
          parts: parts.map((part) => ({ ...part, segments: [] })),
          ...(upload.tags && { tags: upload.tags }),
          ...(checksum && { checksum }),
        },
        'ObjectCreated:CompleteMultipartUpload',
        { ...(options.condition && { condition: options.condition }), watch, also: [{ t: 'upload-gone', bucket, uploadId }] },
      );
    } finally {
      done();
    }
  });
}

export function abortUpload(store: Store, bucket: string, uploadId: string): Promise<void> {
  return store.onUpload(bucket, uploadId, () => store.change(bucket, [{ t: 'upload-gone', bucket, uploadId }]));
}

function chosenParts(uploaded: Map<number, Part>, named: NamedPart[]): Part[] {
  if (named.length === 0) throw new S3Error('MalformedXML');
  if (named.some(({ number }, i) => i > 0 && number <= named[i - 1]!.number)) throw new S3Error('InvalidPartOrder');
  return named.map(({ number, etag, checksum }, i) => {
    const part = uploaded.get(number);
    if (!part || part.etag !== etag || (checksum !== undefined && checksum !== part.checksum)) {
      throw new S3Error('InvalidPart', undefined, { PartNumber: String(number), ETag: etag });
    }
    if (part.size < smallestPart && i < named.length - 1) {
      throw new S3Error('EntityTooSmall', undefined, {
        ProposedSize: String(part.size),
        MinSizeAllowed: String(smallestPart),
        PartNumber: String(number),
      });
    }
    return part;
  });
}

function objectChecksum({ algorithm, type }: NonNullable<Upload['checksum']>, parts: Part[]): Checksum {
  const values = parts.map((part) => part.checksum!);
  if (type === 'COMPOSITE') return { algorithm, type, value: composite(algorithm, values) };
  if (algorithm === 'SHA1' || algorithm === 'SHA256')
    throw new S3Error('InvalidRequest', `${algorithm} has no FULL_OBJECT checksum of parts.`);
  const value = values.reduce((sum, next, i) => combineCrc(algorithm, sum, next, parts[i]!.size));
  return { algorithm, type, value };
}
