import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { modelKeys } from '../../core/keys.ts';
import { boosting } from '../../core/models/boosting/boosting.ts';
import type { Checkpoint } from '../../core/models/checkpoint.ts';
import { extraTrees } from '../../core/models/forest/extra-trees.ts';
import { forest } from '../../core/models/forest/forest.ts';
import { linear } from '../../core/models/linear/linear.ts';
import type { Family, FitContext, Params } from '../../core/models/model.ts';
import { network } from '../../core/models/network/network.ts';
import { svm } from '../../core/models/svm/svm.ts';
import { Checkpoints } from '../../core/registry/checkpoints.ts';
import { MemoryObjectStore } from '../../core/registry/memory-object-store.ts';
import { makeSample } from './data.ts';

class TakenAway extends Error {}

/** What attempts at a fit have kept, and how often. */
class Kept {
  parts: Uint8Array[] = [];
  times = 0;
}

/** Keeps whatever there is, and is taken away after so many times. */
function machine(kept: Kept, lives: number): Checkpoint {
  let left = lives;
  return {
    load: async () => [...kept.parts],
    isDue: () => true,
    append: async (pieces, instead) => {
      kept.parts = instead ? [pieces] : [...kept.parts, pieces];
      kept.times++;
      if (--left === 0) throw new TakenAway();
    },
    close: () => undefined,
  };
}

const families: [name: string, family: Family, classes: number, params: Params, rows?: number][] = [
  ['boosting', boosting, 2, { nEstimators: 24, learningRate: 0.2, minSamplesLeaf: 5 }],
  ['boosting with bags of rows and features', boosting, 3, { nEstimators: 12, subsample: 0.7, colsample: 0.6, minSamplesLeaf: 5 }],
  ['boosting that stops early', boosting, 0, { nEstimators: 60, learningRate: 0.4, earlyStopping: true, nIterNoChange: 4 }],
  ['boosting of a quantile', boosting, 0, { nEstimators: 12, loss: 'quantile', quantile: 0.8 }],
  ['a forest', forest, 3, { nEstimators: 60 }],
  ['extremely randomised trees', extraTrees, 0, { nEstimators: 40 }],
  ['a network', network, 3, { epochs: 4, width: 16 }],
  ['a network without normalisation, of values', network, 0, { epochs: 3, width: 16, normalisation: 'none', batchSize: 32 }],
  ['a network that stops early', network, 2, { epochs: 30, width: 8, learningRate: 0.1, earlyStopping: true, nIterNoChange: 2 }],
  ['a linear model', linear, 3, {}],
  ['a linear model with absolute values', linear, 2, { penalty: 'l1', alpha: 0.001 }],
  ['a linear model that begins with a sample', linear, 2, { tol: 1e-9 }, 9000],
  ['gradient descent', linear, 3, { solver: 'gd', maxIter: 30 }],
  ['stochastic gradient descent', linear, 2, { solver: 'sgd', penalty: 'l1', alpha: 0.01 }],
  ["gradient descent with Adam's steps", linear, 0, { solver: 'adam', maxIter: 30 }],
  ['machines of three classes, on a path of C', svm, 3, { C: 100 }],
  ['a machine of values', svm, 0, { C: 10 }],
  ['lines of three classes', svm, 3, { kernel: 'linear' }],
  ['a line of values', svm, 0, { kernel: 'linear' }],
];

describe.each(families)('%s', (_, family, classes, params, size = 400) => {
  const { x, y } = makeSample(size, 5, classes, 3);
  const context: FitContext = { seed: 7, workers: 1 };

  test('has the bytes of an undisturbed fit, wherever it is interrupted, and nothing is done twice', async () => {
    const expected = (await family.fit(x, y, params, context)).serialize();
    const all = new Kept();
    const alone = await family.fit(x, y, params, { ...context, checkpoint: machine(all, -1) });
    expect(Buffer.compare(alone.serialize(), expected)).toBe(0);
    expect(all.times).toBeGreaterThan(0);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: all.times }), { minLength: 1, maxLength: 3 }), async (lives) => {
        const kept = new Kept();
        for (const each of lives) {
          await family.fit(x, y, params, { ...context, checkpoint: machine(kept, each) }).catch((error: unknown) => {
            if (!(error instanceof TakenAway)) throw error;
          });
        }
        const model = await family.fit(x, y, params, { ...context, checkpoint: machine(kept, -1) });
        expect(Buffer.compare(model.serialize(), expected)).toBe(0);
        // What every attempt has made, together, is what one makes alone.
        expect(kept.times).toBe(all.times);
      }),
      { numRuns: 6 },
    );
  });

  test('passes over what another fit has kept', async () => {
    const kept = new Kept();
    await family.fit(x, y, params, { ...context, seed: 8, checkpoint: machine(kept, -1) });
    const model = await family.fit(x, y, params, { ...context, checkpoint: machine(kept, -1) });
    expect(Buffer.compare(model.serialize(), (await family.fit(x, y, params, context)).serialize())).toBe(0);
  });
});

test.each([
  ['boosting', boosting, { nEstimators: 80, learningRate: 0.3 }],
  ['network', network, { epochs: 20, width: 8 }],
] as [string, Family, Params][])("a fold's %s goes on too: the same rounds, answers and bytes", async (_, family, params) => {
  const { x, y } = makeSample(500, 5, 2, 3);
  const [rows, others] = [0, 1].map((side) => Int32Array.from({ length: 250 }, (_, i) => i * 2 + side)) as [Int32Array, Int32Array];
  const context: FitContext = { seed: 2, workers: 1 };
  const expected = await family.fitFold!(x, y, rows, others, params, context);
  const kept = new Kept();
  const first = family.fitFold!(x, y, rows, others, params, { ...context, checkpoint: machine(kept, 6) });
  await expect(first).rejects.toThrow(TakenAway);
  const found = await family.fitFold!(x, y, rows, others, params, { ...context, checkpoint: machine(kept, -1) });
  expect(found.steps).toBe(expected.steps);
  expect(found.predictions).toEqual(expected.predictions);
  expect(Buffer.compare(found.model.serialize(), expected.model.serialize())).toBe(0);
});

test('a network that was on its way to more epochs than are asked for begins anew', async () => {
  const { x, y } = makeSample(300, 4, 2, 3);
  const context: FitContext = { seed: 2, workers: 1 };
  const kept = new Kept();
  await network.fit(x, y, { epochs: 6, width: 8 }, { ...context, checkpoint: machine(kept, -1) });
  const few = await network.fit(x, y, { epochs: 2, width: 8 }, { ...context, checkpoint: machine(kept, -1) });
  expect(Buffer.compare(few.serialize(), (await network.fit(x, y, { epochs: 2, width: 8 }, context)).serialize())).toBe(0);
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

  test('of a state are the newest alone, of which a later attempt goes on to count', async () => {
    const store = new MemoryObjectStore();
    const own = new Checkpoints(store).of('r', 'fit/1');
    await own.load();
    for (const state of [1, 2, 3]) await own.append(Uint8Array.of(state), true);
    const next = new Checkpoints(store).of('r', 'fit/1');
    expect(await next.load()).toEqual([Uint8Array.of(3)]);
    await next.append(Uint8Array.of(4), true);
    expect(await new Checkpoints(store).of('r', 'fit/1').load()).toEqual([Uint8Array.of(4)]);
  });

  test('hold nobody up where no fit is under way', async () => {
    const checkpoints = new Checkpoints(new MemoryObjectStore());
    const own = checkpoints.of('r', 'fit-1');
    await own.load();
    own.close();
    await checkpoints.interrupt();
  });
});
