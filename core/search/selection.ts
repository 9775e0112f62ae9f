import { familyOf } from '../models/families.ts';
import type { MetricName } from '../spec.ts';
import type { Scores } from './metrics.ts';
import { metrics } from './metrics.ts';
import type { Leaderboard, Plan, TrialResult } from './plan.ts';

/**
 * Ranks a plan's candidates by the mean of its metric over the folds. Equal means (to 12 digits, so that the order of a sum does not
 * decide) go to the candidate that is cheaper to keep and ask, then to the first. A candidate whose metric is not defined on some fold
 * comes last, and so does one that was tried on fewer folds than another, as a budget that is spent leaves it.
 * @param results of the plan's trials, in any order
 */
export function select(plan: Plan, results: TrialResult[]): Leaderboard {
  const { metric, candidates } = plan;
  const byFold = [...results].sort((a, b) => a.fold - b.fold);
  const sign = metrics[metric].better === 'higher' ? -1 : 1;
  const timesTried = new Map<number, number>();
  for (const { candidate } of results.flatMap(({ scores }) => scores)) timesTried.set(candidate, (timesTried.get(candidate) ?? 0) + 1);
  const most = Math.max(0, ...timesTried.values());
  const order = (id: number, mean: Scores) =>
    mean[metric] === undefined || timesTried.get(id) !== most ? Number.POSITIVE_INFINITY : sign * Number(mean[metric].toPrecision(12));
  const entries = candidates
    .map(({ id, family, params }) => {
      const scores = byFold.flatMap((result) => result.scores.filter(({ candidate }) => candidate === id).map((entry) => entry.scores));
      const names = (Object.keys(metrics) as MetricName[]).filter(
        (name) => scores.length > 0 && scores.every((of) => of[name] !== undefined),
      );
      const mean: Scores = {};
      const std: Scores = {};
      for (const name of names) {
        const values = scores.map((of) => of[name]!);
        const centre = values.reduce((a, b) => a + b, 0) / values.length;
        mean[name] = centre;
        std[name] = Math.sqrt(values.reduce((a, value) => a + (value - centre) ** 2, 0) / values.length);
      }
      const perFold = scores.flatMap((of) => of[metric] ?? []);
      return { rank: 0, candidate: id, family, params, mean, std, perFold };
    })
    .sort((a, b) => {
      const [x, y] = [order(a.candidate, a.mean), order(b.candidate, b.mean)];
      if (x !== y) return x - y;
      const cost = a.family === b.family ? familyOf(a.family).compareCost(a.params, b.params) : 0;
      return cost || a.candidate - b.candidate;
    })
    .map((entry, index) => ({ ...entry, rank: index + 1 }));
  return { metric, entries, best: entries[0]!.candidate };
}
