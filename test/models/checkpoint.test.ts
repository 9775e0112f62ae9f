import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { modelKeys } from '../../core/keys.ts';
import { boosting } from '../../core/models/boosting/boosting.ts';
import type { Checkpoint } from '../../core/models/checkpoint.ts';
import { extraTrees } from '../../core/models/forest/extra-trees.ts';
import { forest } from '../../core/models/forest/forest.ts';
import type { Family, FitContext, Params } from '../../core/models/model.ts';
import { Checkpoints } from '../../core/registry/checkpoints.ts';
import { MemoryObjectStore } from '../../core/registry/memory-object-store.ts';
import { makeSample } from './data.ts';

class TakenAway extends Error {}

/** Keeps every piece, and is taken away after so many times. */
function machine(kept: Uint8Array[], lives: number): Checkpoint {
  let left = lives;
  return {
    load: async () => [...kept],
    isDue: () => true,
    append: async (pieces) => {
      kept.push(pieces);
      if (--left === 0) throw new TakenAway();
    },
    close: () => undefined,
  };
}

const families: [name: string, family: Family, classes: number, params: Params][] = [
  ['boosting', boosting, 2, { nEstimators: 24, learningRate: 0.2, minSamplesLeaf: 5 }],
  ['boosting with bags of rows and features', boosting, 3, { nEstimators: 12, subsample: 0.7, colsample: 0.6, minSamplesLeaf: 5 }],
  ['boosting that stops early', boosting, 0, { nEstimators: 60, learningRate: 0.4, earlyStopping: true, nIterNoChange: 4 }],
  ['boosting of a quantile', boosting, 0, { nEstimators: 12, loss: 'quantile', quantile: 0.8 }],
  ['a forest', forest, 3, { nEstimators: 60 }],
  ['extremely randomised trees', extraTrees, 0, { nEstimators: 40 }],
];

describe.each(families)('%s', (_, family, classes, params) => {
  const { x, y } = makeSample(400, 5, classes, 3);
  const context: FitContext = { seed: 7, workers: 1 };

  test('has the bytes of an undisturbed fit, wherever it is interrupted, and nothing is done twice', { timeout: 60_000 }, async () => {
    const expected = (await family.fit(x, y, params, context)).serialize();
    const all: Uint8Array[] = [];
    await family.fit(x, y, params, { ...context, checkpoint: machine(all, -1) });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: all.length }), { minLength: 1, maxLength: 3 }), async (lives) => {
        const kept: Uint8Array[] = [];
        for (const each of lives) {
          await family.fit(x, y, params, { ...context, checkpoint: machine(kept, each) }).catch((error: unknown) => {
            if (!(error instanceof TakenAway)) throw error;
          });
        }
        const model = await family.fit(x, y, params, { ...context, checkpoint: machine(kept, -1) });
        expect(Buffer.compare(model.serialize(), expected)).toBe(0);
        // What every attempt has made, together, is what one makes alone.
        expect(kept.length).toBe(all.length);
      }),
      { numRuns: 6 },
    );
  });

  test('passes over what another fit has kept', { timeout: 60_000 }, async () => {
    const kept: Uint8Array[] = [];
    await family.fit(x, y, params, { ...context, seed: 8, checkpoint: machine(kept, -1) });
    const model = await family.fit(x, y, params, { ...context, checkpoint: machine(kept, -1) });
    expect(Buffer.compare(model.serialize(), (await family.fit(x, y, params, context)).serialize())).toBe(0);
  });
});

test("a fold's boosting goes on too: the same rounds, answers and bytes", { timeout: 60_000 }, async () => {
  const { x, y } = makeSample(500, 5, 2, 3);
  const [rows, others] = [0, 1].map((side) => Int32Array.from({ length: 250 }, (_, i) => i * 2 + side)) as [Int32Array, Int32Array];
  const params = { nEstimators: 80, learningRate: 0.3 };
  const context: FitContext = { seed: 2, workers: 1 };
  const expected = await boosting.fitFold!(x, y, rows, others, params, context);
  const kept: Uint8Array[] = [];
  const first = boosting.fitFold!(x, y, rows, others, params, { ...context, checkpoint: machine(kept, 6) });
  await expect(first).rejects.toThrow(TakenAway);
  const found = await boosting.fitFold!(x, y, rows, others, params, { ...context, checkpoint: machine(kept, -1) });
  expect(found.steps).toBe(expected.steps);
  expect(found.predictions).toEqual(expected.predictions);
  expect(Buffer.compare(found.model.serialize(), expected.model.serialize())).toBe(0);
});

describe('checkpoints in the model bucket', () => {
  test('are written when the machine is about to be taken away, and found by the next attempt in their order', async () => {
    const store = new MemoryObjectStore();
    const checkpoints = new Checkpoints(store, 3600);
    const own = checkpoints.of('r', 'fit-1');
    expect(await own.load()).toEqual([]);
    expect(own.isDue()).toBe(false);
    const interrupted = checkpoints.interrupt();
    expect(own.isDue()).toBe(true);
    await own.append(Uint8Array.of(1));
    await interrupted;
    const next = new Checkpoints(store).of('r', 'fit-1');
    expect(await next.load()).toEqual([Uint8Array.of(1)]);
    await next.append(Uint8Array.of(2));
    expect((await store.get(modelKeys.checkpoint('r', 'fit-1', 1)))?.body).toEqual(Uint8Array.of(2));
    expect(await new Checkpoints(store).of('r', 'fit-10').load()).toEqual([]);
    await new Checkpoints(store).of('r', 'fit-10').append(Uint8Array.of(3));
    await new Checkpoints(store).remove('r', 'fit-1');
    expect(await next.load()).toEqual([]);
    expect(await new Checkpoints(store).of('r', 'fit-10').load()).toEqual([Uint8Array.of(3)]);
  });

  test('hold nobody up where no fit is under way', async () => {
    const checkpoints = new Checkpoints(new MemoryObjectStore());
    const own = checkpoints.of('r', 'fit-1');
    await own.load();
    own.close();
    await checkpoints.interrupt();
  });
});
