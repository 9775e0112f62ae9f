/** Finds the weights of a decision for the metric, out of fold. */
import { mix32 } from '../random.ts';
import { confusionMatrix, labelScores, metrics } from '../search/metrics.ts';
import type { MetricName } from '../spec.ts';
import { type Decision, decide } from './decision.ts';

/** Metrics that depend on where labels change; of precision alone, the best is to name a class almost never. */
const tunable: ReadonlySet<MetricName> = new Set([
  'accuracy',
  'balancedAccuracy',
  'f1Macro',
  'f1Weighted',
  'mcc',
  'recallMacro',
  'recallWeighted',
]);
/** Thresholds of two classes that are looked at. */
const thresholds = 200;
/** Of more classes: weights are shares of the classes to these powers. */
const powers = [0, 0.25, 0.5, 0.75, 1];
const parts = 5;
const partSeed = 0xdec1;

/**
 * The weights with the best metric, where the gain on rows that they were not chosen on is more than its standard error.
 * @param probabilities out-of-fold, calibrated
 * @param start where nothing is gained: weights that the user gave to classes, or none
 */
export function fitDecision(
  metric: MetricName,
  probabilities: Float32Array,
  labels: Int32Array,
  classes: number,
  start?: Decision,
): Decision | undefined {
  if (!tunable.has(metric)) return start;
  const sign = metrics[metric].better === 'higher' ? 1 : -1;
  const candidates = classes === 2 ? thresholdWeights(probabilities) : shareWeights(labels, classes);
  const decided = candidates.map((weights) => decide(probabilities, classes, weights));
  const plain = decide(probabilities, classes, start);
  const scoreOf = (chosen: Int32Array, rows: (row: number) => boolean) => {
    const matrix = confusionMatrix(
      labels.filter((_, row) => rows(row)),
      chosen.filter((_, row) => rows(row)),
      classes,
    );
    return sign * (labelScores(matrix)[metric as keyof ReturnType<typeof labelScores>] ?? 0);
  };
  const bestOn = (rows: (row: number) => boolean) => {
    const scores = decided.map((chosen) => scoreOf(chosen, rows));
    const most = Math.max(...scores);
    // In the middle of those that are as good as the best, to stand far from what is worse.
    const equals = scores.flatMap((score, i) => (score >= most ? [i] : []));
    return equals[equals.length >> 1]!;
  };
  const gains = Array.from({ length: parts }, (_, part) => {
    const inPart = (row: number) => mix32(partSeed, row) % parts === part;
    return scoreOf(decided[bestOn((row) => !inPart(row))]!, inPart) - scoreOf(plain, inPart);
  });
  const mean = gains.reduce((a, b) => a + b, 0) / parts;
  const error = Math.sqrt(gains.reduce((sum, gain) => sum + (gain - mean) ** 2, 0)) / parts;
  return mean > error ? candidates[bestOn(() => true)] : start;
}

/** Thresholds between the probabilities of the second class that occur. */
function thresholdWeights(probabilities: Float32Array): Decision[] {
  const seconds = probabilities.filter((_, i) => i % 2 === 1).sort();
  const at = (share: number) => seconds[Math.min(seconds.length - 1, Math.floor(share * seconds.length))]!;
  const found = Array.from({ length: thresholds }, (_, i) => (at(i / thresholds) + at((i + 1) / thresholds)) / 2);
  return [...new Set([0.5, ...found])]
    .filter((t) => t > 0 && t < 1)
    .sort((a, b) => a - b)
    .map((t) => [Math.fround(t), Math.fround(1 - t)]);
}

function shareWeights(labels: Int32Array, classes: number): Decision[] {
  const counts = new Float64Array(classes);
  for (const label of labels) counts[label]! += 1;
  return powers.map((power) => Array.from(counts, (count) => Math.fround((labels.length / (classes * Math.max(1, count))) ** power)));
}
