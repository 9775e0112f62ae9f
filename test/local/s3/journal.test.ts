import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../../local/s3/journal.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-journal-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A journal whose state is the list of its records. */
async function open(path = join(folder, 'journal')) {
  const state: string[] = [];
  const journal = await Journal.open<string>(
    path,
    (record) => state.push(record),
    () => state,
  );
  return { journal, state };
}

describe('a journal', () => {
  it('gives back all that was appended, batches whole and in order', async () => {
    const { journal, state } = await open();
    await Promise.all(Array.from({ length: 100 }, (_, i) => journal.append([`${i}a`, `${i}\nb`])));
    await journal.close();
    const expected = Array.from({ length: 100 }, (_, i) => [`${i}a`, `${i}\nb`]).flat();
    expect(state).toEqual(expected);
    const reopened = await open();
    expect(reopened.state).toEqual(expected);
    await reopened.journal.close();
  });

  it('cut off at any byte gives back the batches before the cut, and goes on from there', async () => {
    const { journal } = await open();
    const ends = [0];
    const path = join(folder, 'journal');
    for (let i = 0; i < 3; i++) {
      await journal.append([`first of ${i}`, `second of ${i}`]);
      ends.push((await readFile(path)).length);
    }
    await journal.close();
    const whole = await readFile(path);
    for (let cut = 0; cut <= whole.length; cut++) {
      await writeFile(path, whole.subarray(0, cut));
      const { journal: reopened, state } = await open();
      const batches = ends.filter((end) => end > 0 && end <= cut).length;
      expect(state).toHaveLength(2 * batches);
      await reopened.append(['after the crash']);
      await reopened.close();
      const again = await open();
      expect(again.state).toEqual([...state]);
      await again.journal.close();
    }
  });

  it('is written anew while it is used, once it is mostly past', async () => {
    const path = join(folder, 'counters');
    const counters = new Map<string, number>();
    const load = () =>
      Journal.open<[string, number]>(
        path,
        ([name, value]) => counters.set(name, value),
        () => counters,
        2000,
      );
    const journal = await load();
    for (let i = 0; i < 50; i++) {
      const append = (name: string) => journal.append([[name, i]]);
      await Promise.all(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(append));
      expect((await readFile(path)).length).toBeLessThan(2200);
    }
    await journal.close();
    counters.clear();
    await (await load()).close();
    expect(Object.fromEntries(counters)).toEqual({ a: 49, b: 49, c: 49, d: 49, e: 49, f: 49, g: 49, h: 49 });
  });

  it('damaged before its last line is refused: what was promised is lost', async () => {
    const { journal } = await open();
    for (let i = 0; i < 3; i++) await journal.append([`record ${i}`]);
    await journal.close();
    const path = join(folder, 'journal');
    const bytes = await readFile(path);
    bytes[20]! ^= 1;
    await writeFile(path, bytes);
    await expect(open()).rejects.toThrow('damaged at byte 0');
  });
});
