/**
 * Successive halving (Jamieson and Talwalkar 2016) by estimate: where the work of all candidates on all folds is too much, they are tried on a
 * sample of one fold first, and the best go on to all folds as far as the work reaches. What is decided here rests on estimates alone, so
 * that the same data and limits give the same search on every machine.
 */

import type { Shape } from '../../compute/estimator.ts';
import { type Lane, searchPower } from '../../compute/lane.ts';
import { coresFor, foldCoreSeconds } from '../../compute/work.ts';
import type { Candidate, Plan, Rung, RungTrials, Trial } from '../plan.ts';

/** Rows of the smallest sample. */
const leastRows = 2000;
/** Rows of a fold that say how good a candidate is on the first rung, and on the last one, where they also weigh the finalists: more say no more. */
export const mostValidRows = { first: 20_000, last: 200_000 };
/** Of the work, what the first rung may take. */
const firstShare = 0.25;
/** How much dearer than all of a rung's work its best candidate may be. */
export const dearest = 2;
/** Candidates that are to reach the last rung, lest there be fewer folds. */
const finalists = 4;
const foldChoices = [8, 5, 4, 3, 2];
/** Seconds of a trial's time that its function needs to start. */
const startSeconds = 1;
/** Seconds that a trial takes at most by estimate: a function has a quarter of an hour. */
const mostSeconds = 300;
/** Core seconds below which splitting a fold's candidates into more trials costs more than it gives. */
const trialWork = 3;

/** Core seconds of a candidate on one fold of a rung. @param pace see foldCoreSeconds */
export function rungWork(
  candidate: Candidate,
  shape: Shape,
  { trainRows, validRows }: Pick<Rung, 'trainRows' | 'validRows'>,
  pace?: number,
): number {
  return foldCoreSeconds(candidate.family, { ...shape, rows: trainRows }, candidate.params, validRows, pace);
}

export function foldsFor(rows: number): number {
  return rows <= 20_000 ? 8 : rows <= 100_000 ? 5 : 3;
}

/**
 * @param candidates the most promising first
 * @param work core seconds for all of the search
 * @param asked folds that the user wants
 * @param trials of all rungs at most
 * @returns the rungs, and those candidates that the first one has work for; at least one
 */
export function planRungs(
  candidates: Candidate[],
  shape: Shape,
  work: number,
  asked: number | undefined,
  trials = 16,
): { folds: number; rungs: Rung[]; candidates: Candidate[] } {
  const most = Math.max(2, Math.min(asked ?? Math.min(trials / 2, foldsFor(shape.rows)), shape.rows));
  const choices = asked === undefined ? [most, ...foldChoices.filter((folds) => folds < most)] : [most];
  // As many folds as leave room for some candidates, of middling work, on all of them.
  const middle = candidates.toSorted((a, b) => wholeWork(a, shape, most) - wholeWork(b, shape, most))[candidates.length >> 1]!;
  const enough = Math.min(finalists, candidates.length);
  const folds = choices.find((each) => enough * wholeWork(middle, shape, each) <= work * (1 - firstShare)) ?? choices.at(-1)!;
  const last = { ...wholeRung(shape, folds, work), trials: trials / 2 };
  const cost = (candidate: Candidate) => wholeWork(candidate, shape, folds);
  if (sumOf(candidates.map(cost)) <= work) return { folds, rungs: [last], candidates };
  // Who can't go on whatever it scores would take rows away from the others.
  const lastWork = work * (1 - firstShare);
  const able = candidates.filter((candidate) => cost(candidate) <= dearest * lastWork);
  const tried = able.length > 0 ? able : candidates;
  const first = sampleRung(tried, shape, folds, work * firstShare);
  const kept = within(tried, (candidate) => rungWork(candidate, shape, first), first.work);
  return {
    folds,
    rungs: [
      { ...first, trials: trials / 2 },
      { ...last, work: lastWork },
    ],
    candidates: kept,
  };
}

function wholeRung(shape: Shape, folds: number, work: number): Rung {
  const validRows = Math.ceil(shape.rows / folds);
  return {
    folds: Array.from({ length: folds }, (_, fold) => fold),
    trainRows: shape.rows - validRows,
    validRows: Math.min(validRows, mostValidRows.last),
    work,
    trials: Number.POSITIVE_INFINITY,
  };
}

const wholeWork = (candidate: Candidate, shape: Shape, folds: number) => folds * rungWork(candidate, shape, wholeRung(shape, folds, 0));

/** One fold, of as many rows as there is work for. */
function sampleRung(candidates: Candidate[], shape: Shape, folds: number, work: number): Rung {
  const whole = wholeRung(shape, folds, work);
  let rung: Rung = { ...whole, folds: [0], validRows: Math.min(whole.validRows, mostValidRows.first) };
  while (rung.trainRows > leastRows && sumOf(candidates.map((candidate) => rungWork(candidate, shape, rung))) > work)
    rung = { ...rung, trainRows: Math.max(leastRows, Math.floor(rung.trainRows / 2)) };
  return rung;
}

/** The first ones that the work is enough for, those apart that are too dear by themselves; at least one. */
export function within(candidates: Candidate[], cost: (candidate: Candidate) => number, work: number): Candidate[] {
  const kept = fitting(candidates, cost, work);
  return kept.length > 0 ? kept : [cheapest(candidates, cost)];
}

/** The same, or none. */
export function fitting(candidates: Candidate[], cost: (candidate: Candidate) => number, work: number): Candidate[] {
  let left = work;
  return candidates.filter((candidate) => {
    const own = cost(candidate);
    if (own > left) return false;
    left -= own;
    return true;
  });
}

function cheapest(candidates: Candidate[], cost: (candidate: Candidate) => number): Candidate {
  return candidates.reduce((least, candidate) => (cost(candidate) < cost(least) ? candidate : least));
}

/**
 * A rung's trials: one a fold, or several where there are places for more and the work is worth it. The candidates are dealt in turn, so
 * that each trial begins with good ones.
 * @param candidates the best first
 * @param lane how many trials there are at a time, and on how many cores each
 */
export function trialsOf(number: number, rung: Rung, candidates: Candidate[], shape: Shape, lane: Lane): RungTrials {
  const { places } = searchPower(lane);
  const foldWork = sumOf(candidates.map((candidate) => rungWork(candidate, shape, rung)));
  const wanted = Math.min(Math.floor(Math.min(places, rung.trials) / rung.folds.length), Math.floor(foldWork / trialWork));
  // Functions may take over from Batch, and have fewer cores.
  const foldSeconds = sumOf(
    candidates.map((candidate) => rungWork(candidate, shape, rung) / coresFor(candidate.family, { pipelineMemory: lane.pipelineMemory })),
  );
  const needed = Math.ceil(foldSeconds / mostSeconds);
  const parts = Math.max(1, Math.min(candidates.length, Math.max(wanted, needed)));
  const waves = Math.ceil((parts * rung.folds.length) / places);
  const limitsOf = (place: number) => {
    const wave = Math.floor(place / places);
    return {
      ...(rung.seconds !== undefined && { seconds: rung.seconds / waves - startSeconds }),
      // What the waves before had is gone when this one begins.
      ...(rung.until !== undefined && { until: rung.until, share: rung.share! / (waves - rung.share! * wave) }),
    };
  };
  const trials = rung.folds.flatMap((fold, place) =>
    Array.from({ length: parts }, (_, part): Trial => {
      const own = candidates.filter((_, place) => place % parts === part).map(({ id }) => id);
      const limits = limitsOf(place * parts + part);
      return { id: `${number}-${fold}-${part}`, family: 'any', fold, candidates: own, rung: number, ...limits };
    }),
  );
  return { rung: number, candidates: candidates.map(({ id }) => id), trials };
}

/** Seconds that the longest trial of a search may take on a lane, by estimate: one of the first rung, or the dearest candidate by itself on the last. */
export function longestTrial({ candidates, trials, rungs }: Plan, shape: Shape, lane: Lane): number {
  const [first, last] = [rungs![0]!, rungs!.at(-1)!];
  const seconds = (candidate: Candidate, rung: Rung) => rungWork(candidate, shape, rung) / coresFor(candidate.family, lane);
  const all = trials.map((trial) => {
    const own = candidates.filter(({ id }) => trial.candidates!.includes(id));
    return sumOf(own.map((candidate) => seconds(candidate, first)));
  });
  const dearest = Math.max(...candidates.map((candidate) => seconds(candidate, last)));
  return Math.max(...all, Math.min(dearest, last.work / last.folds.length));
}

const sumOf = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
