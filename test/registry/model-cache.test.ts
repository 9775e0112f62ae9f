import { beforeAll, describe, expect, test } from 'vitest';
import { MemoryObjectStore } from '../../core/registry/memory-object-store.ts';
import { ModelCache } from '../../core/registry/model-cache.ts';
import { publishSmallModel } from '../functions/small-model.ts';

class CountingStore extends MemoryObjectStore {
  gets = 0;

  override get(key: string) {
    if (key.endsWith('.onnx')) this.gets++;
    return super.get(key);
  }
}

const store = new CountingStore();
beforeAll(() => publishSmallModel(store, 'm', 3));

describe('models in memory', () => {
  test('are fetched once, however many ask at once', async () => {
    store.gets = 0;
    const cache = new ModelCache(async () => store);
    const found = await Promise.all(Array.from({ length: 20 }, () => cache.byAlias('m')));
    expect(new Set(found.map(({ predictor }) => predictor)).size).toBe(1);
    expect(store.gets).toBe(1);
  });

  test('go when there is no more room, the longest unused first', async () => {
    const cache = new ModelCache(async () => store, { versions: 2, bytes: Number.POSITIVE_INFINITY });
    const asked = [1, 2, 1, 3];
    for (const version of asked) await cache.byVersion('m', version);
    store.gets = 0;
    await cache.byVersion('m', 1);
    await cache.byVersion('m', 3);
    expect(store.gets).toBe(0);
    await cache.byVersion('m', 2);
    expect(store.gets).toBe(1);
  });

  test('larger than all the room: one stays', async () => {
    const cache = new ModelCache(async () => store, { versions: 16, bytes: 1 });
    await cache.byVersion('m', 1);
    await cache.byVersion('m', 2);
    store.gets = 0;
    await cache.byVersion('m', 2);
    expect(store.gets).toBe(0);
    await cache.byVersion('m', 1);
    expect(store.gets).toBe(1);
  });

  test('that could not be fetched are tried again', async () => {
    let broken = true;
    const cache = new ModelCache(async () => {
      if (broken) throw new Error('no connection');
      return store;
    });
    await expect(cache.byAlias('m')).rejects.toThrow('no connection');
    broken = false;
    expect((await cache.byAlias('m')).version).toBe(3);
  });
});
