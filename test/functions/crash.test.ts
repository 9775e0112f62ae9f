import { expect, test } from 'vitest';
import type { ObjectStore } from '../../core/object-store.ts';
import { Laboratory } from './laboratory.ts';

const spec = JSON.stringify({ folds: 2, grids: { forest: { nEstimators: [3], maxDepth: [null], minSamplesSplit: [2] } } });
const rows = Array.from({ length: 60 }, (_, i) => `${(i * 37) % 101},${['red', 'blue', ''][i % 3]},${(i * 37) % 101 > 50}`);
const table = `x,colour,y\n${rows.join('\n')}\n`;

class Crash extends Error {
  override name = 'Crash';
}

/** Dies once, at the n-th write, either before it or when it is done and nobody has been told. */
class Fault {
  writes = 0;
  private readonly at: number;
  private readonly when: 'before' | 'after';

  constructor(at: number, when: 'before' | 'after') {
    this.at = at;
    this.when = when;
  }

  wrap(store: ObjectStore): ObjectStore {
    const guard =
      <A extends unknown[], R>(write: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        const isFatal = ++this.writes === this.at;
        if (isFatal && this.when === 'before') throw new Crash();
        const result = await write.apply(store, args);
        if (isFatal) throw new Crash();
        return result;
      };
    return Object.assign(Object.create(store) as ObjectStore, { put: guard(store.put), upload: guard(store.upload) });
  }
}

/** From the upload to the release, each event and stage delivered again until it goes through. */
async function live(fault: Fault): Promise<Laboratory> {
  const lab = new Laboratory((store) => fault.wrap(store));
  await lab.rawData.put('raw/d/dataset.json', spec);
  const event = await lab.upload('raw/d/data.csv', table);
  for (;;) {
    try {
      await lab.prepare(event);
      await lab.runAll();
      return lab;
    } catch (error) {
      if ((error as Error).name !== 'Crash') throw error;
    }
  }
}

test('a crash before or after any write, and what is delivered again ends in the state of a run without a crash', async () => {
  const undisturbed = new Fault(0, 'before');
  const expected = await (await live(undisturbed)).state();
  expect(Object.keys(expected)).toContain('models/d/versions/1/card.json');
  expect(undisturbed.writes).toBeGreaterThan(25);
  for (const when of ['before', 'after'] as const) {
    for (let at = 1; at <= undisturbed.writes; at++) {
      const lab = await live(new Fault(at, when));
      expect(await lab.state(), `crash ${when} write ${at}`).toEqual(expected);
    }
  }
});
