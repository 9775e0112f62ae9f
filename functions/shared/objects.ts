import { IngotError } from '../../core/errors.ts';
import { getJson, type ObjectStore } from '../../core/object-store.ts';

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

/** Written by the first; the racing twin's or the repeated attempt's equal work is dropped. */
export const once = { ifNoneMatch: '*' } as const;
