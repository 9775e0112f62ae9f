import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ObjectStore } from '../../core/object-store.ts';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const text = (body: Uint8Array | undefined) => body && new TextDecoder().decode(body);

/**
 * What every object store must do.
 * @param create an empty store, and how to learn the id of an object's present version
 */
export function objectStoreContract(
  name: string,
  create: () => Promise<{ store: ObjectStore; versionId: (key: string) => Promise<string> }>,
): void {
  describe(name, () => {
    test('an object that is not there is undefined, not an error', async () => {
      const { store } = await create();
      expect(await store.get('a/b')).toBeUndefined();
      expect(await store.head('a/b')).toBeUndefined();
      expect(await store.download('a/b', join(tmpdir(), 'never-written'))).toBe(false);
    });

    test('what was put is got, with an etag that changes when the content does', async () => {
      const { store } = await create();
      const first = await store.put('a/b', 'one');
      expect(await store.get('a/b')).toMatchObject({ etag: first });
      expect(text((await store.get('a/b'))?.body)).toBe('one');
      const second = await store.put('a/b', new TextEncoder().encode('two!'), { contentType: 'text/plain' });
      expect(second).not.toBe(first);
      expect(await store.head('a/b')).toEqual({ size: 4, etag: second });
    });

    test('If-None-Match writes only where nothing is', async () => {
      const { store } = await create();
      expect(await store.put('claim', 'mine', { condition: { ifNoneMatch: '*' } })).toBeTruthy();
      expect(await store.put('claim', 'yours', { condition: { ifNoneMatch: '*' } })).toBeUndefined();
      expect(text((await store.get('claim'))?.body)).toBe('mine');
      await store.delete('claim');
      expect(await store.put('claim', 'yours', { condition: { ifNoneMatch: '*' } })).toBeTruthy();
    });

    test('If-Match writes only over the state that was seen', async () => {
      const { store } = await create();
      const seen = await store.put('pointer', '1');
      const moved = await store.put('pointer', '2', { condition: { ifMatch: seen! } });
      expect(moved).toBeTruthy();
      expect(await store.put('pointer', '3', { condition: { ifMatch: seen! } })).toBeUndefined();
      expect(await store.put('nothing', '1', { condition: { ifMatch: moved! } })).toBeUndefined();
      expect(text((await store.get('pointer'))?.body)).toBe('2');
    });

    test('of twenty who claim one key at once, one wins', async () => {
      const { store } = await create();
      const claims = await Promise.all(
        Array.from({ length: 20 }, (_, i) => store.put('claim', `claimant ${i}`, { condition: { ifNoneMatch: '*' } })),
      );
      const winners = claims.flatMap((etag, i) => (etag === undefined ? [] : [i]));
      expect(winners).toHaveLength(1);
      expect(text((await store.get('claim'))?.body)).toBe(`claimant ${winners[0]}`);
    });

    test('objects and folders under a prefix are listed in order', async () => {
      const { store } = await create();
      for (const key of ['m/b/2', 'm/a/1', 'm/c', 'n/x', 'm/a/é +%?']) await store.put(key, key);
      expect((await all(store.list('m/'))).map(({ key, size }) => [key, size])).toEqual([
        ['m/a/1', 5],
        ['m/a/é +%?', 10],
        ['m/b/2', 5],
        ['m/c', 3],
      ]);
      expect((await all(store.list('m/')))[0]).toMatchObject({ etag: (await store.head('m/a/1'))!.etag, lastModified: expect.any(Date) });
      expect(await all(store.listFolders('m/'))).toEqual(['a', 'b']);
      expect(await all(store.list('nothing/'))).toEqual([]);
    });

    test('files go up and come down, an older version too', async () => {
      const { store, versionId } = await create();
      const folder = await mkdtemp(join(tmpdir(), 'ingot-contract-'));
      const [up, down] = [join(folder, 'up'), join(folder, 'down')];
      await writeFile(up, 'first');
      await store.upload(up, 'file');
      const first = await versionId('file');
      await writeFile(up, 'second');
      await store.upload(up, 'file', { contentType: 'text/plain' });
      expect(await store.download('file', down)).toBe(true);
      expect(await readFile(down, 'utf8')).toBe('second');
      expect(await store.download('file', down, { versionId: first })).toBe(true);
      expect(await readFile(down, 'utf8')).toBe('first');
    });
  });
}
