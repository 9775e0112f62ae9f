/** An object store in memory, for tests and benchmarks. It keeps S3's promises: conditional writes, etags by content, old versions. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { ObjectStore, ObjectSummary, PutCondition, StoredObject } from '../object-store.ts';

export class MemoryObjectStore implements ObjectStore {
  private readonly objects = new Map<string, StoredObject & { lastModified: Date }>();
  private readonly versions = new Map<string, Uint8Array>();

  async get(key: string): Promise<StoredObject | undefined> {
    const object = this.objects.get(key);
    return object && { body: object.body, etag: object.etag };
  }

  async head(key: string): Promise<{ size: number; etag: string } | undefined> {
    const object = this.objects.get(key);
    return object && { size: object.body.length, etag: object.etag };
  }

  async put(key: string, body: Uint8Array | string, options?: { condition?: PutCondition }): Promise<string | undefined> {
    const condition = options?.condition;
    const present = this.objects.get(key);
    if (condition && ('ifNoneMatch' in condition ? present !== undefined : present?.etag !== condition.ifMatch)) return undefined;
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : Uint8Array.from(body);
    const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
    this.objects.set(key, { body: bytes, etag, lastModified: new Date() });
    this.versions.set(this.versionId(key), bytes);
    return etag;
  }

  /** The id of the object's present version, as an S3 event would name it. Equal bytes have equal ids. */
  versionId(key: string): string {
    return `${key}@${this.objects.get(key)?.etag}`;
  }

  async *list(prefix: string): AsyncIterable<ObjectSummary> {
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    for (const key of keys) {
      const object = this.objects.get(key);
      if (object) yield { key, size: object.body.length, etag: object.etag, lastModified: object.lastModified };
    }
  }

  async *listFolders(prefix: string): AsyncIterable<string> {
    const names = new Set<string>();
    for await (const { key } of this.list(prefix)) {
      const slash = key.indexOf('/', prefix.length);
      if (slash >= 0) names.add(key.slice(prefix.length, slash));
    }
    yield* names;
  }

  async download(key: string, path: string, options?: { versionId?: string }): Promise<boolean> {
    const body = options?.versionId === undefined ? this.objects.get(key)?.body : this.versions.get(options.versionId);
    if (!body) return false;
    await writeFile(path, body);
    return true;
  }

  async upload(path: string, key: string): Promise<void> {
    await this.put(key, await readFile(path));
  }

  async delete(key: string): Promise<void> {
    this.objects.delete(key);
  }
}
