import { describe, expect, test } from 'vitest';
import { deadlineOf, type Limits } from '../../core/compute/budget.ts';
import { defaultLane, type Lane } from '../../core/compute/lane.ts';
import { preparationOf, secondsForCrosses, without } from '../../core/compute/preparation.ts';
import { remainingSeconds } from '../../core/registry/runs.ts';
import { planAuto } from '../../core/search/auto/plan-auto.ts';
import type { Plan } from '../../core/search/plan.ts';

const laptop: Lane = { ...defaultLane, concurrency: 2, cores: 2 };
const shape = { rows: 160_000, features: 50, classes: 2 };
const planOf = (limits?: Limits, of = shape): Plan =>
  planAuto({ run: 'r', dataset: 'd', revision: 'v', task: 'classification', spec: { budget: limits }, rows: of.rows }, of, laptop);

describe('what comes before a run', () => {
  test('is taken off its budget, and a refusal tells of both together', () => {
    const columns = Array.from({ length: 50 }, () => ({ type: 'number' }));
    const preparation = preparationOf(shape, columns, laptop, { minutes: 1 });
    expect(preparationOf(shape, [...columns, { type: 'text' }], laptop, { minutes: 1 }).seconds).toBeGreaterThan(preparation.seconds + 20);
    expect(preparation.seconds).toBeGreaterThan(5);
    expect(without(preparation, { minutes: 1, dollars: 0.01 })).toEqual({
      minutes: 1 - preparation.seconds / 60,
      dollars: 0.01 - preparation.dollars,
      preparation,
    });
    const [alone, both] = [planRefusal({ minutes: 0.1 }), planRefusal(without(preparation, { minutes: 0.1 }))];
    expect(both - alone).toBeCloseTo(preparation.seconds / 60, 1);
  });

  test('chooses crosses in a twentieth of the budget, and in five seconds at most', () => {
    expect(secondsForCrosses(undefined)).toBe(5);
    expect(secondsForCrosses({ minutes: 1 })).toBeCloseTo(3);
    expect(secondsForCrosses({ minutes: 60, dollars: 0.001 })).toBeLessThan(2);
  });
});

/** Minutes that a refusal asks for. */
function planRefusal(limits: Limits): number {
  try {
    planOf(limits);
  } catch (error) {
    return Number(/minutes: ([\d.]+)/.exec((error as { fix: string }).fix)![1]);
  }
  throw new Error('it was not refused');
}

describe('a trial of an automatic search', () => {
  test('has its share of what is left when it begins, so that a late start costs all of them and an early one helps', () => {
    const { rungs } = planOf({ minutes: 2 });
    expect(rungs!.map(({ share }) => share)).toEqual([expect.closeTo(0.25), 1]);
    const start = new Date(0);
    const stop = { until: 100, share: 0.25 };
    expect(deadlineOf(new Date(0), start, stop)).toBe(25_000);
    expect(deadlineOf(new Date(60_000), start, stop)).toBe(70_000);
    expect(deadlineOf(new Date(120_000), start, stop)).toBe(100_000);
  });
});

describe('what is left of a run', () => {
  const plan = { ...planOf(), estimate: { ...planOf().estimate!, seconds: { low: 20, point: 50, high: 100 } } };
  const record = { run: 'r', dataset: 'd', revision: 'v', createdAt: '2026-11-25T08:00:00Z' };

  test('is the estimate at first, follows the pace later, and falls while nothing is heard', () => {
    expect(remainingSeconds(plan, record, 0.05, 0, 0)).toBe(50);
    // Half done in 100 seconds, twice as slow as was thought: a hundred more, or 25, and something between.
    const half = remainingSeconds(plan, record, 0.525, 100, 0);
    expect(half).toBeGreaterThan(25);
    expect(half).toBeLessThan(100);
    expect(remainingSeconds(plan, record, 0.525, 110, 10)).toBeCloseTo(half - 10);
    expect(remainingSeconds(plan, record, 0.525, 1000, 900)).toBeCloseTo(half / 10);
    expect(remainingSeconds(plan, record, 1, 200, 0)).toBe(0);
  });

  test('is no more than the budget', () => {
    const bound = { ...plan, budget: { ...planOf({ minutes: 1 }).budget!, minutes: 1 } };
    const late = { ...record, uploadedAt: '2026-11-25T07:59:40Z' };
    expect(remainingSeconds(bound, late, 0.05, 30, 0)).toBe(10);
  });
});
