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
/** Fewer rows tell nothing of a metric on a fifth of them. */
const leastRows = 50;
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
  if (!tunable.has(metric) || labels.length < leastRows) return start;
  const candidates = classes === 2 ? thresholdWeights(probabilities) : shareWeights(labels, classes);
  const matrices =
    classes === 2
      ? thresholdMatrices(candidates, probabilities, labels)
      : candidates.map((weights) => matricesOf(decide(probabilities, classes, weights), labels, classes));
  const plain = matricesOf(decide(probabilities, classes, start), labels, classes);
  const sign = metrics[metric].better === 'higher' ? 1 : -1;
  const scoreOf = (matrix: number[][]) => sign * labelScores(matrix)[metric as keyof ReturnType<typeof labelScores>];
  const bestOf = (chosen: (part: number) => boolean) => {
    const scores = matrices.map((byPart) => scoreOf(sumOf(byPart.filter((_, part) => chosen(part)))));
    const most = Math.max(...scores);
    // In the middle of those that are as good as the best, to stand far from what is worse.
    const equals = scores.flatMap((score, i) => (score >= most ? [i] : []));
    return equals[equals.length >> 1]!;
  };
  const gains = plain.map((own, part) => scoreOf(matrices[bestOf((other) => other !== part)]![part]!) - scoreOf(own));
  const mean = gains.reduce((a, b) => a + b, 0) / parts;
  const error = Math.sqrt(gains.reduce((sum, gain) => sum + (gain - mean) ** 2, 0)) / parts;
  return mean > error ? candidates[bestOf(() => true)] : start;
}

const partOf = (row: number) => mix32(partSeed, row) % parts;

/** The confusion matrix of each part of the rows. */
export function matricesOf(decided: Int32Array, labels: Int32Array, classes: number): number[][][] {
  const byPart = Array.from({ length: parts }, () => confusionMatrix(new Int32Array(), new Int32Array(), classes));
  labels.forEach((label, row) => {
    byPart[partOf(row)]![label]![decided[row]!]! += 1;
  });
  return byPart;
}

/**
 * The same for each of many thresholds of two classes. A row is of the second class up to some threshold, and of the first from there on: rounded
 * products rise and fall as the weights do. So each row is looked at once.
 * @param thresholds ascending
 */
export function thresholdMatrices(thresholds: readonly Decision[], probabilities: Float32Array, labels: Int32Array): number[][][][] {
  const [first, second] = [0, 1].map((k) => Float32Array.from(thresholds, (weights) => weights[k]!)) as [Float32Array, Float32Array];
  /** [part][label]: rows by the number of thresholds under which they are of the second class. */
  const counts = Array.from({ length: parts }, () => [0, 1].map(() => new Int32Array(thresholds.length + 1)));
  for (let row = 0; row < labels.length; row++) {
    let low = 0;
    for (let high = thresholds.length; low < high; ) {
      const at = (low + high) >>> 1;
      if (Math.fround(probabilities[2 * row + 1]! * second[at]!) > Math.fround(probabilities[2 * row]! * first[at]!)) low = at + 1;
      else high = at;
    }
    counts[partOf(row)]![labels[row]!]![low]! += 1;
  }
  const all = counts.map((ofPart) => ofPart.map((own) => own.reduce((sum, count) => sum + count, 0)));
  const firsts = counts.map((ofPart) => ofPart.map(() => 0));
  return thresholds.map((_, at) =>
    counts.map((ofPart, part) =>
      ofPart.map((own, label) => {
        firsts[part]![label]! += own[at]!;
        return [firsts[part]![label]!, all[part]![label]! - firsts[part]![label]!];
      }),
    ),
  );
}

function sumOf(matrices: readonly number[][][]): number[][] {
  return matrices.reduce((sum, matrix) => sum.map((row, i) => row.map((count, k) => count + matrix[i]![k]!)));
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
