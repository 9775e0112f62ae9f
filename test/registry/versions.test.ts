import { describe, expect, test } from 'vitest';
import { modelKeys } from '../../core/keys.ts';
import type { ModelCard } from '../../core/registry/card.ts';
import { MemoryObjectStore } from '../../core/registry/memory-object-store.ts';
import { claimVersion, getCard, listModels, listVersions, publishVersion } from '../../core/registry/versions.ts';

const now = new Date('2026-11-25T08:00:00Z');
const card = (version: number, run: string) => ({ model: 'm', version, run }) as ModelCard;
const claim = (store: MemoryObjectStore, run: string) => claimVersion(store, 'm', run, now);

describe('versions', () => {
  test('runs get numbers from 1, in the order of their claims', async () => {
    const store = new MemoryObjectStore();
    expect([await claim(store, 'a'), await claim(store, 'b'), await claim(store, 'c')]).toEqual([1, 2, 3]);
  });

  test('a run that died after its claim finds it, whoever came after', async () => {
    const store = new MemoryObjectStore();
    await claim(store, 'a');
    await claim(store, 'b');
    expect(await claim(store, 'a')).toBe(1);
  });

  test('twenty runs at once, each with a twin, get twenty numbers', async () => {
    const store = new MemoryObjectStore();
    const runs = Array.from({ length: 20 }, (_, i) => `run-${i}`);
    const claims = await Promise.all([...runs, ...runs].map((run) => claim(store, run)));
    expect(claims.slice(0, 20)).toEqual(claims.slice(20));
    expect(claims.slice(0, 20).sort((a, b) => a - b)).toEqual(runs.map((_, i) => i + 1));
  });

  test('a version is seen once its card is there, and stays as it was first written', async () => {
    const store = new MemoryObjectStore();
    const version = await claim(store, 'a');
    await store.put(modelKeys.model('m', version), 'graph');
    expect(await listVersions(store, 'm')).toEqual([]);
    await publishVersion(store, card(version, 'a'), new TextEncoder().encode('graph'), {});
    await publishVersion(store, { ...card(version, 'a'), createdAt: 'later' }, new TextEncoder().encode('another'), {});
    expect(await listVersions(store, 'm')).toEqual([1]);
    expect(await getCard(store, 'm', 1)).toEqual(card(1, 'a'));
    expect(Buffer.from((await store.get(modelKeys.model('m', 1)))!.body).toString()).toBe('graph');
    expect(await listModels(store)).toEqual(['m']);
  });

  test('versions are in the order of numbers, not of texts', async () => {
    const store = new MemoryObjectStore();
    for (let i = 1; i <= 11; i++) await publishVersion(store, card(await claim(store, `run-${i}`), `run-${i}`), new Uint8Array(), {});
    expect(await listVersions(store, 'm')).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });
});
