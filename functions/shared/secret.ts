/** The installation's own secret: without it, a hash of a telephone number is found by trying them all. */
import { randomBytes } from 'node:crypto';
import { dataKeys } from '../../core/keys.ts';
import type { ObjectStore } from '../../core/object-store.ts';
import { needBytes, once } from './objects.ts';

/** 32 random bytes, made by whoever asks first: equal values have equal hashes in all datasets of one installation. */
export async function personalSecret(data: ObjectStore): Promise<Uint8Array> {
  const found = await data.get(dataKeys.secret);
  if (found) return found.body;
  const made = randomBytes(32);
  const written = await data.put(dataKeys.secret, made, { contentType: 'application/octet-stream', condition: once });
  return written === undefined ? needBytes(data, dataKeys.secret) : made;
}
