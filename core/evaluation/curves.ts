/** Curves of held-out answers that a page can draw: few points, whatever the number of rows. */
import type { Answered } from '../answers/answers.ts';
import type { Target } from '../models/model.ts';
import { drawRows } from './rows.ts';

const mostPoints = 60;
const mostClasses = 10;
const reliabilityBins = 10;
const scatterRows = 200;

export interface ClassCurves {
  class: string;
  /** [false positive rate, true positive rate], from [0, 0] to [1, 1]. */
  roc: [number, number][];
  /** [recall, precision], by rising recall. */
  precisionRecall: [number, number][];
  /** In bins of about as many rows each: mean predicted probability, observed share, rows. */
  calibration: { predicted: number; observed: number; rows: number }[];
}

/** Of two classes the second's; of more, each of the most frequent ones' against all others. */
export function classCurves(labels: Int32Array, probabilities: Float32Array, names: readonly string[]): ClassCurves[] {
  const classes = names.length;
  const counts = names.map((_, k) => labels.reduce((sum, label) => sum + Number(label === k), 0));
  const most = names.map((_, k) => k).sort((a, b) => counts[b]! - counts[a]! || a - b);
  const shown = classes === 2 ? [1] : most.slice(0, mostClasses).sort((a, b) => a - b);
  return shown
    .filter((k) => counts[k]! > 0 && counts[k]! < labels.length)
    .map((k) => {
      const scores = Float32Array.from(labels, (_, row) => probabilities[row * classes + k]!);
      const order = Array.from(labels.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
      return { class: names[k]!, ...ranked(order, scores, labels, k), calibration: reliability(order, scores, labels, k) };
    });
}

function ranked(order: number[], scores: Float32Array, labels: Int32Array, k: number): Pick<ClassCurves, 'roc' | 'precisionRecall'> {
  const positives = labels.reduce((sum, label) => sum + Number(label === k), 0);
  const negatives = labels.length - positives;
  const roc: [number, number][] = [[0, 0]];
  const precisionRecall: [number, number][] = [];
  let [right, wrong] = [0, 0];
  order.forEach((row, i) => {
    if (labels[row] === k) right++;
    else wrong++;
    // Rows of one score come together.
    if (i + 1 < order.length && scores[order[i + 1]!] === scores[row]) return;
    roc.push([wrong / negatives, right / positives]);
    precisionRecall.push([right / positives, right / (right + wrong)]);
  });
  return { roc: thin(roc).map(rounded), precisionRecall: thin(precisionRecall).map(rounded) };
}

function reliability(order: number[], scores: Float32Array, labels: Int32Array, k: number): ClassCurves['calibration'] {
  const bins = Math.min(reliabilityBins, Math.max(1, Math.floor(order.length / 10)));
  return Array.from({ length: bins }, (_, bin) => {
    const own = order.slice(Math.floor((bin * order.length) / bins), Math.floor(((bin + 1) * order.length) / bins));
    const mean = (of: (row: number) => number) => round(own.reduce((sum, row) => sum + of(row), 0) / own.length);
    return { predicted: mean((row) => scores[row]!), observed: mean((row) => Number(labels[row] === k)), rows: own.length };
  }).reverse();
}

/** [true value, answered value] of some rows, drawn by seed. */
export function scatter(
  truth: Extract<Target, { task: 'regression' }>,
  { values }: Extract<Answered, { task: 'regression' }>,
  seed: number,
): [number, number][] {
  return Array.from(drawRows(values.length, scatterRows, seed), (row) => [truth.values[row]!, values[row]!]);
}

/** At most `mostPoints` of the points, the first and the last among them. */
function thin<T>(points: T[]): T[] {
  if (points.length <= mostPoints) return points;
  return Array.from({ length: mostPoints }, (_, i) => points[Math.round((i * (points.length - 1)) / (mostPoints - 1))]!);
}

function rounded([x, y]: [number, number]): [number, number] {
  return [round(x), round(y)];
}

function round(value: number): number {
  return Math.round(value * 1e5) / 1e5;
}
