/**
 * The budget of an automatic search: how much work it may plan, and by when each part of it is over. Without limits the work grows with the
 * table, from seconds for the examples to a minute for 50,000 rows, and by less from there on.
 */
import type { Candidate, Plan, Rung } from '../search/plan.ts';
import { gateUntil, tooSmall } from './budget.ts';
import { callsOf, fixedDollars, pipelineSecondDollars, startSeconds } from './cost.ts';
import type { Estimate } from './estimate.ts';
import type { Shape } from './estimator.ts';
import { scale } from './interval.ts';
import { coresOf, type Lane, searchPower } from './lane.ts';
import type { Budget, Limits } from './limits.ts';
import { memoryWith } from './memory.ts';
import { estimatorOf } from './work.ts';

/**
 * Core seconds without a budget: for any table, for a million cells (rows × features × numbers that a model answers) more, and at most; but of large
 * tables, whose rows are to be gone over at all, at least so many for a million rows × features.
 */
const workOf = { any: 6, million: 40, most: 60, largeMillion: 3 };
/** What trials side by side use of the cores. */
const useOfCores = 0.85;
/**
 * Seconds to weigh the finalists and fit large ones anew; to write the graph; and to check it, for a million cells of the table, and evaluate it: what is
 * not needed for a version is left out when the time is over.
 */
const making = { fit: 3, export: 3, evaluate: 3, checkMillion: 0.5, checkMost: 9 };
/** Core seconds for a trial and the fit to read a million cells. */
const readMillion = 0.1;
/** Trials of both rungs: as many as leave dollars for as many seconds of work. */
const trialChoices = [16, 12, 8, 6, 4];
const worthwhile = 20;
/** Of dollars, what is planned with: seconds are estimates, dollars are a limit. */
const plannedDollars = 0.8;

/** Seconds beside the search itself, at most. */
function overhead(rungs: number, { rows, features }: Shape, lane: Lane) {
  const { control, pipeline } = callsOf(lane);
  const start = startSeconds(lane).high;
  const million = (rows * features) / 1e6;
  const evaluate = making.evaluate + Math.min(making.checkMost, making.checkMillion * million);
  const read = readMillion * million;
  return {
    before: control.high,
    start,
    between: control.high,
    fit: start + pipeline.high + making.fit + read,
    gate: making.export + evaluate,
    after: 2 * pipeline.high + 2 * control.high + making.export + evaluate,
    get all() {
      return this.before + rungs * (this.start + this.between) + this.fit + this.after;
    },
  };
}

/** What a budget leaves for a search. */
export interface Time {
  /** Core seconds to plan with. */
  work: number;
  trials: number;
  /** Seconds of the run by which it is over, where minutes are limited. */
  until?: number;
  /** Seconds that its places may be in use, where dollars are. */
  seconds?: number;
}

/** @throws IngotError InvalidSpec where not even the smallest search fits */
export function workWithin(shape: Shape, lane: Lane, limits: Limits | undefined): Time {
  const millions = (shape.rows * shape.features) / 1e6;
  const usual = Math.max(
    Math.min(workOf.most, workOf.any + workOf.million * millions * (shape.classes > 2 ? shape.classes : 1)),
    workOf.largeMillion * millions,
  );
  if (!limits) return { work: usual, trials: trialChoices[0]! };
  const { cores, places } = searchPower(lane);
  const { all: beside, fit, after } = overhead(2, shape, lane);
  const seconds = (limits.minutes ?? Number.POSITIVE_INFINITY) * 60 - beside;
  const rate = pipelineSecondDollars(lane);
  const call = callsOf(lane).pipeline.point + startSeconds(lane).high;
  const dollars = (limits.dollars ?? Number.POSITIVE_INFINITY) * plannedDollars;
  const billedBy = (trials: number) => (dollars - fixedDollars(trials, lane)) / rate - beside - trials * call;
  const trials = trialChoices.find((each) => billedBy(each) >= worthwhile) ?? trialChoices.at(-1)!;
  const billedSearch = billedBy(trials);
  const least = 1;
  if (seconds < least || billedSearch < least)
    throw tooSmall(limits, beside + least, ((beside + least + trials * call) * rate + fixedDollars(trials, lane)) / plannedDollars);
  const work = Math.min(seconds * cores * useOfCores, billedSearch * coresOf(lane) * useOfCores);
  return {
    ...{ work, trials },
    ...(limits.minutes !== undefined && { until: limits.minutes * 60 - after - fit }),
    ...(limits.dollars !== undefined && { seconds: billedSearch / places }),
  };
}

/** Gives the rungs their times, in the proportion of their work. */
export function timedRungs(rungs: Rung[], { seconds, until }: Time): Rung[] {
  const all = rungs.reduce((sum, { work }) => sum + work, 0);
  let left = all;
  return rungs.map((rung) => {
    const share = rung.work / left;
    left -= rung.work;
    return {
      ...rung,
      ...(seconds !== undefined && { seconds: (seconds * rung.work) / all }),
      ...(until !== undefined && { until, share }),
    };
  });
}

export function autoBudget(limits: Limits, shape: Shape, lane: Lane, leftOut: string[]): Budget {
  const { fit, gate, after } = overhead(2, shape, lane);
  return {
    ...limits,
    trialSeconds: {},
    // Where dollars are not limited, what time there is may be used.
    fitSeconds: limits.dollars === undefined ? limits.minutes! * 60 : fit,
    gateSeconds: limits.dollars === undefined ? limits.minutes! * 60 : gate,
    ...(limits.minutes !== undefined && {
      fitUntil: limits.minutes * 60 - after,
      gateUntil: gateUntil(limits.minutes, lane),
    }),
    rounds: {},
    leftOut,
  };
}

/** @param work core seconds of the candidates that are tried */
export function estimateAuto(
  plan: Pick<Plan, 'candidates' | 'rungs' | 'trials'>,
  shape: Shape,
  lane: Lane,
  work: number,
  limits: Limits | undefined,
): Estimate {
  const { cores } = searchPower(lane);
  const { control, pipeline } = callsOf(lane);
  const rungs = plan.rungs!.length;
  const trials = plan.rungs!.reduce((sum, { folds }) => sum + folds.length, 0);
  const spread = { low: 0.4, high: 2 };
  const read = (readMillion * (trials + 1) * shape.rows * shape.features) / 1e6;
  const coreSeconds = { low: work * spread.low + read, point: work + read, high: work * spread.high + read };
  const waves = Math.ceil(trials / searchPower(lane).places);
  const start = startSeconds(lane);
  const calls = (of: 'low' | 'point' | 'high') => (3 + rungs) * control[of] + (3 + waves) * pipeline[of] + (1 + rungs) * start[of];
  const search = scale(coreSeconds, 1 / (cores * useOfCores));
  const seconds = {
    low: search.low + calls('low'),
    point: search.point + calls('point') + making.fit / 3,
    high: Math.min(search.high + calls('high') + making.fit + making.export, (limits?.minutes ?? Number.POSITIVE_INFINITY) * 60),
  };
  const rate = pipelineSecondDollars(lane);
  const jobs = 1 + Math.min(trials, rungs * lane.concurrency);
  const billed = scale(coreSeconds, 1 / (coresOf(lane) * useOfCores));
  const cost = (of: 'low' | 'point' | 'high') =>
    (billed[of] + (trials + 6) * pipeline[of] + jobs * start[of] + making.fit) * rate + fixedDollars(trials, lane);
  const dollars = { low: cost('low'), point: cost('point'), high: Math.min(cost('high'), limits?.dollars ?? Number.POSITIVE_INFINITY) };
  return {
    coreSeconds,
    memory: memoryOf(plan.candidates, shape, plan.rungs!.at(-1)!),
    seconds: ordered(seconds),
    dollars: ordered(dollars),
    lane,
  };
}

const ordered = ({ low, point, high }: { low: number; point: number; high: number }) => ({
  low: Math.min(low, high),
  point: Math.min(point, high),
  high,
});

/** What candidates that were fitted before have left, in a heap that has grown and in what is collected once 64 MB have come together (core/models/wasm-memory.ts). */
const leftBehind = 160 * 2 ** 20;

/** Bytes that the largest fit of the candidates takes: on a fold of the last rung, or on all rows. */
export function memoryOf(candidates: Candidate[], shape: Shape, { trainRows, validRows }: Pick<Rung, 'trainRows' | 'validRows'>): number {
  const pieces = candidates.flatMap(({ family, params }) => {
    const { memory } = estimatorOf(family);
    return [memory({ ...shape, rows: trainRows }, [params], validRows), memory(shape, [params], 0)];
  });
  return memoryWith(shape, pieces) + leftBehind;
}
