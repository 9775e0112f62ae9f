import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import type { Shape } from '../../core/compute/estimator.ts';
import { defaultLane } from '../../core/compute/lane.ts';
import { memoryWith, processBytes } from '../../core/compute/memory.ts';
import { estimatorOf } from '../../core/compute/work.ts';
import { familyOf } from '../../core/models/families.ts';
import type { Params } from '../../core/models/model.ts';
import { planAuto } from '../../core/search/auto/plan-auto.ts';
import { memoryHeld } from '../../local/batch/usage.ts';

const mebibyte = 2 ** 20;
/** Of the process that fits. */
const workers = 2;

/** MiB that a process holds at most of a fit, the table and what the process takes from the start apart. */
async function heldBy(family: string, shape: Shape, params: Params, validRows: number): Promise<number> {
  const program = join(import.meta.dirname, 'fit-in-process.ts');
  const child = spawn(process.execPath, [program, JSON.stringify([family, shape, params, validRows])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let [bare, peak] = [0, 0];
  const look = () => memoryHeld(child.pid!) ?? 0;
  const looking = setInterval(() => {
    peak = Math.max(peak, look());
  }, 5);
  createInterface(child.stdout).on('line', (line) => {
    if (line === 'started') bare = look();
    if (line === 'begin') peak = 0;
  });
  const [code] = (await once(child, 'exit')) as [number];
  clearInterval(looking);
  expect(code).toBe(0);
  return peak - bare;
}

describe.skipIf(process.platform !== 'linux')('the memory of a fit on a table that is read from a file', () => {
  const rows = 500_000;
  test.each<[family: string, classes: number, params: Params, validRows: number]>([
    ['boosting', 2, { nEstimators: 3 }, 0],
    ['boosting', 5, { nEstimators: 1 }, 100_000],
    ['forest', 2, { nEstimators: 2 }, 0],
    ['extraTrees', 0, { nEstimators: 2, maxDepth: 12 }, 100_000],
    ['linear', 2, {}, 100_000],
    ['linear', 0, {}, 0],
    ['network', 2, { epochs: 1, width: 32 }, 0],
    ['svm', 2, { kernel: 'linear', C: 0.1 }, 0],
  ])('%s, %i classes, %o: is what was estimated, or somewhat less', { timeout: 300_000 }, async (family, classes, params, validRows) => {
    const shape = { rows, features: 36, classes };
    const complete = familyOf(family).parse(params);
    const estimated = memoryWith(shape, [estimatorOf(family).memory(shape, [complete], validRows, workers)]);
    const held = processBytes + (await heldBy(family, shape, params, validRows)) * mebibyte;
    expect(estimated / held).toBeGreaterThanOrEqual(1);
    expect(estimated / held).toBeLessThan(1.4);
  });
});

describe('an automatic search with less memory than all its candidates take', () => {
  const question = { run: 'r', dataset: 'd', revision: 'v', task: 'classification', classes: ['no', 'yes'], spec: {} } as const;
  const shape = { rows: 1_000_000, features: 200, classes: 2 };
  const planWithin = (room: number) =>
    planAuto({ ...question, classes: [...question.classes], rows: shape.rows }, shape, defaultLane, undefined, room);

  test('tries those that have room for all rows, and says which have not', () => {
    const [all, some] = [planWithin(Number.POSITIVE_INFINITY), planWithin(1.25e9)];
    expect(all.noRoom).toBeUndefined();
    expect(some.noRoom).toMatch(
      /^\d+ of \d+ candidates \(.*linear.*\) are left out: of so many rows they take more memory than there is\.$/,
    );
    const families = new Set(some.candidates.map(({ family }) => family));
    expect(families.has('boosting')).toBe(true);
    expect(families.has('linear')).toBe(false);
    expect(some.estimate!.memory).toBeLessThanOrEqual(1.25e9);
  });

  test('tries all, of fewer rows, where boosting has not', () => {
    expect(planWithin(4e8).noRoom).toBeUndefined();
  });
});
