import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { estimateRun, fixedDollars, partsOf, spentOn } from '../../core/compute/cost.ts';
import type { Shape } from '../../core/compute/estimator.ts';
import { defaultLane, type Lane, parseLane } from '../../core/compute/lane.ts';
import { coreSecondsOf, estimatorOf } from '../../core/compute/work.ts';
import { familyOf } from '../../core/models/families.ts';
import type { Target } from '../../core/models/model.ts';
import { type DatasetSpec, familyNames } from '../../core/spec.ts';
import { planOf } from './plans.ts';

const shapes = fc.record({
  rows: fc.integer({ min: 20, max: 2_000_000 }),
  features: fc.integer({ min: 1, max: 500 }),
  classes: fc.constantFrom(0, 2, 3, 10),
});

const every = { families: [...familyNames] };

const bounds = ['low', 'point', 'high'] as const;

/** All that an estimate says, for comparisons. */
function numbersOf(shape: Shape, lane: Lane = defaultLane, spec: DatasetSpec = every): number[] {
  const { coreSeconds, memory, seconds, dollars } = estimateRun(planOf(shape, spec), shape, lane);
  return [memory, ...bounds.flatMap((bound) => [coreSeconds[bound], seconds[bound], dollars[bound]])];
}

const noLess = (more: number[], less: number[]) => more.every((value, i) => value >= less[i]! * (1 - 1e-12));

describe('an estimate', () => {
  test('is positive, and its bounds are in order', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const { coreSeconds, seconds, dollars } = estimateRun(planOf(shape, every), shape, defaultLane);
        for (const { low, point, high } of [coreSeconds, seconds, dollars]) expect(0 < low && low <= point && point <= high).toBe(true);
      }),
    );
  });

  test('never falls with more rows or features', () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 0, max: 100 }), (shape, rows, features) => {
        const larger = { ...shape, rows: shape.rows + rows, features: shape.features + features };
        expect(noLess(numbersOf(larger), numbersOf(shape))).toBe(true);
      }),
    );
  });

  test('never falls with more trees or rounds', () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 200 }), (shape, trees, more) => {
        const grids = (n: number) => ({ ...every, grids: { forest: { nEstimators: [n] }, boosting: { nEstimators: [n] } } });
        expect(noLess(numbersOf(shape, defaultLane, grids(trees + more)), numbersOf(shape, defaultLane, grids(trees)))).toBe(true);
      }),
    );
  });

  test('nested candidates cost hardly more than the largest of them', () => {
    const shape = { rows: 10_000, features: 20, classes: 2 };
    const { candidates } = planOf(shape);
    const all = coreSecondsOf(
      'forest',
      shape,
      candidates.map(({ params }) => params),
    );
    const largest = coreSecondsOf('forest', shape, [candidates.find(({ params }) => params['nEstimators'] === 300)!.params]);
    expect(all.point).toBeCloseTo(largest.point, 6);
  });
});

describe('the cores of a job', () => {
  const job = { machines: 'fargate' as const, vcpus: 16, memory: 120 * 1024 };
  const shape = { rows: 100_000, features: 50, classes: 2 };

  test.each(familyNames)('of %s count where its fits share them', (family) => {
    const secondsOn = (vcpus: number) => {
      const { trials, fit } = partsOf(planOf(shape, { families: [family] }), shape, {
        ...defaultLane,
        name: 'cpu',
        job: { ...job, vcpus },
      });
      return { trial: trials[family]!.point, fit: fit.point };
    };
    const [one, sixteen] = [secondsOn(1), secondsOn(16)];
    if (estimatorOf(family).usesAllCores) {
      expect(sixteen.trial).toBeLessThan(one.trial / 4);
      expect(sixteen.fit).toBeLessThan(one.fit);
    } else expect(sixteen).toEqual(one);
  });

  test.each(familyNames)('are shared by the fits of %s where the estimate says so, and only there', async (family) => {
    const x = { rows: 200, columns: 2, names: ['a', 'b'], data: Float32Array.from({ length: 400 }, (_, i) => (i * 37) % 101) };
    const y: Target = { task: 'classification', classes: 2, labels: Int32Array.from({ length: 200 }, (_, row) => (row * 7919) % 2) };
    let asked = false;
    const context = {
      seed: 0,
      get workers() {
        asked = true;
        return 1;
      },
    };
    await familyOf(family).fit(x, y, familyOf(family).parse({}), context);
    expect(asked).toBe(estimatorOf(family).usesAllCores);
  });
});

describe('the price', () => {
  const shape = { rows: 5000, features: 10, classes: 2 };
  const dollarsIn = (lane: Lane) => estimateRun(planOf(shape), shape, lane).dollars.point;

  test('of x64 is above that of arm64, and other prices can be given', () => {
    expect(dollarsIn({ ...defaultLane, architecture: 'x64' })).toBeGreaterThan(dollarsIn(defaultLane));
    const { prices } = defaultLane;
    const free = parseLane(JSON.stringify({ prices: { ...prices, lambdaGigabyteSecond: { arm64: 0, x64: 0 } } }));
    expect(dollarsIn(free)).toBeCloseTo(fixedDollars(5, defaultLane), 12);
  });

  test('of a call by hand: 100 s at 3,008 MB on arm64, its start, a request, 12 transitions, 18 puts and 68 gets', () => {
    const { dollars, seconds } = spentOn([{ stage: 'Search', seconds: 100 }], defaultLane);
    expect(seconds).toBe(101.5);
    expect(dollars).toBeCloseTo(101.5 * (3008 / 1024) * 0.000_013_333_4 + 8 * 2e-7 + 12 * 0.000_025 + 18 * 0.000_005 + 68 * 4e-7, 12);
  });

  test('settings that nobody knows are refused', () => {
    expect(() => parseLane('{"memory": 3}')).toThrow();
  });
});
