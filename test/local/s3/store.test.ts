import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { Store } from '../../../local/s3/store.ts';
import { copyObject, putObject } from '../../../local/s3/write.ts';

it('a copy whose source was deleted before it was written keeps its bytes over a restart', async () => {
  const root = await mkdtemp(join(tmpdir(), 'ingot-store-'));
  const store = await Store.open(root, () => undefined);
  await store.createBucket('b', 'Off');
  const body = randomBytes(5000);
  async function* stream() {
    yield body;
  }
  const version = await putObject(store, 'b', 'source', { stream: stream() });
  // The copy holds the source's file from its start; its record follows the deletion's.
  const deleted = store.deleteVersion('b', 'source');
  const copied = copyObject(store, { bucket: 'b', version }, 'b', 'copy', {});
  await deleted;
  await copied;
  await store.close();

  const again = await Store.open(root, () => undefined);
  const copy = again.find('b', 'copy');
  expect((await buffer(again.read(copy.segments, 0, copy.size))).equals(body)).toBe(true);
  await again.close();
  await rm(root, { recursive: true });
});
