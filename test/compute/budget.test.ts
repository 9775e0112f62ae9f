import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fitBudget } from '../../core/compute/budget.ts';
import { defaultLane } from '../../core/compute/lane.ts';
import { planOf } from './plans.ts';

const large = { rows: 200_000, features: 50, classes: 5 };

describe('a plan under a budget', () => {
  test('that allows all of it tries all of it', () => {
    const shape = { rows: 400, features: 10, classes: 2 };
    const plan = planOf(shape);
    const fitted = fitBudget(plan, shape, defaultLane, { minutes: 60, dollars: 1 });
    expect(fitted.plan).toEqual(plan);
    expect(fitted.budget.leftOut).toEqual([]);
  });

  test('loses the largest forests first, then folds, and says so', () => {
    const full = fitBudget(planOf(large), large, defaultLane, { dollars: 1000 });
    const half = fitBudget(planOf(large), large, defaultLane, { dollars: full.estimate.dollars.high * 0.9 });
    expect(half.plan.candidates.length).toBe(24);
    expect(half.budget.leftOut).toEqual(['12 of 36 candidates of forest are not tried.']);
    const tenth = fitBudget(planOf(large), large, defaultLane, { dollars: full.estimate.dollars.high / 5 });
    expect(tenth.plan.folds).toBeLessThan(5);
    expect(tenth.budget.leftOut.at(-1)).toMatch(/folds in place of 5/);
    expect(tenth.plan.candidates.map(({ params }) => params['nEstimators'])).not.toContain(300);
  });

  test('always fits by its own estimate, or is refused with what the smallest run takes', () => {
    const shapes = fc.record({
      rows: fc.integer({ min: 20, max: 500_000 }),
      features: fc.integer({ min: 1, max: 200 }),
      classes: fc.constantFrom(0, 2, 7),
    });
    const limits = fc.record({
      minutes: fc.double({ min: 0.05, max: 20, noNaN: true }),
      dollars: fc.double({ min: 1e-4, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(shapes, limits, (shape, { minutes, dollars }) => {
        try {
          const asked = planOf(shape, { families: ['forest', 'linear'] });
          const { plan, estimate, budget } = fitBudget(asked, shape, defaultLane, { minutes, dollars });
          expect(estimate.seconds.high).toBeLessThanOrEqual(minutes * 60);
          expect(estimate.dollars.high).toBeLessThanOrEqual(dollars);
          expect(plan.candidates.length).toBeGreaterThan(0);
          expect(plan.trials.length).toBe(plan.folds * new Set(plan.candidates.map(({ family }) => family)).size);
          expect(budget.fitUntil!).toBeLessThan(minutes * 60);
          for (const { family } of plan.candidates) expect(budget.trialSeconds[family]!).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toMatchObject({ code: 'InvalidSpec', where: 'dataset.json, field budget' });
          expect((error as Error).message).toMatch(
            /^The budget is too small: the smallest run takes up to [\d.]+ minutes and \$[\d.e-]+\.$/,
          );
        }
      }),
    );
  });

  test('what the refusal asks for is enough', () => {
    for (const limits of [{ minutes: 0.01 }, { dollars: 1e-6 }]) {
      let fix = '';
      try {
        fitBudget(planOf(large), large, defaultLane, limits);
      } catch (error) {
        fix = (error as { fix: string }).fix;
      }
      const [, name, value] = /\((minutes|dollars): ([\d.e-]+)\)/.exec(fix)!;
      expect(fitBudget(planOf(large), large, defaultLane, { [name!]: Number(value) }).plan.candidates.length).toBe(1);
    }
  });
});
