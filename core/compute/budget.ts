/**
 * The budget as a contract. Before the run: what is tried is made smaller, the least valuable first, until even the upper end of the
 * estimate fits; that is a decision by estimate, the same on every machine. During the run: each piece of work has a time by which it
 * stops with what it has, so that a machine slower than any estimate keeps the contract too.
 */
import { IngotError } from '../errors.ts';
import type { Params } from '../models/model.ts';
import type { Candidate, Plan, TrialResult } from '../search/plan.ts';
import { callsOf, estimateRun, partsOf } from './cost.ts';
import type { Estimate } from './estimate.ts';
import type { Shape } from './estimator.ts';
import type { Lane } from './lane.ts';
import type { Budget, Limits } from './limits.ts';
import { coreSecondsOf, estimatorOf } from './work.ts';

type Searched = Pick<Plan, 'candidates' | 'folds' | 'trials'>;

/** Work stops at the end of the step (tree, round) that it is in: a tenth of the time is kept for that. */
const stopsAfter = 0.9;
/** Fewer steps (trees, rounds) than this are no model worth its run. */
const fewestSteps = 10;

/**
 * The plan made to fit.
 * @throws IngotError InvalidSpec where not even the smallest run fits: it says what that one takes
 */
export function fitBudget<P extends Searched>(
  plan: P,
  shape: Shape,
  lane: Lane,
  limits: Limits,
): { plan: P; estimate: Estimate; budget: Budget } {
  let smallest: Estimate | undefined;
  for (const searched of everSmaller(plan, shape)) {
    const rounds = roundsOf(searched.candidates);
    const estimate = estimateRun(searched, shape, lane, rounds);
    smallest = estimate;
    const room = Math.min(
      ((limits.minutes ?? Number.POSITIVE_INFINITY) * 60) / estimate.seconds.high,
      (limits.dollars ?? Number.POSITIVE_INFINITY) / estimate.dollars.high,
    );
    if (room < 1) continue;
    const parts = partsOf(searched, shape, lane, rounds);
    // All pieces may take longer than the estimate's upper end by the same factor.
    const until = parts.before.high + parts.search.high;
    const budget: Budget = {
      ...limits,
      trialSeconds: Object.fromEntries(Object.entries(parts.trials).map(([family, { high }]) => [family, ownSeconds(high * room, lane)])),
      fitSeconds: ownSeconds(parts.fit.high * room, lane),
      gateSeconds: parts.evaluation.high * room,
      ...(limits.minutes !== undefined && {
        searchUntil: until * room,
        fitUntil: (until + parts.between.high + parts.fit.high) * room,
        gateUntil: gateUntil(limits.minutes, lane),
      }),
      rounds,
      leftOut: leftOut(plan, searched),
    };
    return { plan: { ...plan, ...searched }, estimate, budget };
  }
  throw tooSmall(limits, smallest!.seconds.high, smallest!.dollars.high);
}

/** Seconds of the run by which the gate is over: to register and to release its version are two calls. */
export const gateUntil = (minutes: number, lane: Lane): number => minutes * 60 - 2 * callsOf(lane).control.high;

/** @param ofRun, dollarsOfRun what the smallest run takes, without its preparation */
export function tooSmall(limits: Limits, ofRun: number, dollarsOfRun: number): IngotError {
  const { preparation = { seconds: 0, dollars: 0 } } = limits;
  const [seconds, dollars] = [ofRun + preparation.seconds, dollarsOfRun + preparation.dollars];
  return new IngotError(
    'InvalidSpec',
    `The budget is too small: the smallest run takes up to ${minutesText(seconds)} and ${dollarsText(dollars)}.`,
    {
      where: 'dataset.json, field budget',
      fix: `Allow at least that (${[limits.minutes !== undefined && `minutes: ${round(seconds / 60)}`, limits.dollars !== undefined && `dollars: ${round(dollars)}`].filter(Boolean).join(', ')}), or give fewer rows or columns.`,
    },
  );
}

/** Of the seconds that a call may take: without its start, which its own clock does not see, and with time to come to a stop in. */
const ownSeconds = (seconds: number, lane: Lane) => stopsAfter * (seconds - callsOf(lane).pipeline.high);

/** Upwards, to two digits. */
function round(value: number): number {
  const unit = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Number((Math.ceil(value / unit) * unit).toPrecision(2));
}
const minutesText = (seconds: number) => `${round(seconds / 60)} minutes`;
const dollarsText = (dollars: number) => `$${round(dollars)}`;

/** The plan, then ever less of it: the largest models go first, then folds, then grids, then families, then parts of the last model. */
function* everSmaller(plan: Searched, shape: Shape): Generator<Searched> {
  let candidates = plan.candidates;
  let folds = plan.folds;
  const now = (): Searched => restrict(plan, candidates, folds);
  yield now();
  for (;;) {
    const fewer = withoutLargest(candidates);
    if (fewer.length === candidates.length) break;
    candidates = fewer;
    yield now();
  }
  for (const fewer of [3, 2]) {
    if (fewer >= folds) continue;
    folds = fewer;
    yield now();
  }
  const costs = new Map(plan.candidates.map(({ id, family, params }) => [id, coreSecondsOf(family, shape, [params]).point]));
  const dearestFirst = [...candidates].sort((a, b) => costs.get(b.id)! - costs.get(a.id)! || b.id - a.id);
  for (const { id, family } of dearestFirst) {
    if (candidates.filter((each) => each.family === family).length === 1) continue;
    candidates = candidates.filter((each) => each.id !== id);
    yield now();
  }
  for (const { id } of dearestFirst) {
    if (candidates.length === 1 || !candidates.some((each) => each.id === id)) continue;
    candidates = candidates.filter((each) => each.id !== id);
    yield now();
  }
  const [last] = candidates;
  for (let steps = stepsOf(last!) / 2; steps >= fewestSteps; steps /= 2) {
    candidates = [{ ...last!, params: withSteps(last!.family, last!.params, Math.floor(steps)) }];
    yield now();
  }
}

/** Fewer folds are another split of the rows; a fold's trials are together, so that whoever stops has whole folds. */
function restrict(plan: Searched, candidates: Candidate[], folds: number): Searched {
  const families = [...new Set(plan.trials.map(({ family }) => family))].filter((family) =>
    candidates.some((each) => each.family === family),
  );
  const trials = Array.from({ length: folds }, (_, fold) => families.map((family) => ({ id: `${family}-${fold}`, family, fold }))).flat();
  return { candidates, folds, trials };
}

/** Number of nested parts of a candidate's model, 1 where it has none. */
export function stepsOf({ family, params }: Pick<Candidate, 'family' | 'params'>): number {
  const { steps } = estimatorOf(family);
  return steps === undefined ? 1 : Number(params[steps]);
}

/** The same model of fewer parts. */
export function withSteps(family: string, params: Params, steps: number): Params {
  const name = estimatorOf(family).steps;
  return name === undefined ? params : { ...params, [name]: steps };
}

/** Without those of each family that have the most steps, where it has some of fewer. */
function withoutLargest(candidates: Candidate[]): Candidate[] {
  const families = Map.groupBy(candidates, ({ family }) => family);
  return candidates.filter((candidate) => {
    const steps = families.get(candidate.family)!.map(stepsOf);
    const most = Math.max(...steps);
    return Math.min(...steps) === most || stepsOf(candidate) < most;
  });
}

/** Those of the fewest steps first, then all others. */
function roundsOf(candidates: Candidate[]): Record<string, number[][]> {
  const families = Map.groupBy(candidates, ({ family }) => family);
  return Object.fromEntries(
    [...families].map(([family, own]) => {
      const fewest = Math.min(...own.map(stepsOf));
      const [first, rest] = [own.filter((each) => stepsOf(each) === fewest), own.filter((each) => stepsOf(each) > fewest)];
      return [family, [first, rest].filter(({ length }) => length > 0).map((round) => round.map(({ id }) => id))];
    }),
  );
}

function leftOut(asked: Searched, tried: Searched): string[] {
  const said: string[] = [];
  for (const [family, own] of Map.groupBy(asked.candidates, (each) => each.family)) {
    const kept = tried.candidates.filter((each) => each.family === family);
    if (kept.length < own.length) said.push(`${own.length - kept.length} of ${own.length} candidates of ${family} are not tried.`);
  }
  if (tried.folds < asked.folds) said.push(`There are ${tried.folds} folds in place of ${asked.folds}.`);
  const [last] = tried.candidates;
  const before = asked.candidates.find(({ id }) => id === last!.id)!;
  if (stepsOf(last!) < stepsOf(before))
    said.push(`${last!.family} has ${stepsOf(last!)} ${estimatorOf(last!.family).steps} in place of ${stepsOf(before)}.`);
  return said;
}

/** What of a plan was not done because of its budget: what was left out beforehand, and what the clock has cut off. */
export function leftOutOf(
  plan: Plan,
  trials: (TrialResult | undefined)[],
  best: Pick<Candidate, 'family' | 'params'>,
  fit: Pick<Candidate, 'family' | 'params'>,
): string[] {
  const said = [...(plan.budget?.leftOut ?? [])];
  const stopped = trials.filter((trial) => trial?.stopped).length;
  if (stopped > 0) said.push(`${stopped} of ${trials.length} trials stopped before all their candidates were tried: the time was over.`);
  if (plan.search !== 'auto' && stepsOf(fit) < stepsOf(best)) {
    const name = estimatorOf(fit.family).steps;
    said.push(`The model has ${stepsOf(fit)} ${name}; the score is that of ${stepsOf(best)}: the time was over.`);
  }
  return said;
}

/** Thrown through a family's fit by its onProgress when the time is over. */
export class OutOfTime extends Error {
  override name = 'OutOfTime';
}

/** When a piece of work stops. */
export interface Stop {
  /** So long after its first attempt began. */
  seconds?: number | undefined;
  /** By that moment of the run, in seconds from its start; of the time that there is until then when it begins, it has a share. */
  until?: number | undefined;
  share?: number | undefined;
}

/** @returns milliseconds since 1970 */
export function deadlineOf(firstAttempt: Date, runStart: Date, { seconds, until, share = 1 }: Stop): number {
  const began = firstAttempt.getTime();
  const own = seconds === undefined ? Number.POSITIVE_INFINITY : began + seconds * 1000;
  if (until === undefined) return own;
  const end = runStart.getTime() + until * 1000;
  return Math.min(own, end - (1 - share) * Math.max(0, end - began));
}
