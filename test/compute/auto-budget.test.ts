import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { callSeconds, fixedDollars, pipelineSecondDollars } from '../../core/compute/cost.ts';
import type { Shape } from '../../core/compute/estimator.ts';
import { batchLane, defaultLane, type Lane } from '../../core/compute/lane.ts';
import { planAuto } from '../../core/search/auto/plan-auto.ts';
import { trialsOf } from '../../core/search/auto/rungs.ts';
import type { Plan } from '../../core/search/plan.ts';
import type { DatasetSpec } from '../../core/spec.ts';

const lanes: Lane[] = [
  defaultLane,
  { ...defaultLane, concurrency: 2, cores: 2 },
  batchLane(defaultLane, { machines: 'fargate', vcpus: 4, memory: 8192 }, 8, 64),
];

function plan(shape: Shape, spec: DatasetSpec, lane: Lane): Plan {
  const task = shape.classes === 0 ? 'regression' : 'classification';
  return planAuto({ run: 'r', dataset: 'd', revision: 'v', task, spec, rows: shape.rows }, shape, lane);
}

const shapes = fc.record({
  rows: fc.integer({ min: 20, max: 500_000 }),
  features: fc.integer({ min: 1, max: 200 }),
  classes: fc.constantFrom(0, 2, 7),
});

describe('an automatic search under a budget', () => {
  test('has time for what comes after it, by the upper end of the estimate, or is refused with what the smallest run takes', () => {
    fc.assert(
      fc.property(shapes, fc.double({ min: 0.05, max: 60, noNaN: true }), fc.constantFrom(...lanes), (shape, minutes, lane) => {
        try {
          const { rungs, budget, estimate } = plan(shape, { budget: { minutes } }, lane);
          const untils = rungs!.map(({ until }) => until!);
          expect(untils).toEqual([...untils].sort((a, b) => a - b));
          expect(budget!.fitUntil! + 2 * callSeconds.pipeline.high + 2 * callSeconds.control.high).toBeLessThanOrEqual(minutes * 60);
          expect(untils.at(-1)).toBeLessThan(budget!.fitUntil!);
          expect(estimate!.seconds.high).toBeLessThanOrEqual(minutes * 60);
        } catch (error) {
          expect(error).toMatchObject({ code: 'InvalidSpec', message: expect.stringContaining('the smallest run takes up to') });
          // Jobs have to wait for their machines.
          expect(minutes).toBeLessThan(lane.job ? 10 : 1);
        }
      }),
    );
  });

  test('costs no more than its dollars where every trial takes all the time that it has', () => {
    fc.assert(
      fc.property(shapes, fc.double({ min: 0.004, max: 0.1, noNaN: true }), fc.constantFrom(...lanes), (shape, least, lane) => {
        const dollars = lane.job ? 50 * least : least;
        const { rungs, candidates, budget } = plan(shape, { budget: { dollars } }, lane);
        if (candidates.length === 1) return;
        const trials = rungs!.flatMap((rung, number) => trialsOf(number, rung, candidates, shape, lane).trials);
        const { pipeline, control } = callSeconds;
        const searched = trials.reduce((sum, { seconds }) => sum + seconds! + pipeline.point, 0);
        const beside = budget!.fitSeconds + 3 * pipeline.high + (3 + rungs!.length) * control.high;
        expect((searched + beside) * pipelineSecondDollars(lane) + fixedDollars(trials.length, lane)).toBeLessThanOrEqual(dollars);
      }),
      { numRuns: 200 },
    );
  });

  test('has more candidates and folds with more minutes', () => {
    const shape = { rows: 20_000, features: 40, classes: 2 };
    const sizes = [1, 3, 20].map((minutes) => plan(shape, { budget: { minutes } }, lanes[1]!));
    const work = sizes.map(({ rungs }) => rungs!.at(-1)!.work);
    expect(work).toEqual([...work].sort((a, b) => a - b));
    expect(sizes.at(-1)!.folds).toBeGreaterThanOrEqual(sizes[0]!.folds);
  });

  test('without one, work grows with the table and ends at a minute or so', () => {
    const work = [500, 5000, 50_000, 1_000_000].map(
      (rows) => plan({ rows, features: 20, classes: 2 }, {}, lanes[1]!).estimate!.coreSeconds.point,
    );
    expect(work[0]).toBeLessThan(15);
    expect(work[2]).toBeLessThan(100);
  });
});
