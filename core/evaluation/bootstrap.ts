/** How far held-out scores would move on other test rows: percentile intervals of the bootstrap (Efron 1979). */
import type { Answered } from '../answers/answers.ts';
import { takeTarget } from '../features/split.ts';
import type { Target } from '../models/model.ts';
import { Random } from '../random.ts';
import type { Scores } from '../search/metrics.ts';
import { score } from '../search/metrics.ts';
import type { MetricName } from '../spec.ts';
import { rowsOf, takeAnswers } from './rows.ts';

/** The share of intervals that hold a score's true value. */
export const confidence = 0.95;
/** Rows of a resample; of more rows, what fewer rows vary is scaled to all (Politis and Romano 1994). */
const mostRows = 5000;
/** Resamples: fewer where rows and classes are many. */
const resamples = { least: 50, most: 200, cells: 2e6 };

/**
 * @param isOver whether the time is over: then the resamples count that are done
 * @returns by metric: from, to; none where it is not defined on most resamples; undefined where there was no time
 */
export function bootstrapIntervals(
  truth: Target,
  answered: Answered,
  seed: number,
  isOver: () => boolean = () => false,
): Partial<Record<MetricName, [number, number]>> | undefined {
  const rows = rowsOf(truth);
  const drawn = Math.min(rows, mostRows);
  const outputs = answered.task === 'classification' ? answered.classes : 1;
  const count = Math.max(resamples.least, Math.min(resamples.most, Math.floor(resamples.cells / (drawn * outputs))));
  const random = new Random(seed);
  const scored: Scores[] = [];
  while (scored.length < count && !isOver()) {
    const chosen = Int32Array.from({ length: drawn }, () => random.below(rows));
    scored.push(scoreOf(takeTarget(truth, chosen), takeAnswers(answered, chosen)));
  }
  if (scored.length < resamples.least) return undefined;
  const whole = scoreOf(truth, answered);
  const shrink = Math.sqrt(drawn / rows);
  const intervals = Object.entries(whole).flatMap(([name, point]) => {
    const values = scored.flatMap((scores) => scores[name as MetricName] ?? []).sort((a, b) => a - b);
    if (values.length < scored.length / 2) return [];
    const at = (share: number) => point + (values[Math.round(share * (values.length - 1))]! - point) * shrink;
    return [[name, [at((1 - confidence) / 2), at((1 + confidence) / 2)]]];
  });
  return Object.fromEntries(intervals);
}

function scoreOf(truth: Target, answered: Answered): Scores {
  return score(truth, answered, answered.task === 'classification' ? answered.labels : undefined);
}
