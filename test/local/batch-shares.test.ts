import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../core/random.ts';
import { Shares } from '../../local/batch/shares.ts';

/** One vCPU, and shares that always have a job waiting: what each got of it, in seconds. */
function run(weights: number[], decaySeconds: number, seed: number): number[] {
  const shareDistribution = weights.map((weightFactor, index) => ({ shareIdentifier: `share${index}`, weightFactor }));
  const shares = new Shares(() => ({ shareDecaySeconds: decaySeconds, computeReservation: 0, shareDistribution }));
  const random = new Random(seed);
  const got = weights.map(() => 0);
  for (let now = 0, jobs = 0; jobs < 3000; jobs++) {
    const order = weights.map((_, index) => ({ index, weight: shares.weigh(`share${index}`, now) })).sort((a, b) => a.weight - b.weight);
    const { index } = order[0]!;
    const job = {};
    const seconds = 1 + random.below(20);
    shares.started(`share${index}`, job, 1, now);
    now += seconds * 1000;
    shares.ended(`share${index}`, job, now);
    got[index]! += seconds;
  }
  return got;
}

describe('shares', () => {
  test('get the machine in the inverse proportion of their weight factors, and none starves', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.125, max: 8, noNaN: true }), { minLength: 2, maxLength: 4 }),
        fc.integer({ min: 600, max: 604_800 }),
        fc.nat(),
        (weights, decaySeconds, seed) => {
          const got = run(weights, decaySeconds, seed);
          const all = got.reduce((sum, each) => sum + each, 0);
          const inverse = weights.reduce((sum, weight) => sum + 1 / weight, 0);
          // Jobs are up to 20 s long, so a share may be that much ahead of what it is due, in a time of 10 minutes or more.
          for (const [index, weight] of weights.entries()) expect(Math.abs(got[index]! / all - 1 / weight / inverse)).toBeLessThan(0.05);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('are known by their names or by how these begin, the longest beginning first', () => {
    const shareDistribution = [
      { shareIdentifier: 'a*', weightFactor: 2 },
      { shareIdentifier: 'ab*', weightFactor: 4 },
      { shareIdentifier: 'abc', weightFactor: 8 },
    ];
    const shares = new Shares(() => ({ shareDecaySeconds: 600, computeReservation: 0, shareDistribution }));
    for (const name of ['a', 'abx', 'abc', 'other']) shares.started(name, {}, 1, 0);
    expect(['a', 'abx', 'abc', 'other'].map((name) => shares.weigh(name, 10_000))).toEqual([20, 40, 80, 10]);
  });

  test('that use nothing have room held back for them, less the more shares there are', () => {
    const shares = new Shares(() => ({ shareDecaySeconds: 600, computeReservation: 50, shareDistribution: [] }));
    expect(shares.reserved(16)).toBe(0);
    shares.started('a', {}, 1, 0);
    expect(shares.reserved(16)).toBe(8);
    shares.started('b', {}, 1, 0);
    expect(shares.reserved(16)).toBe(4);
  });
});
