/** What follows a rung of an automatic search: the next rung's trials for the best, or after the last one the leaderboard. */
import type { Lane } from '../../compute/lane.ts';
import { failuresOf, requireSome } from '../failed.ts';
import type { Candidate, Leaderboard, LeaderboardEntry, Plan, RungTrials, TrialResult } from '../plan.ts';
import { select } from '../selection.ts';
import { fitting, rungWork, trialsOf, within } from './rungs.ts';

/** How much dearer than all of a rung's work its best candidate may be. */
const dearest = 2;
/**
 * Where a clock ends the rung, how much more than its work goes on: rounds stop sooner than estimates say, and who comes last is cut off where they do not.
 */
const overcommitted = 2;

/** A rung that is done: who was on it, and what its trials found. */
export interface DoneRung {
  trials: RungTrials;
  results: TrialResult[];
}

/**
 * The best of a rung, the best of each family before its second ones, as far as the next rung's work reaches. One family's relatives err
 * alike: to an ensemble the others are worth more.
 */
export function promote(plan: Plan, done: DoneRung, lane: Lane): RungTrials {
  const next = done.trials.rung + 1;
  const rung = plan.rungs![next]!;
  const ranked = rankOf(plan, done).filter(({ perFold }) => perFold.length > 0);
  const seen = new Map<string, number>();
  const places = ranked.map((entry, rank) => {
    const place = seen.get(entry.family) ?? 0;
    seen.set(entry.family, place + 1);
    return { candidate: candidateOf(plan, entry), first: place === 0, rank };
  });
  const order = places.sort((a, b) => Number(b.first) - Number(a.first) || a.rank - b.rank).map(({ candidate }) => candidate);
  const tried = order.length > 0 ? order : plan.candidates;
  const cost = (candidate: Candidate) => rung.folds.length * rungWork(candidate, plan.shape!, rung);
  const room = rung.work * (rung.until === undefined ? 1 : overcommitted);
  // The best goes on even where it is dearer than was planned for.
  const [best, ...others] = tried as [Candidate, ...Candidate[]];
  const kept = cost(best) <= dearest * rung.work ? [best, ...fitting(others, cost, room - cost(best))] : within(tried, cost, rung.work);
  const byRank = kept.sort((a, b) => rankIn(ranked, a) - rankIn(ranked, b));
  return trialsOf(next, rung, byRank, plan.shape!, lane);
}

/** All candidates: those of the last rung first, and in a rung by score. */
export function boardOf(plan: Plan, rungs: DoneRung[]): Leaderboard {
  const entries: LeaderboardEntry[] = [];
  const placed = new Set<number>();
  for (const done of [...rungs].reverse())
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

function rankOf(plan: Plan, { trials, results }: DoneRung): LeaderboardEntry[] {
  const candidates = plan.candidates.filter(({ id }) => trials.candidates.includes(id));
  return select({ ...plan, candidates }, results).entries;
}

const candidateOf = (plan: Plan, { candidate }: LeaderboardEntry): Candidate => plan.candidates.find(({ id }) => id === candidate)!;
const rankIn = (ranked: LeaderboardEntry[], { id }: Candidate) => ranked.findIndex(({ candidate }) => candidate === id);
