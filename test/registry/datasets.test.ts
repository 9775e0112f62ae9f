import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { advanceDataset, compareSources, type DatasetPointer, type DatasetStatus, getDataset } from '../../core/registry/datasets.ts';
import { MemoryObjectStore } from '../../core/registry/memory-object-store.ts';

const source = (sequencer: string, key = 'raw/d/data.csv', eventTime = '2026-11-25T08:00:00.000Z') => ({ key, sequencer, eventTime });

describe('the order of uploads', () => {
  test('of one key is that of the sequencers, the shorter padded on the right', () => {
    expect(compareSources(source('0055AED6DCD90281E5'), source('0055AED6DCD90281E6'))).toBeLessThan(0);
    expect(compareSources(source('0055AED7'), source('0055AED6DCD90281E5'))).toBeGreaterThan(0);
    expect(compareSources(source('0055aed7'), source('0055AED700'))).toBe(0);
  });

  test('of two keys is that of the times: sequencers of different keys say nothing', () => {
    const spec = source('01', 'raw/d/dataset.json', '2026-11-25T08:00:01.000Z');
    expect(compareSources(spec, source('FF'))).toBeGreaterThan(0);
  });
});

describe('the pointer to the newest revision', () => {
  test('wherever the steps of several uploads fall, it ends on the last step of the newest upload', async () => {
    const steps: DatasetStatus[] = ['CLEANING', 'CLEAN', 'READY'];
    const uploads = ['0A', '0B', '0C'].flatMap((sequencer) =>
      steps.map((status): DatasetPointer => ({ status, source: source(sequencer), revision: sequencer })),
    );
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(uploads, { minLength: uploads.length }), fc.boolean(), async (events, atOnce) => {
        const store = new MemoryObjectStore();
        if (atOnce) await Promise.all(events.map((next) => advanceDataset(store, 'd', next)));
        else for (const next of events) await advanceDataset(store, 'd', next);
        expect(await getDataset(store, 'd')).toEqual({ status: 'READY', source: source('0C'), revision: '0C' });
      }),
    );
  });

  test('an older upload learns that a newer one has taken over', async () => {
    const store = new MemoryObjectStore();
    await advanceDataset(store, 'd', { status: 'CLEANING', source: source('0B') });
    const standing = await advanceDataset(store, 'd', { status: 'CLEANING', source: source('0A') });
    expect(standing.source.sequencer).toBe('0B');
  });

  test('a repeated event does not forget the revision', async () => {
    const store = new MemoryObjectStore();
    await advanceDataset(store, 'd', { status: 'CLEANING', source: source('0A'), revision: 'r' });
    await advanceDataset(store, 'd', { status: 'CLEANING', source: source('0A') });
    expect((await getDataset(store, 'd'))?.revision).toBe('r');
  });
});
