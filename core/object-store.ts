import { IngotError } from './errors.ts';

/**
 * What the core knows of storage: immutable objects and pointers moved by conditional writes, as S3 has them.
 * `aws/s3-object-store.ts` is S3; `core/registry/memory-object-store.ts` is for tests and benchmarks. Both pass one contract suite.
 */
export interface StoredObject {
  body: Uint8Array;
  etag: string;
}

export interface ObjectSummary {
  key: string;
  size: number;
  etag: string;
  lastModified: Date;
}

/** At most one of the two; the put is refused (`false`) where the condition does not hold. */
export type PutCondition = { ifNoneMatch: '*' } | { ifMatch: string };

export interface ObjectStore {
  /** The whole object, or undefined where there is none. For objects that fit in memory. */
  get(key: string): Promise<StoredObject | undefined>;
  /** Whether it exists, without its body. */
  head(key: string): Promise<{ size: number; etag: string } | undefined>;
  /**
   * Writes an object. With a condition that fails (412, or 409 in a race) nothing is written.
   * @returns the new etag, or undefined where the condition did not hold.
   */
  put(key: string, body: Uint8Array | string, options?: { contentType?: string; condition?: PutCondition }): Promise<string | undefined>;
  /** All objects under a prefix in key order. */
  list(prefix: string): AsyncIterable<ObjectSummary>;
  /** The names of the "folders" directly under a prefix that ends with `/`. */
  listFolders(prefix: string): AsyncIterable<string>;
  /** Streams an object into a file. @returns false where there is none. `versionId` picks a version. */
  download(key: string, path: string, options?: { versionId?: string }): Promise<boolean>;
  /** Streams a file into an object (multipart where it is large). */
  upload(path: string, key: string, options?: { contentType?: string }): Promise<void>;
  delete(key: string): Promise<void>;
}

/** Reads a JSON object that our own code wrote. @returns undefined where there is none. */
export async function getJson<T>(store: ObjectStore, key: string): Promise<T | undefined> {
  const object = await store.get(key);
  return object && (JSON.parse(new TextDecoder().decode(object.body)) as T);
}

/** JSON that an earlier step has left. @throws IngotError NotFound where somebody has deleted it since */
export async function needJson<T>(store: ObjectStore, key: string): Promise<T> {
  const value = await getJson<T>(store, key);
  if (value === undefined)
    throw new IngotError('NotFound', `The object ${key} is not there.`, { where: key, fix: 'It was deleted; upload the dataset again.' });
  return value;
}

/** The bytes that an earlier step has left. @throws IngotError NotFound where somebody has deleted them since */
export async function needBytes(store: ObjectStore, key: string): Promise<Uint8Array> {
  const object = await store.get(key);
  if (!object)
    throw new IngotError('NotFound', `The object ${key} is not there.`, { where: key, fix: 'It was deleted; upload the dataset again.' });
  return object.body;
}

/** Writes a value as JSON; the same conditions and result as `put`. */
export function putJson(store: ObjectStore, key: string, value: unknown, condition?: PutCondition): Promise<string | undefined> {
  return store.put(key, JSON.stringify(value, null, 1), { contentType: 'application/json', ...(condition && { condition }) });
}
