/**
 * Whole runs under budgets in a made-up time: the stages are the real ones on a small table, which is said to be as large as the seed wants and
 * takes the time that the estimates give for that, on machines slower than any estimate, or so busy that calls and preparation take up to thrice as long. By the seed fits throw, or never end, and processes are killed.
 *
 * `INGOT_BUDGETS=100 npx vitest run test/compute/hundred.test.ts` tries a hundred seeds of each budget, as `.ci/run` does; here are few.
 */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { callsOf, fixedDollars, pipelineSecondDollars, secondDollars } from '../../core/compute/cost.ts';
import type { Shape } from '../../core/compute/estimator.ts';
import type { Interval } from '../../core/compute/interval.ts';
import { coresOf, defaultLane, type Lane, searchPower } from '../../core/compute/lane.ts';
import type { Limits } from '../../core/compute/limits.ts';
import { preparationOf } from '../../core/compute/preparation.ts';
import { foldCoreSeconds } from '../../core/compute/work.ts';
import type { Preprocess } from '../../core/features/preprocess.ts';
import { dataKeys, modelKeys } from '../../core/keys.ts';
import { families } from '../../core/models/families.ts';
import type { Family, FitContext, Params } from '../../core/models/model.ts';
import { environment } from '../../core/names.ts';
import { getJson, needJson, putJson } from '../../core/object-store.ts';
import { Random } from '../../core/random.ts';
import type { ModelCard } from '../../core/registry/card.ts';
import { trialOf } from '../../core/search/auto/objects.ts';
import type { Plan } from '../../core/search/plan.ts';
import { fit } from '../../functions/fit.lambda.ts';
import { gate } from '../../functions/gate.lambda.ts';
import { optimise } from '../../functions/optimise.lambda.ts';
import { plan } from '../../functions/plan.lambda.ts';
import { register } from '../../functions/register.lambda.ts';
import { release } from '../../functions/release.lambda.ts';
import { search } from '../../functions/search.lambda.ts';
import { select } from '../../functions/select.lambda.ts';
import type { Services } from '../../functions/shared/services.ts';
import type { RunEvent } from '../../functions/shared/stage.ts';
import { Laboratory } from '../functions/laboratory.ts';

const seeds = Number(process.env['INGOT_BUDGETS'] ?? 6);
const start = Date.parse('2026-11-25T08:00:00Z');
const realRows = 200;
/** Attempts at a stage, as infra/training.ts has them, and the seconds before the second and the third. */
const waits = [0, 1, 2];
/** Nested parts that a fit really has. */
const realSteps = 4;

class Killed extends Error {
  override name = 'Runtime.ExitError';
}

/** The machine that a call runs on: its time goes on as work is done. */
interface Machine {
  seconds: number;
  slowness: number;
  /** How many times as long as on a quiet machine everything takes but the fits, which have a slowness of their own. */
  load: number;
  cores: number;
  random: Random;
  /** Rows that a fit is said to have, and those that it predicts. */
  shape: Shape;
  validRows: number;
  /** Of a hundred fits, how many throw and how many never end; of a hundred calls, how many are killed in a fit. */
  faults: { throw: number; hang: number; kill: number };
  killAt: number;
  die: (error: Killed) => void;
  counted: { thrown: number; hung: number; killed: number };
}

let machine: Machine;

/** Work that takes the time of the estimate. @returns whether it was stopped */
async function work(family: Family, params: Params, context: FitContext, stops: boolean): Promise<boolean> {
  const { random, faults, counted, shape, validRows, slowness, cores } = machine;
  const lot = random.below(100);
  if (lot < faults.throw) {
    counted.thrown++;
    throw new TypeError('a matrix that cannot be inverted');
  }
  const hangs = lot < faults.throw + faults.hang && machine.killAt < Number.POSITIVE_INFINITY;
  if (hangs) counted.hung++;
  const dies = random.below(100) < faults.kill ? random.uniform() : 2;
  const seconds = (foldCoreSeconds(family.name, shape, params, validRows) * slowness) / cores;
  const steps = hangs ? 1e9 : 20;
  for (let step = 1; step <= steps; step++) {
    machine.seconds += hangs ? 1 : seconds / steps;
    if (machine.seconds >= machine.killAt || step / steps > dies) {
      counted.killed++;
      machine.seconds = Math.min(machine.seconds, machine.killAt);
      machine.die(new Killed('RequestId: 1 Error: Runtime exited with error: signal: killed'));
      await new Promise(() => undefined);
    }
    if (hangs) continue;
    if (stops && context.isOver?.()) return true;
    context.onProgress?.(step / steps);
  }
  return false;
}

const small = (params: Params): Params =>
  Object.fromEntries(Object.entries(params).map(([name, value]) => [name, parts.has(name) ? Math.min(realSteps, Number(value)) : value]));
const parts = new Set(['nEstimators', 'epochs']);

beforeAll(() => {
  for (const family of families) {
    const { fit, fitFold } = family;
    vi.spyOn(family, 'fit').mockImplementation(async (x, y, params, context) => {
      await work(family, params, context, false);
      return fit(x, y, small(params), { seed: context.seed, workers: 1 });
    });
    if (!fitFold) continue;
    vi.spyOn(family, 'fitFold').mockImplementation(async (x, y, rows, validRows, params, context) => {
      await work(family, params, context, true);
      return fitFold(x, y, rows, validRows, small(params), { seed: context.seed, workers: 1 });
    });
  }
});

afterAll(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

function table(random: Random, classes: number): string {
  const lines = Array.from({ length: realRows }, () => {
    const [a, b] = [random.uniform(), random.uniform()];
    const value = a + b * b + 0.2 * random.uniform();
    return `${a.toFixed(4)},${b.toFixed(4)},${['red', 'blue', 'green'][random.below(3)]},${classes === 0 ? value.toFixed(4) : `k${Math.min(classes - 1, Math.floor((value / 2.2) * classes))}`}`;
  });
  return `a,b,colour,y\n${lines.join('\n')}\n`;
}

interface Outcome {
  seed: number;
  end: 'model' | 'refused' | 'failed';
  seconds: number;
  dollars: number;
  disturbed: boolean;
  isLoaded: boolean;
  counted: Machine['counted'];
  error?: unknown;
  card?: ModelCard;
}

async function live(seed: number, limits: Limits): Promise<Outcome> {
  const random = new Random(seed);
  const lane: Lane = random.below(2) === 0 ? defaultLane : { ...defaultLane, concurrency: 2, cores: 2 };
  vi.stubEnv(environment.lane, JSON.stringify({ concurrency: lane.concurrency, ...(lane.cores !== undefined && { cores: lane.cores }) }));
  const classes = [0, 2, 2, 5][random.below(4)]!;
  const nominal = Math.round(300 * (200_000 / 300) ** random.uniform());
  const isBad = random.below(3) > 0;
  const counted = { thrown: 0, hung: 0, killed: 0 };
  const { places, cores } = searchPower(lane);
  machine = {
    ...{ seconds: 0, random, counted, killAt: Number.POSITIVE_INFINITY, die: () => undefined },
    slowness: random.below(3) === 0 ? 1 + 30 * random.uniform() : 0.3 + random.uniform(),
    load: random.below(3) === 0 ? 1 + 2 * random.uniform() : 1,
    cores: Math.max(1, Math.min(coresOf(lane), cores / places)),
    shape: { rows: nominal, features: 5, classes },
    validRows: 0,
    faults: isBad ? { throw: random.below(30), hang: random.below(4), kill: random.below(5) } : { throw: 0, hang: 0, kill: 0 },
  };
  const lab = new Laboratory();
  const services: Services = {
    ...lab.services,
    now: () => {
      machine.seconds += 0.005;
      return new Date(start + machine.seconds * 1000);
    },
    endBy: (milliseconds) => {
      machine.killAt = machine.seconds + milliseconds / 1000;
      return () => {
        machine.killAt = Number.POSITIVE_INFINITY;
      };
    },
  };
  lab.services.now = services.now;
  await lab.rawData.put('raw/d/dataset.json', JSON.stringify({ budget: limits, seed }));
  const uploaded = await lab.upload('raw/d/data.csv', table(random, classes));
  const preparation = preparationOf(machine.shape, [], lane, limits).seconds * (0.5 + 0.7 * random.uniform()) * machine.load;
  machine.seconds = preparation;
  await lab.prepare(uploaded);
  const { run, dataset, revision } = lab.queue.records[0]!;
  const event: RunEvent = { run, dataset, revision };
  const preprocess = await needJson<Preprocess>(lab.rawData, dataKeys.preprocess(dataset, revision));
  await putJson(lab.rawData, dataKeys.preprocess(dataset, revision), { ...preprocess, rows: { ...preprocess.rows, train: nominal } });

  const rates = { pipeline: pipelineSecondDollars(lane), control: secondDollars(lane, lane.controlMemory) };
  let dollars = machine.seconds * rates.pipeline;
  let trialsDone = 0;
  const between = ({ low, high }: Interval) => low + (high - low) * random.uniform();
  /** Calls a function as the state machine does: one that was killed is called twice more. */
  const call = async <T>(kind: 'pipeline' | 'control', handler: () => Promise<T>): Promise<T> => {
    for (const [attempt, wait] of waits.entries()) {
      machine.seconds += wait;
      const began = machine.seconds;
      machine.seconds += machine.load * between(callsOf(lane)[kind]);
      try {
        return await Promise.race([
          handler(),
          new Promise<never>((_, reject) => {
            machine.die = reject;
          }),
        ]);
      } catch (error) {
        if (!(error instanceof Killed) || attempt === waits.length - 1) throw error;
      } finally {
        machine.killAt = Number.POSITIVE_INFINITY;
        dollars += (machine.seconds - began) * rates[kind];
      }
    }
    throw new Error('unreachable');
  };
  const outcome = (end: Outcome['end'], error?: unknown): Outcome => {
    const disturbed = counted.thrown + counted.hung + counted.killed > 0 || machine.slowness > 2;
    return {
      seed,
      end,
      seconds: machine.seconds,
      dollars: dollars + fixedDollars(trialsDone, lane),
      disturbed,
      isLoaded: machine.load > 1,
      counted,
      error,
    };
  };
  try {
    let { trials } = await call('control', () => plan(event, services));
    const planned = await needJson<Plan>(lab.rawModels, modelKeys.plan(run));
    while (trials.length > 0) {
      const clocks = new Array<number>(places).fill(machine.seconds);
      for (const trial of trials) {
        const place = clocks.indexOf(Math.min(...clocks));
        machine.seconds = clocks[place]!;
        const { rung } = await trialOf(lab.rawModels, planned, trial);
        const { trainRows, validRows } = planned.rungs![rung!]!;
        Object.assign(machine, { shape: { ...machine.shape, rows: trainRows }, validRows });
        await call('pipeline', () => search({ ...event, trial }, services)).catch((error: Error) => {
          if (!(error instanceof Killed)) throw error;
          return call('pipeline', () => search({ ...event, trial, error: { Error: error.name, Cause: error.message } }, services));
        });
        trialsDone++;
        clocks[place] = machine.seconds;
      }
      machine.seconds = Math.max(...clocks);
      ({ trials } = await call('control', () => select(event, services)));
    }
    Object.assign(machine, { shape: { ...machine.shape, rows: nominal }, validRows: 0 });
    for (const stage of [fit, optimise, gate]) {
      // The check of all test rows takes its time whatever the clock says.
      if (stage === gate) machine.seconds += ((nominal * 5) / 1e6) * random.uniform() * machine.load;
      // Graphs are written, and evaluated, in the time that is kept for it.
      if (stage !== fit) machine.seconds += 3 * random.uniform() * machine.load;
      await call('pipeline', () => stage(event, services));
    }
    for (const stage of [register, release]) await call('control', () => stage(event, services));
    const card = (await getJson<ModelCard>(lab.rawModels, modelKeys.card(dataset, 1)))!;
    return { ...outcome('model'), card };
  } catch (error) {
    const isRefusal = String((error as Error).message).includes('The budget is too small');
    return outcome(isRefusal ? 'refused' : 'failed', error);
  }
}

test.each([
  ['one minute', { minutes: 1 }],
  ['$0.01', { dollars: 0.01 }],
] as [string, Limits][])(
  'a budget of %s is kept in many runs, and each ends with a model',
  { timeout: 3_600_000 },
  async (name, limits) => {
    const outcomes: Outcome[] = [];
    for (let seed = 0; seed < seeds; seed++) outcomes.push(await live(seed, limits));
    const counts = {
      ends: Object.fromEntries([...Map.groupBy(outcomes, ({ end }) => end)].map(([end, own]) => [end, own.length])),
      disturbed: outcomes.filter(({ disturbed }) => disturbed).length,
      thrown: outcomes.reduce((sum, { counted }) => sum + counted.thrown, 0),
      hung: outcomes.reduce((sum, { counted }) => sum + counted.hung, 0),
      killed: outcomes.reduce((sum, { counted }) => sum + counted.killed, 0),
      seconds: Math.max(...outcomes.map(({ seconds }) => seconds)),
      dollars: Math.max(...outcomes.map(({ dollars }) => dollars)),
    };
    console.log(name, JSON.stringify(counts));
    expect(outcomes.filter(({ end }) => end !== 'model').map(({ seed, end, error }) => [seed, end, String(error)])).toEqual([]);
    const overrun = outcomes.filter(
      ({ seconds, dollars, isLoaded }) =>
        seconds > (limits.minutes ?? Number.POSITIVE_INFINITY) * 60 + (isLoaded ? 5 : 0) ||
        dollars > (limits.dollars ?? Number.POSITIVE_INFINITY),
    );
    expect(overrun.map(({ seed, seconds, dollars, counted }) => ({ seed, seconds, dollars, counted }))).toEqual([]);
    expect(counts.disturbed).toBeGreaterThan(seeds / 3);
  },
);
