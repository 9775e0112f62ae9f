import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Authorize } from './http/access.ts';
import { createHandler } from './http/handler.ts';
import { expire, type LifecycleRule } from './lifecycle.ts';
import { checkBucketName } from './names.ts';
import { Store } from './store.ts';
import type { S3ObjectEvent, Version, Versioning } from './types.ts';
import { putObject, type WriteOptions } from './write.ts';

export { S3Error } from './errors.ts';
export type { S3Call } from './http/access.ts';
export type { LifecycleRule } from './lifecycle.ts';
export type { S3ObjectEvent, Version, Versioning } from './types.ts';

export interface S3Options {
  /** The folder it lives in, created where it doesn't exist. One process at a time may have it open. */
  root: string;
  /** Called once for each event when it is on disk, in order, after a restart for none: see `pendingEvents`. Must not throw. */
  onEvent?: (event: S3ObjectEvent) => void;
  /** @default 'us-east-1' */
  region?: string;
  /** Access key id → secret key. @default test / test */
  credentials?: Record<string, string>;
  /** Whether other access keys are let in, their signatures unchecked. Default false. */
  strangers?: boolean;
  /** Whether IAM allows a call; left out, whoever is let in may do everything. */
  authorize?: Authorize;
}

export type StoredVersion = Pick<Version, 'key' | 'versionId' | 'size' | 'etag' | 'lastModified' | 'headers' | 'metadata'>;

/** S3 on a folder: over HTTP by `handle`, and for code in this process by the rest. */
export interface S3 {
  /** Answers one request, always, errors too. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Creates it or, where it exists, sets its versioning; its objects stay. `versioned: false` on a versioned bucket suspends it. */
  createBucket(name: string, options?: { versioned?: boolean }): Promise<void>;
  /** @throws S3Error NoSuchBucket, BucketNotEmpty */
  deleteBucket(name: string): Promise<void>;
  buckets(): { name: string; created: Date; versioning: Versioning }[];
  /**
   * Writes an object; `contentType` is short for the header.
   * @throws S3Error NoSuchBucket; PreconditionFailed, ConditionalRequestConflict, NoSuchKey where the condition doesn't hold
   */
  put(
    bucket: string,
    key: string,
    body: string | Uint8Array | AsyncIterable<Uint8Array>,
    options?: WriteOptions & { contentType?: string },
  ): Promise<StoredVersion>;
  /** The whole object in memory, or undefined. @throws S3Error NoSuchBucket */
  get(bucket: string, key: string, versionId?: string): Promise<(StoredVersion & { body: Buffer }) | undefined>;
  head(bucket: string, key: string, versionId?: string): StoredVersion | undefined;
  /** The current objects under a prefix, in key order. */
  list(bucket: string, prefix?: string): StoredVersion[];
  /** By a delete marker where the bucket is versioned and no version is named. */
  delete(bucket: string, key: string, versionId?: string): Promise<void>;
  /** Removes what lifecycle rules say. @param now milliseconds since 1970 @param isClosing asked between two removals @returns how many */
  expire(bucket: string, rules: readonly LifecycleRule[], now: number, isClosing?: () => boolean): Promise<number>;
  /** Events not yet acknowledged, oldest first: what a killed process still owes. */
  pendingEvents(): S3ObjectEvent[];
  /** Resolves when the event will never be pending again. Unknown ids are ignored. */
  ackEvent(id: string): Promise<void>;
  /** Waits for what is being written; further writes are refused. */
  close(): Promise<void>;
}

/**
 * Opens the folder (reading its journal: 1 to 3 s and 60 MB of memory for 100,000 objects) and removes what was never acknowledged.
 *
 * @example
 * const s3 = await createS3({ root: '.ingot/s3', onEvent: (event) => queue.push(event) });
 * for (const event of s3.pendingEvents()) queue.push(event);
 * createServer((request, response) => s3.handle(request, response)).listen(4566, '127.0.0.1');
 */
export async function createS3(options: S3Options): Promise<S3> {
  const store = await Store.open(options.root, options.onEvent ?? (() => undefined));
  const handle = createHandler(store, {
    region: options.region ?? 'us-east-1',
    credentials: options.credentials ?? { test: 'test' },
    strangers: options.strangers ?? false,
    ...(options.authorize && { authorize: options.authorize }),
  });
  const find = (bucket: string, key: string, versionId?: string): Version | undefined => {
    const existing = store.bucket(bucket);
    if (versionId === undefined) return store.current(existing, key);
    return existing.objects.get(key)?.find((version) => version.versionId === versionId && !version.deleteMarker);
  };
  return {
    handle,
    createBucket: async (name, { versioned } = {}) => {
      checkBucketName(name);
      const before = store.buckets.get(name)?.versioning ?? 'Off';
      await store.createBucket(name, versioned ? 'Enabled' : before === 'Off' ? 'Off' : 'Suspended');
    },
    deleteBucket: (name) => store.deleteBucket(name),
    buckets: () => [...store.buckets.values()].map(({ name, created, versioning }) => ({ name, created: new Date(created), versioning })),
    put: (bucket, key, body, { contentType, ...write } = {}) =>
      putObject(
        store,
        bucket,
        key,
        { stream: typeof body === 'string' || body instanceof Uint8Array ? one(body) : body },
        { ...write, headers: { ...(contentType !== undefined && { 'content-type': contentType }), ...write.headers } },
      ),
    get: async (bucket, key, versionId) => {
      const version = find(bucket, key, versionId);
      return version && { ...version, body: await buffer(store.read(version.segments, 0, version.size)) };
    },
    head: find,
    list: (bucket, prefix = '') => {
      const existing = store.bucket(bucket);
      return [...existing.order.under(prefix)].flatMap((key) => store.current(existing, key) ?? []);
    },
    delete: async (bucket, key, versionId) => {
      await store.deleteVersion(bucket, key, versionId);
    },
    expire: (bucket, rules, now, isClosing) => expire(store, bucket, rules, now, isClosing),
    pendingEvents: () => [...store.outbox.values()],
    ackEvent: (id) => store.acknowledge(id),
    close: () => store.close(),
  };
}

async function* one(body: string | Uint8Array): AsyncGenerator<Uint8Array> {
  yield typeof body === 'string' ? Buffer.from(body) : body;
}
