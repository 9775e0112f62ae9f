import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Blobs, type Segment } from './blobs.ts';
import { S3Error } from './errors.ts';
import { Journal } from './journal.ts';
import { SortedKeys } from './key-order.ts';
import type { Change, Part, S3ObjectEvent, Upload, Version, Versioning, WriteCondition } from './types.ts';

export interface Bucket {
  name: string;
  created: number;
  versioning: Versioning;
  /** Each key's versions, newest first; never an empty list. */
  objects: Map<string, Version[]>;
  order: SortedKeys;
  uploads: Map<string, Upload & { parts: Map<number, Part> }>;
  /** Conditional writes under way, told of deletions of their key. */
  watches: Map<string, Set<Watch>>;
  /** Changes on their way to the disk; a bucket that has any isn't deleted. */
  pending: number;
  deleting: boolean;
}

interface Watch {
  deleted: boolean;
}

/**
 * Buckets, objects and the outbox of their events: in memory to be read at once, on disk before anything is acknowledged.
 * A change is decided alone on its key, written to the journal with its event in one record, and only then seen by readers,
 * so that nobody reads what a crash could take back.
 */
export class Store {
  readonly buckets = new Map<string, Bucket>();
  readonly blobs: Blobs;
  readonly outbox = new Map<string, S3ObjectEvent>();
  private journal!: Journal<Change>;
  private readonly onEvent: (event: S3ObjectEvent) => void;
  private readonly locks = new Map<string, Promise<void>>();
  /** Microseconds since 1970, but always later than the last one, whatever the clock does: the sequencer. */
  private clock = 0;
  private live = false;

  private constructor(blobs: Blobs, onEvent: (event: S3ObjectEvent) => void) {
    this.blobs = blobs;
    this.onEvent = onEvent;
  }

  static async open(root: string, onEvent: (event: S3ObjectEvent) => void): Promise<Store> {
    await mkdir(root, { recursive: true });
    const store = new Store(await Blobs.open(join(root, 'data')), onEvent);
    store.journal = await Journal.open<Change>(
      join(root, 'journal'),
      (change) => store.apply(change),
      () => store.snapshot(),
    );
    await store.blobs.sweep();
    for (const bucket of store.buckets.values()) bucket.order = new SortedKeys(bucket.objects.keys());
    store.live = true;
    return store;
  }

  close(): Promise<void> {
    return this.journal.close();
  }

  bucket(name: string): Bucket {
    const bucket = this.buckets.get(name);
    if (!bucket) throw new S3Error('NoSuchBucket', undefined, { BucketName: name });
    return bucket;
  }

  /** The newest version where it isn't a delete marker. */
  current(bucket: Bucket, key: string): Version | undefined {
    const newest = bucket.objects.get(key)?.[0];
    return newest?.deleteMarker ? undefined : newest;
  }

  /** The version asked for, or the newest; delete markers are errors, as S3 words them. */
  find(bucketName: string, key: string, versionId?: string): Version {
    const versions = this.bucket(bucketName).objects.get(key);
    const version = versionId === undefined ? versions?.[0] : versions?.find((candidate) => candidate.versionId === versionId);
    if (version && !version.deleteMarker) return version;
    if (!version && versionId !== undefined) throw new S3Error('NoSuchVersion', undefined, { Key: key, VersionId: versionId });
    const marker = version && { 'x-amz-delete-marker': 'true', 'x-amz-version-id': version.versionId };
    if (version && versionId !== undefined)
      throw new S3Error('MethodNotAllowed', undefined, { Method: 'GET' }, { ...marker, allow: 'DELETE' });
    throw new S3Error('NoSuchKey', undefined, { Key: key }, marker);
  }

  async createBucket(name: string, versioning: Versioning): Promise<void> {
    await this.exclusive(name, () =>
      this.commit([{ t: 'bucket', name, created: this.buckets.get(name)?.created ?? Date.now(), versioning }]),
    );
  }

  async deleteBucket(name: string): Promise<void> {
    await this.exclusive(name, async () => {
      const bucket = this.bucket(name);
      if (bucket.objects.size > 0 || bucket.uploads.size > 0) throw new S3Error('BucketNotEmpty', undefined, { BucketName: name });
      if (bucket.pending > 0) throw new S3Error('OperationAborted');
      bucket.deleting = true;
      await this.commit([{ t: 'bucket-gone', name }]).finally(() => (bucket.deleting = false));
    });
  }

  /** Registers a conditional write at its start, so that it learns of deletions while its body arrives. Call `done` in the end. */
  watch(bucketName: string, key: string): { watch: Watch; done: () => void } {
    const { watches } = this.bucket(bucketName);
    const watch = { deleted: false };
    const others = watches.get(key) ?? new Set<Watch>();
    watches.set(key, others.add(watch));
    return {
      watch,
      done: () => {
        others.delete(watch);
        if (others.size === 0 && watches.get(key) === others) watches.delete(key);
      },
    };
  }

  /**
   * Writes a new current version, with `also` in the same record of the journal. The first of racing conditional writes wins.
   *
   * @throws PreconditionFailed, NoSuchKey (If-Match on nothing), ConditionalRequestConflict (the key was deleted meanwhile)
   */
  async putVersion(
    bucketName: string,
    draft: Omit<Version, 'versionId' | 'lastModified'>,
    eventName: S3ObjectEvent['eventName'],
    options: { condition?: WriteCondition; watch?: Watch; also?: Change[] } = {},
  ): Promise<Version> {
    return this.onKey(bucketName, draft.key, async (bucket) => {
      const current = this.current(bucket, draft.key);
      const { ifNoneMatch, ifMatch } = options.condition ?? {};
      if (ifNoneMatch && current) throw new S3Error('PreconditionFailed', undefined, { Condition: 'If-None-Match' });
      if (options.condition && options.watch?.deleted) throw new S3Error('ConditionalRequestConflict', undefined, { Key: draft.key });
      if (ifMatch !== undefined && !current) throw new S3Error('NoSuchKey', undefined, { Key: draft.key });
      if (ifMatch !== undefined && ifMatch !== '*' && ifMatch !== current?.etag) {
        throw new S3Error('PreconditionFailed', undefined, { Condition: 'If-Match' });
      }
      const version: Version = { ...draft, versionId: newVersionId(bucket), lastModified: Date.now() };
      const event = this.newEvent(bucketName, version, eventName);
      await this.commit([{ t: 'version', bucket: bucketName, version, event }, ...(options.also ?? [])], bucket);
      return version;
    });
  }

  /**
   * Deletes as S3 does: with a version id that version for good; without, in a bucket that was ever versioned, by a delete marker.
   *
   * @param holds refuses, by throwing, given the current version
   * @param by whom, as the event says
   * @returns the version removed or the marker made; undefined where there was nothing
   */
  async deleteVersion(
    bucketName: string,
    key: string,
    versionId?: string,
    holds?: (version: Version | undefined) => void,
    by: 'ObjectRemoved' | 'LifecycleExpiration' = 'ObjectRemoved',
  ): Promise<{ versionId: string; deleteMarker: boolean } | undefined> {
    return this.onKey(bucketName, key, async (bucket) => {
      holds?.(this.current(bucket, key));
      const gone = versionId ?? (bucket.versioning === 'Off' ? 'null' : undefined);
      if (gone !== undefined) {
        const version = bucket.objects.get(key)?.find((candidate) => candidate.versionId === gone);
        if (!version) return undefined;
        const event = this.newEvent(bucketName, version, `${by}:Delete`);
        await this.commit([{ t: 'version-gone', bucket: bucketName, key, versionId: gone, event }], bucket);
        return { versionId: gone, deleteMarker: version.deleteMarker === true };
      }
      const marker = { key, size: 0, etag: '', segments: [], headers: {}, metadata: {}, deleteMarker: true as const };
      const version: Version = { ...marker, versionId: newVersionId(bucket), lastModified: Date.now() };
      const event = this.newEvent(bucketName, version, `${by}:DeleteMarkerCreated`);
      await this.commit([{ t: 'version', bucket: bucketName, version, event }], bucket);
      return { versionId: version.versionId, deleteMarker: true };
    });
  }

  /** Changes that touch no object: uploads, parts, tags. `check` runs at the moment of decision. */
  async change(bucketName: string, changes: Change[], check?: (bucket: Bucket) => void): Promise<void> {
    const bucket = this.usable(bucketName);
    check?.(bucket);
    await this.commit(changes, bucket);
  }

  /** Resolves when the event will not be given again after a restart. */
  async acknowledge(id: string): Promise<void> {
    if (this.outbox.has(id)) await this.commit([{ t: 'ack', id }]);
  }

  /** Runs `work` when all earlier work on the upload is done. (No bucket has capitals in its name.) */
  onUpload<T>(bucketName: string, id: string, work: (upload: Upload & { parts: Map<number, Part> }) => Promise<T>): Promise<T> {
    return this.exclusive(`UPLOAD/${id}`, () => work(this.upload(bucketName, id)));
  }

  upload(bucketName: string, id: string): Upload & { parts: Map<number, Part> } {
    const upload = this.bucket(bucketName).uploads.get(id);
    if (!upload) throw new S3Error('NoSuchUpload', undefined, { UploadId: id });
    return upload;
  }

  /** Runs `work` when all earlier work on the key is done. */
  onKey<T>(bucketName: string, key: string, work: (bucket: Bucket) => Promise<T>): Promise<T> {
    return this.exclusive(`${bucketName}/${key}`, () => work(this.usable(bucketName)));
  }

  private usable(name: string): Bucket {
    const bucket = this.bucket(name);
    if (bucket.deleting) throw new S3Error('NoSuchBucket', undefined, { BucketName: name });
    return bucket;
  }

  private async exclusive<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.locks.get(name);
    const mine = before ? before.then(work) : work();
    const settled = mine.then(
      () => undefined,
      () => undefined,
    );
    this.locks.set(name, settled);
    try {
      return await mine;
    } finally {
      if (this.locks.get(name) === settled) this.locks.delete(name);
    }
  }

  private async commit(changes: Change[], bucket?: Bucket): Promise<void> {
    if (bucket) bucket.pending++;
    try {
      await this.journal.append(changes);
    } finally {
      if (bucket) bucket.pending--;
    }
  }

  private newEvent(bucket: string, version: Version, eventName: S3ObjectEvent['eventName']): S3ObjectEvent {
    this.clock = Math.max(this.clock + 1, Date.now() * 1000);
    const sequencer = this.clock.toString(16).toUpperCase().padStart(18, '0');
    const { key, size, etag, versionId } = version;
    const removed = !eventName.startsWith('ObjectCreated');
    const eventTime = new Date(version.lastModified).toISOString();
    const event: S3ObjectEvent = {
      id: sequencer,
      eventName,
      eventTime,
      bucket,
      key,
      size: removed ? 0 : size,
      eTag: removed ? '' : etag,
      sequencer,
    };
    return versionId === 'null' && this.bucket(bucket).versioning === 'Off' ? event : { ...event, versionId };
  }

  /** Takes a record that is on disk into memory: the only code that changes the state, replaying or live. */
  private apply(change: Change): void {
    switch (change.t) {
      case 'bucket': {
        const known = this.buckets.get(change.name);
        if (known) known.versioning = change.versioning;
        else this.buckets.set(change.name, newBucket(change.name, change.created, change.versioning));
        return;
      }
      case 'bucket-gone':
        this.buckets.delete(change.name);
        return;
      case 'version': {
        const bucket = this.bucket(change.bucket);
        const { version } = change;
        this.blobs.retain(version.segments);
        const versions = bucket.objects.get(version.key) ?? [];
        const replaced = versions.findIndex((other) => other.versionId === version.versionId);
        if (replaced >= 0) this.blobs.release(versions.splice(replaced, 1)[0]!.segments);
        versions.unshift(version);
        bucket.objects.set(version.key, versions);
        if (this.live) bucket.order.add(version.key);
        if (version.deleteMarker) markDeleted(bucket, version.key);
        break;
      }
      case 'version-gone': {
        const bucket = this.bucket(change.bucket);
        const versions = bucket.objects.get(change.key) ?? [];
        const at = versions.findIndex((version) => version.versionId === change.versionId);
        if (at >= 0) this.blobs.release(versions.splice(at, 1)[0]!.segments);
        if (versions.length === 0) {
          bucket.objects.delete(change.key);
          if (this.live) bucket.order.remove(change.key);
        }
        markDeleted(bucket, change.key);
        break;
      }
      case 'tags': {
        const version = this.bucket(change.bucket)
          .objects.get(change.key)
          ?.find((candidate) => candidate.versionId === change.versionId);
        if (version) version.tags = change.tags;
        return;
      }
      case 'upload':
        this.bucket(change.bucket).uploads.set(change.upload.id, { ...change.upload, parts: new Map() });
        return;
      case 'part': {
        const { parts } = this.upload(change.bucket, change.uploadId);
        this.blobs.retain(change.part.segments);
        this.blobs.release(parts.get(change.part.number)?.segments ?? []);
        parts.set(change.part.number, change.part);
        return;
      }
      case 'upload-gone': {
        const { uploads } = this.bucket(change.bucket);
        for (const part of uploads.get(change.uploadId)?.parts.values() ?? []) this.blobs.release(part.segments);
        uploads.delete(change.uploadId);
        return;
      }
      case 'ack':
        this.outbox.delete(change.id);
        return;
      case 'clock':
        this.clock = Math.max(this.clock, change.at);
        return;
      case 'event':
        break;
    }
    if (!change.event) return;
    const { event } = change;
    this.clock = Math.max(this.clock, Number.parseInt(event.sequencer, 16));
    this.outbox.set(event.id, event);
    // After the put is answered, and outside the journal's loop: a listener can't hold up or break a commit.
    if (this.live) setImmediate(this.onEvent, event);
  }

  /** The state as records; replaying them gives the same state. */
  private *snapshot(): Iterable<Change> {
    yield { t: 'clock', at: this.clock };
    for (const { name, created, versioning, objects, uploads } of this.buckets.values()) {
      yield { t: 'bucket', name, created, versioning };
      for (const versions of objects.values()) for (const version of versions.toReversed()) yield { t: 'version', bucket: name, version };
      for (const { parts, ...upload } of uploads.values()) {
        yield { t: 'upload', bucket: name, upload };
        for (const part of parts.values()) yield { t: 'part', bucket: name, uploadId: upload.id, part };
      }
    }
    for (const event of this.outbox.values()) yield { t: 'event', event };
  }

  /** Bytes `from` to `to` (exclusive); the files stay until the stream is closed, whatever happens to their object. */
  read(segments: Segment[], from: number, to: number): Readable {
    this.blobs.retain(segments);
    const stream = Readable.from(this.blobs.read(segments, from, to), { objectMode: false, highWaterMark: 1 << 18 });
    return stream.once('close', () => this.blobs.release(segments));
  }
}

function newBucket(name: string, created: number, versioning: Versioning): Bucket {
  const maps = { objects: new Map(), uploads: new Map(), watches: new Map() };
  return { name, created, versioning, ...maps, order: new SortedKeys(), pending: 0, deleting: false };
}

const newVersionId = (bucket: Bucket) => (bucket.versioning === 'Enabled' ? randomBytes(24).toString('base64url') : 'null');

function markDeleted(bucket: Bucket, key: string): void {
  for (const watch of bucket.watches.get(key) ?? []) watch.deleted = true;
}
