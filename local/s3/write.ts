import type { Segment } from './blobs.ts';
import { type ChecksumAlgorithm, createHasher, type Hasher } from './checksums.ts';
import { checkKey } from './names.ts';
import type { Store } from './store.ts';
import type { S3ObjectEvent, Version, WriteCondition } from './types.ts';

/** What a body turned out to be. */
export interface Digest {
  size: number;
  /** Hexadecimal. */
  md5: string;
  /** Hexadecimal, where it was asked for. */
  sha256?: string;
  /** base64, where an algorithm was asked for. */
  checksum?: string;
}

/** A body on its way, and what it must turn out to be. */
export interface Incoming {
  stream: AsyncIterable<Uint8Array>;
  algorithm?: ChecksumAlgorithm;
  sha256?: boolean;
  /** Asked when the stream has ended, for checksums come last; throws where the digest isn't the one promised. */
  verify?: (digest: Digest) => void;
}

/** Hashes a body while it passes; `finish` verifies it. */
export function startDigest({ algorithm, sha256, verify }: Omit<Incoming, 'stream'>): {
  update(chunk: Uint8Array): void;
  finish(): Digest;
} {
  const hashers: { md5: Hasher; sha256?: Hasher; checksum?: Hasher } = {
    md5: createHasher('MD5'),
    ...(sha256 && { sha256: createHasher('SHA256') }),
    ...(algorithm && { checksum: createHasher(algorithm) }),
  };
  let size = 0;
  return {
    update(chunk) {
      size += chunk.length;
      for (const hasher of Object.values(hashers)) hasher.update(chunk);
    },
    finish() {
      const digest: Digest = {
        size,
        md5: hashers.md5.digest().toString('hex'),
        ...(hashers.sha256 && { sha256: hashers.sha256.digest().toString('hex') }),
        ...(hashers.checksum && { checksum: hashers.checksum.digest().toString('base64') }),
      };
      verify?.(digest);
      return digest;
    },
  };
}

/** Streams a body to disk, hashing and verifying it; where that fails nothing is left. */
export async function receive(store: Store, incoming: Incoming): Promise<{ segments: Segment[]; digest: Digest }> {
  const hashing = startDigest(incoming);
  const segments = await store.blobs.write(incoming.stream, (chunk) => hashing.update(chunk));
  try {
    return { segments, digest: hashing.finish() };
  } catch (error) {
    store.blobs.discard(segments);
    throw error;
  }
}

export interface WriteOptions {
  /** content-type, cache-control and the like, lower case. */
  headers?: Record<string, string>;
  metadata?: Record<string, string>;
  tags?: Record<string, string>;
  condition?: WriteCondition;
}

/** PutObject: the body to disk, then the object into the journal. */
export async function putObject(
  store: Store,
  bucket: string,
  key: string,
  incoming: Incoming,
  options: WriteOptions = {},
): Promise<Version> {
  checkKey(key);
  const { watch, done } = store.watch(bucket, key);
  try {
    const { segments, digest } = await receive(store, incoming);
    const checksum = incoming.algorithm && { algorithm: incoming.algorithm, value: digest.checksum!, type: 'FULL_OBJECT' as const };
    return await commitBody(
      store,
      bucket,
      'ObjectCreated:Put',
      segments,
      { ...draft(key, options, segments, digest), ...(checksum && { checksum }) },
      options,
      watch,
    );
  } finally {
    done();
  }
}

const draft = (key: string, options: WriteOptions, segments: Segment[], digest: Digest) => ({
  key,
  size: digest.size,
  etag: digest.md5,
  segments,
  headers: options.headers ?? {},
  metadata: options.metadata ?? {},
  ...(options.tags && { tags: options.tags }),
});

async function commitBody(
  store: Store,
  bucket: string,
  eventName: S3ObjectEvent['eventName'],
  segments: Segment[],
  version: Omit<Version, 'versionId' | 'lastModified'>,
  options: WriteOptions,
  watch: { deleted: boolean },
): Promise<Version> {
  try {
    return await store.putVersion(bucket, version, eventName, { ...(options.condition && { condition: options.condition }), watch });
  } catch (error) {
    store.blobs.discard(segments);
    throw error;
  }
}

/**
 * CopyObject: the copy shares the source's files. As on S3 its etag is the MD5 of all bytes, so a multipart source, or one whose
 * checksum is of another algorithm, is read once.
 */
export async function copyObject(
  store: Store,
  source: { bucket: string; version: Version },
  bucket: string,
  key: string,
  options: WriteOptions & { algorithm?: ChecksumAlgorithm },
): Promise<Version> {
  const { version } = source;
  const algorithm = options.algorithm ?? version.checksum?.algorithm;
  checkKey(key);
  const { watch, done } = store.watch(bucket, key);
  store.blobs.retain(version.segments);
  try {
    const known = !version.parts && algorithm === version.checksum?.algorithm;
    const digest = known ? undefined : await digestOf(store, version, algorithm);
    const checksum = digest ? algorithm && { algorithm, value: digest.checksum!, type: 'FULL_OBJECT' as const } : version.checksum;
    const copy = {
      ...draft(key, options, version.segments, digest ?? { size: version.size, md5: version.etag }),
      ...(checksum && { checksum }),
    };
    return await store.putVersion(bucket, copy, 'ObjectCreated:Copy', {
      ...(options.condition && { condition: options.condition }),
      watch,
    });
  } finally {
    store.blobs.release(version.segments);
    done();
  }
}

async function digestOf(store: Store, version: Version, algorithm: ChecksumAlgorithm | undefined): Promise<Digest> {
  const hashing = startDigest(algorithm ? { algorithm } : {});
  for await (const chunk of store.read(version.segments, 0, version.size)) hashing.update(chunk as Buffer);
  return hashing.finish();
}
