/** What follows a rung of an automatic search: the next rung's trials for the best, or after the last one the leaderboard. */
import { stepsOf } from '../../compute/budget.ts';
import type { Lane } from '../../compute/lane.ts';
import { estimatorOf } from '../../compute/work.ts';
import { failuresOf, requireSome } from '../failed.ts';
import { metrics } from '../metrics.ts';
import type { Candidate, Leaderboard, LeaderboardEntry, Plan, RungTrials, TrialResult } from '../plan.ts';
import { select } from '../selection.ts';
import { dearest, fitting, rungWork, trialsOf, within } from './rungs.ts';

/**
 * Where a clock ends the rung, how much more than its work goes on: rounds stop sooner than estimates say, and who comes last is cut off where they do not.
 */
const overcommitted = 2;

/** A rung that is done: who was on it, and what its trials found. */
export interface DoneRung {
  trials: RungTrials;
  results: TrialResult[];
}

/** From so many classes on, who takes all of them for equally likely knows nothing; what a loss is below that is what was learned. */
export const manyClasses = 12;
/** Of what the best has learned, what another must have to go on, and to go before the second ones of other families. */
const enough = { toGoOn: 0.7, toGoFirst: 0.9 };

/**
 * The best of a rung, the best of each family before its second ones, as far as the next rung's work reaches. One family's relatives err
 * alike: to an ensemble the others are worth more. Of many classes, that is true of those alone that have learned nearly as much.
 */
export function promote(plan: Plan, done: DoneRung, lane: Lane): RungTrials {
  const next = done.trials.rung + 1;
  const rung = plan.rungs![next]!;
  const ranked = rankOf(plan, done).filter(({ perFold }) => perFold.length > 0);
  const seen = new Map<string, number>();
  const shareOf = sharesLearned(plan, ranked);
  const able = ranked.filter((entry) => shareOf(entry) >= enough.toGoOn);
  const places = able.map((entry, rank) => {
    const place = seen.get(entry.family) ?? 0;
    seen.set(entry.family, place + 1);
    return { candidate: candidateOf(plan, entry), first: place === 0 && shareOf(entry) >= enough.toGoFirst, rank };
  });
  const order = places.sort((a, b) => Number(b.first) - Number(a.first) || a.rank - b.rank).map(({ candidate }) => candidate);
  const tried = order.length > 0 ? order : plan.candidates;
  const cost = (candidate: Candidate) => rung.folds.length * rungWork(candidate, plan.shape!, rung, paceOf(plan, done, candidate));
  const room = rung.work * (rung.until === undefined ? 1 : overcommitted);
  // The best goes on even where it is dearer than was planned for.
  const [best, ...others] = tried as [Candidate, ...Candidate[]];
  const kept = cost(best) <= dearest * rung.work ? [best, ...fitting(others, cost, room - cost(best))] : within(tried, cost, rung.work);
  const byRank = kept.sort((a, b) => rankIn(ranked, a) - rankIn(ranked, b));
  return trialsOf(next, rung, byRank, plan.shape!, lane);
}

/** Of what the best has learned, what a candidate has: 1 where there are few classes, as nobody knows then what it is to know nothing. */
function sharesLearned({ shape }: Plan, [best]: LeaderboardEntry[]): (entry: LeaderboardEntry) => number {
  const nothing = Math.log(shape!.classes);
  const most = nothing - (best?.mean.logLoss ?? Number.NaN);
  if (shape!.classes < manyClasses || !(most > 0)) return () => 1;
  return ({ mean }) => (nothing - (mean.logLoss ?? Number.POSITIVE_INFINITY)) / most;
}

/** How many times as many rounds as expected a candidate had on a rung until it stopped: it will on the next one, too. */
function paceOf({ rungs, shape }: Plan, { trials, results }: DoneRung, { id, family, params }: Candidate): number {
  const { earlySteps } = estimatorOf(family);
  const had = results.flatMap(({ scores }) => scores.flatMap(({ candidate, steps }) => (candidate === id ? (steps ?? []) : [])));
  if (!earlySteps || had.length === 0) return 1;
  const mean = had.reduce((sum, steps) => sum + steps, 0) / had.length;
  const expected = earlySteps(params, { ...shape!, rows: rungs![trials.rung]!.trainRows });
  return Math.min(stepsOf({ family, params }), mean + Number(params['nIterNoChange'])) / expected;
}

/** All candidates: those of the rung that leads first, and in a rung by score. */
export function boardOf(plan: Plan, rungs: DoneRung[]): Leaderboard {
  const entries: LeaderboardEntry[] = [];
  const placed = new Set<number>();
  for (const done of leadingFirst(plan, rungs))
    for (const entry of rankOf(plan, done)) {
      // Whom the time has left no fold of a rung stands where it was before.
      if (placed.has(entry.candidate) || (entry.perFold.length === 0 && done.trials.rung > 0)) continue;
      placed.add(entry.candidate);
      entries.push({ ...entry, rank: entries.length + 1, rung: done.trials.rung });
    }
  const results = rungs.flatMap((rung) => rung.results);
  requireSome(results);
  const failed = failuresOf(results);
  return { metric: plan.metric, entries, best: entries[0]!.candidate, ...(failed.length > 0 && { failed }) };
}

/** By how much of its score the best of a rung has to be worse than that of the one before, lest chance decides: they may answer different rows. */
const clearly = 0.1;

/** The last rung first, but where time has stopped its best so soon that who was best on the one before, on fewer rows, knows clearly more. */
function leadingFirst(plan: Plan, rungs: DoneRung[]): DoneRung[] {
  const [last, before, ...others] = [...rungs].reverse();
  if (!last || !before) return rungs;
  const folds = before.results.map(({ fold }) => fold);
  const bestOf = (rung: DoneRung) => rankOf(plan, rung)[0]!.mean[plan.metric];
  const onSameFolds = bestOf({ ...last, results: last.results.filter(({ fold }) => folds.includes(fold)) });
  const [now, then] = [onSameFolds ?? bestOf(last), bestOf(before)];
  const sign = metrics[plan.metric].better === 'higher' ? 1 : -1;
  const isWorse = now !== undefined && then !== undefined && sign * (then - now) > clearly * Math.abs(now);
  return isWorse ? [before, last, ...others] : [last, before, ...others];
}

function rankOf(plan: Plan, { trials, results }: DoneRung): LeaderboardEntry[] {
  const candidates = plan.candidates.filter(({ id }) => trials.candidates.includes(id));
  return select({ ...plan, candidates }, results).entries;
}

const candidateOf = (plan: Plan, { candidate }: LeaderboardEntry): Candidate => plan.candidates.find(({ id }) => id === candidate)!;
const rankIn = (ranked: LeaderboardEntry[], { id }: Candidate) => ranked.findIndex(({ candidate }) => candidate === id);
