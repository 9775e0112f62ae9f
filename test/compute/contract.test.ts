/**
 * A hundred runs under budgets in a made-up time: machines slower than any estimate, attempts that are killed, calls that are throttled.
 * The stages behind the fit cannot stop with a part of their work: here they take what the estimate's interval says.
 */
import { expect, test } from 'vitest';
import { deadlineOf, fitBudget, OutOfTime } from '../../core/compute/budget.ts';
import { timeLeft } from '../../core/compute/clock.ts';
import { callSeconds, fixedDollars, partsOf, secondDollars } from '../../core/compute/cost.ts';
import type { Shape } from '../../core/compute/estimator.ts';
import { fitInTime } from '../../core/compute/fit-in-time.ts';
import { coresOf, defaultLane } from '../../core/compute/lane.ts';
import type { Limits } from '../../core/compute/limits.ts';
import { coreSecondsOf } from '../../core/compute/work.ts';
import { IngotError } from '../../core/errors.ts';
import { modelKeys } from '../../core/keys.ts';
import type { FittedModel, Params } from '../../core/models/model.ts';
import { putJson } from '../../core/object-store.ts';
import { Random } from '../../core/random.ts';
import { MemoryObjectStore } from '../../core/registry/memory-object-store.ts';
import type { Plan, TrialResult } from '../../core/search/plan.ts';
import { select } from '../../core/search/selection.ts';
import { planOf } from './plans.ts';

const lane = defaultLane;
const rates = { pipeline: secondDollars(lane, lane.pipelineMemory), control: secondDollars(lane, lane.controlMemory) };
const start = Date.parse('2026-11-25T08:00:00Z');

class Killed extends Error {}

/** A function's clock, in seconds from the start of the run, that goes on only as work is done. */
class Clock {
  readonly now = () => new Date(start + this.seconds * 1000);
  seconds: number;
  constructor(seconds: number) {
    this.seconds = seconds;
  }
}

interface Outcome {
  end: 'model' | 'failed';
  seconds: number;
  dollars: number;
  disturbed: boolean;
  /** Trials that the clock has cut off. */
  stopped: number;
}

/** One run, as the state machine would have it. */
async function simulate(plan: Plan, shape: Shape, random: Random): Promise<Outcome> {
  const store = new MemoryObjectStore();
  await putJson(store, modelKeys.run(plan.run), { run: plan.run, createdAt: new Date(start).toISOString() });
  const parts = partsOf(plan, shape, lane, plan.budget!.rounds);
  const slowness = random.below(3) === 0 ? 1 + 30 * random.uniform() : 0.3 + random.uniform();
  let dollars = fixedDollars(plan.trials.length, lane);
  let disturbed = slowness > 2;
  let stopped = 0;
  const between = ({ low, high }: { low: number; high: number }) => low + (high - low) * random.uniform();

  /** Calls a function until an attempt of it ends: a throttled call waits, a killed one is billed and tried twice more. */
  const call = async <T>(from: number, work: (clock: Clock) => Promise<T>): Promise<{ seconds: number; result: T }> => {
    const clock = new Clock(from);
    if (random.below(20) === 0) {
      clock.seconds += 3 * random.uniform();
      disturbed = true;
    }
    for (let attempt = 1; ; attempt++) {
      const began = clock.seconds;
      clock.seconds += between(callSeconds.pipeline);
      try {
        const result = await work(clock);
        dollars += (clock.seconds - began) * rates.pipeline;
        return { seconds: clock.seconds, result };
      } catch (error) {
        dollars += (clock.seconds - began) * rates.pipeline;
        if (!(error instanceof Killed) || attempt === 3) throw error;
        disturbed = true;
        clock.seconds += random.uniform() * 2 ** (attempt - 1);
      }
    }
  };
  /** Works through its steps (a tree each), slower than estimated. */
  const steps = (clock: Clock, coreSeconds: number, count: number, onStep: (share: number) => void): void => {
    const killedAt = random.below(15) === 0 ? random.uniform() : 2;
    for (let step = 1; step <= count; step++) {
      clock.seconds += (coreSeconds * slowness) / count / coresOf(lane);
      if (step / count > killedAt) throw new Killed();
      onStep(step / count);
    }
  };
  const trial = async (id: string, fold: number, family: string, clock: Clock): Promise<TrialResult> => {
    const left = (await timeLeft(store, plan, id, clock.now))!;
    const scores: TrialResult['scores'] = [];
    try {
      for (const round of plan.budget!.rounds[family]!) {
        if (left() <= 0) throw new OutOfTime();
        const params = round.map((candidate) => plan.candidates.find((each) => each.id === candidate)!.params);
        const valid = Math.ceil(shape.rows / plan.folds);
        const { point } = coreSecondsOf(family, { ...shape, rows: shape.rows - valid }, params, valid);
        steps(clock, point, Math.max(...params.map(({ nEstimators }) => Number(nEstimators))), () => {
          if (left() <= 0) throw new OutOfTime();
        });
        for (const candidate of round) scores.push({ candidate, scores: { accuracy: random.uniform() } });
      }
    } catch (error) {
      if (!(error instanceof OutOfTime)) throw error;
      stopped++;
    }
    return { trial: id, fold, seconds: 0, scores };
  };

  const billControl = (seconds: number) => {
    dollars += seconds * rates.control;
    return seconds;
  };
  const places = new Array<number>(lane.concurrency).fill(billControl(between(parts.before)));
  try {
    const results: TrialResult[] = [];
    for (const { id, fold, family } of plan.trials) {
      const place = places.indexOf(Math.min(...places));
      const { seconds, result } = await call(places[place]!, (clock) => trial(id, fold, family, clock));
      places[place] = seconds;
      results.push(result);
    }
    const searched = Math.max(...places) + billControl(between(parts.between));
    const best = select(plan, results).entries[0]!;
    const candidate = plan.candidates.find(({ id }) => id === best.candidate)!;
    const { seconds: fitted } = await call(searched, async (clock) => {
      const left = (await timeLeft(store, plan, 'fit', clock.now))!;
      return fitInTime(candidate, left, async (params: Params, onProgress) => {
        steps(clock, coreSecondsOf(candidate.family, shape, [params]).point, Number(params['nEstimators']), onProgress);
        return {} as FittedModel;
      });
    });
    const after = between(parts.after);
    dollars += after * rates.pipeline;
    return { end: 'model', seconds: fitted + after, dollars, disturbed, stopped };
  } catch (error) {
    if (!(error instanceof Killed) && !(error instanceof IngotError)) throw error;
    return { end: 'failed', seconds: Math.max(...places), dollars, disturbed: true, stopped };
  }
}

test.each([
  ['one minute', { minutes: 1 }],
  ['$0.01', { dollars: 0.01 }],
  ['one minute and $0.01', { minutes: 1, dollars: 0.01 }],
] as [string, Limits][])(
  'a budget of %s is kept in a hundred runs, and those that nothing disturbs end with a model',
  async (_, limits) => {
    const outcomes: Outcome[] = [];
    let [refused, smaller] = [0, 0];
    for (let seed = 0; outcomes.length < 100; seed++) {
      const random = new Random(seed);
      const shape = {
        rows: Math.round(50 * 40_000 ** random.uniform()),
        features: Math.round(2 * 50 ** random.uniform()),
        classes: [2, 3, 6][random.below(3)]!,
      };
      const asked = planOf(shape, { folds: 2 + random.below(12) });
      try {
        const { plan, estimate, budget } = fitBudget(asked, shape, lane, limits);
        if (budget.leftOut.length > 0) smaller++;
        outcomes.push(await simulate({ ...plan, estimate, budget }, shape, random));
      } catch (error) {
        expect(error).toMatchObject({ code: 'InvalidSpec', message: expect.stringContaining('The budget is too small') });
        refused++;
      }
    }
    expect(Math.max(...outcomes.map(({ seconds }) => seconds))).toBeLessThanOrEqual((limits.minutes ?? Number.POSITIVE_INFINITY) * 60);
    expect(Math.max(...outcomes.map(({ dollars }) => dollars))).toBeLessThanOrEqual(limits.dollars ?? Number.POSITIVE_INFINITY);
    expect(outcomes.filter(({ end, disturbed }) => end === 'failed' && !disturbed)).toEqual([]);
    expect(outcomes.filter(({ disturbed }) => disturbed).length).toBeGreaterThan(30);
    expect(outcomes.filter(({ end }) => end === 'failed').length).toBeLessThan(10);
    expect(refused).toBeLessThan(50);
    expect(smaller).toBeGreaterThan(5);
    expect(outcomes.filter((outcome) => outcome.stopped > 0).length).toBeGreaterThan(5);
  },
);

test('a repeated attempt has what the first has left, and none works past its part of the run', () => {
  const first = new Date(start + 10_000);
  expect(deadlineOf(first, new Date(start), { seconds: 20 })).toBe(start + 30_000);
  expect(deadlineOf(first, new Date(start), { seconds: 20, until: 25 })).toBe(start + 25_000);
});
