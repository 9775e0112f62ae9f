import { expect, test } from 'vitest';
import type { ObjectStore } from '../../core/object-store.ts';
import { Laboratory } from './laboratory.ts';

const spec = JSON.stringify({ folds: 2, grids: { forest: { nEstimators: [3], maxDepth: [null], minSamplesSplit: [2] } } });
const rows = Array.from({ length: 60 }, (_, i) => `${(i * 37) % 101},${['red', 'blue', ''][i % 3]},${(i * 37) % 101 > 50}`);
const table = `x,colour,y\n${rows.join('\n')}\n`;

class Crash extends Error {
  override name = 'Crash';
}

/** Dies once, before the n-th write; which is the same as after the write before, for whoever comes later. The dead write no more. */
class Fault {
  writes = 0;
  dead = false;
  private readonly at: number;

  constructor(at: number) {
    this.at = at;
  }

  wrap(store: ObjectStore): ObjectStore {
    const guard =
      <A extends unknown[], R>(write: (...args: A) => Promise<R>) =>
      (...args: A): Promise<R> => {
        if (!this.dead && ++this.writes === this.at) this.dead = true;
        if (this.dead) throw new Crash();
        return write.apply(store, args);
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
      fault.dead = false;
    }
  }
}

test('a crash before any write, and what is delivered again ends in the state of a run without a crash', async () => {
  const undisturbed = new Fault(0);
  const expected = await (await live(undisturbed)).state();
  expect(Object.keys(expected)).toContain('models/d/versions/1/card.json');
  expect(undisturbed.writes).toBeGreaterThan(25);
  for (let at = 1; at <= undisturbed.writes; at++) {
    const lab = await live(new Fault(at));
    expect(await lab.state(), `crash before write ${at}`).toEqual(expected);
  }
});
