import { describe, expect, test } from 'vitest';
import { getAlias, listAliases, release, rollBack, setAlias } from '../../core/registry/aliases.ts';
import type { ModelCard } from '../../core/registry/card.ts';
import { MemoryObjectStore } from '../../core/registry/memory-object-store.ts';
import { publishVersion } from '../../core/registry/versions.ts';

const now = new Date('2026-11-25T08:00:00Z');

/** A model whose version n was made of the data that came n-th, or as the order says. */
async function model(versions: number, order = (version: number) => version) {
  const store = new MemoryObjectStore();
  const sourceOf = (place: number) => ({ key: 'raw/m/m.csv', sequencer: String(1000 + place), eventTime: now.toISOString() });
  for (let version = 1; version <= versions; version++) {
    const source = sourceOf(order(version));
    await publishVersion(store, { model: 'm', version, run: `run-${version}`, source } as ModelCard, new Uint8Array(), {});
  }
  return {
    store,
    release: (version: number, place = order(version)) =>
      release(store, 'm', { version, run: `run-${version}`, source: sourceOf(place) }, now),
    set: (version: number, ifMatch?: string) => setAlias(store, 'm', 'live', version, now, ifMatch),
    rollBack: () => rollBack(store, 'm', 'live', now),
    live: async () => (await getAlias(store, 'm', 'live'))?.version,
  };
}

describe('release', () => {
  test('moves live to the newest data', async () => {
    const { release, live } = await model(2);
    expect(await release(1)).toBe(true);
    expect(await release(2)).toBe(true);
    expect(await live()).toBe(2);
  });

  test('a run of older data that finishes late does not take live back', async () => {
    // The second upload was learned first: version 1 is of newer data than version 2.
    const { release, live } = await model(2, (version) => -version);
    await release(1);
    expect(await release(2)).toBe(false);
    expect(await live()).toBe(1);
  });

  test('asked again, it leaves alone what a user has moved since', async () => {
    const { release, rollBack, live } = await model(2);
    await release(1);
    await release(2);
    await rollBack();
    expect(await release(2)).toBe(true);
    expect(await live()).toBe(1);
  });

  test('the same data uploaded again after others take live back, once an upload', async () => {
    const { release, rollBack, live } = await model(2);
    await release(1);
    await release(2);
    expect(await release(1, 3)).toBe(true);
    expect(await live()).toBe(1);
    await rollBack();
    expect(await release(1, 3)).toBe(true);
    expect(await live()).toBe(2);
  });

  test('a run of older data that ends after newer data were uploaded once more leaves them live', async () => {
    const { release, live } = await model(2);
    await release(1);
    await release(1, 3);
    expect(await release(2)).toBe(false);
    expect(await live()).toBe(1);
  });

  test('all at once, in any order: live ends on the newest data, and the history never goes back', async () => {
    const { store, release } = await model(12);
    await Promise.all([5, 12, 1, 7, 3, 2, 11, 4, 10, 6, 9, 8].map((version) => release(version)));
    const alias = await getAlias(store, 'm', 'live');
    expect(alias?.version).toBe(12);
    const moves = alias!.history.map(({ version }) => version);
    expect(moves).toEqual([...moves].sort((a, b) => a - b));
  });
});

describe('an alias', () => {
  test('keeps who moved it, when, and why', async () => {
    const { store, release, set } = await model(2);
    await release(1);
    await set(2);
    expect(await listAliases(store, 'm')).toEqual({
      live: {
        version: 2,
        history: [
          { version: 1, at: now.toISOString(), by: 'run-1', why: 'release', source: expect.objectContaining({ key: 'raw/m/m.csv' }) },
          { version: 2, at: now.toISOString(), by: 'api', why: 'set' },
        ],
      },
    });
  });

  test('moves only from the state that If-Match names', async () => {
    const { set } = await model(3);
    const first = await set(1);
    const second = await set(2, first.etag);
    await expect(set(3, first.etag)).rejects.toMatchObject({ code: 'PreconditionFailed', where: 'header If-Match' });
    expect((await set(3, second.etag)).version).toBe(3);
    expect((await set(1, '*')).version).toBe(1);
  });

  test('of twenty who move it from one state, one does', async () => {
    const { set } = await model(3);
    const { etag } = await set(1);
    const moves = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => set(2 + (i % 2), etag)));
    expect(moves.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('points at whole versions only', async () => {
    const { set } = await model(1);
    await expect(set(2)).rejects.toMatchObject({ code: 'NotFound' });
  });
});

describe('rollback', () => {
  test('goes back, again goes back further, and at the start there is nothing to go back to', async () => {
    const { set, rollBack, live } = await model(4);
    for (const version of [1, 2, 3]) await set(version);
    expect((await rollBack()).version).toBe(2);
    await set(4);
    expect((await rollBack()).version).toBe(2);
    expect((await rollBack()).version).toBe(1);
    await expect(rollBack()).rejects.toMatchObject({ code: 'Conflict' });
    expect(await live()).toBe(1);
  });

  test('passes over moves to the version that it stands on', async () => {
    const { set, rollBack } = await model(2);
    for (const version of [1, 2, 2, 2]) await set(version);
    expect((await rollBack()).version).toBe(1);
  });

  test('of an alias that is not there is NotFound', async () => {
    await expect((await model(1)).rollBack()).rejects.toMatchObject({ code: 'NotFound' });
  });
});
