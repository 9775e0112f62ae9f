/**
 * Rows that are likely mislabelled, by confident learning (Northcutt, Jiang and Chuang 2021): a forest that has not seen a row says with at least the
 * confidence that the rows of another class have on average that it belongs to that class. Classification alone.
 */
import { fitCurve, readerOf } from '../answers/isotonic.ts';
import { coreSecondsOf } from '../compute/work.ts';
import { familyOf } from '../models/families.ts';
import type { Matrix, Target } from '../models/model.ts';
import { Random } from '../random.ts';
import { outOfFold } from './out-of-fold.ts';

export interface SuspiciousLabel {
  /** Row of the table, from 0. */
  row: number;
  given: number;
  suggested: number;
  /** The probability of the suggested class. */
  confidence: number;
}

export interface SuspiciousLabels {
  /** The surest first: by the probability of the suggested class less that of the given one. */
  labels: SuspiciousLabel[];
  /** How many rows were looked at. */
  of: number;
}

/** So many rows are looked at, drawn by seed, and fewer where they are wide: that takes some seconds of one core. */
export const mostRows = 30_000;
const mostCells = 3_000_000;
const fewestRows = 50;
const folds = 5;
const params = { nEstimators: 100, minSamplesLeaf: 2 };
/** Core seconds of the forests, by estimate: of many classes there are fewer trees, as a cut is looked for in each class. */
const mostSeconds = 12;
const fewestTrees = 25;
/** Where classes are so easy to tell that a forest is nearly always certain, this much is enough. */
const sureEnough = 0.7;
/**
 * And only where rows that the forest is as sure of bear the label that it says this often: where many do not, the target is noisy, and no label by
 * itself is wrong.
 */
const leastTrust = 0.85;
/** With fewer rows of a class, nobody knows what is normal. */
const fewestOfClass = 10;

/** The rows to look at, ascending; none where there are too few to learn from. @param width features, and classes twice */
export function rowsToDoubt(rows: number, width: number, seed: number): Int32Array {
  if (rows < fewestRows) return new Int32Array();
  const most = Math.min(mostRows, Math.max(1000, Math.floor(mostCells / width)));
  const all = Int32Array.from({ length: rows }, (_, row) => row);
  return rows <= most ? all : new Random(seed).shuffle(all).slice(0, most).sort();
}

/** @param rows the table's row of each row of x and y */
export async function findSuspiciousLabels(
  x: Matrix,
  y: Extract<Target, { task: 'classification' }>,
  rows: Int32Array,
  context: { seed: number; workers: number },
): Promise<SuspiciousLabels> {
  const forest = { family: 'forest', params: { ...params, nEstimators: treesFor(x, y.classes) } };
  const predictions = await outOfFold({ folds, seed: context.seed }, forest, x, y, { workers: context.workers });
  if (predictions.task !== 'classification') throw new TypeError('a classification was answered as a regression');
  const { probabilities } = predictions;
  const { labels, classes } = y;
  const sums = new Float64Array(classes);
  const counts = new Int32Array(classes);
  for (const [row, label] of labels.entries()) {
    sums[label]! += probabilities[row * classes + label]!;
    counts[label]!++;
  }
  const usual = sums.map((sum, label) => (counts[label]! < fewestOfClass ? Infinity : Math.min(sureEnough, sum / counts[label]!)));
  const suggestions = Int32Array.from(labels, (_, at) => likeliest(probabilities.subarray(at * classes, (at + 1) * classes)));
  const trusted = trustOf(probabilities, suggestions, labels, classes);
  const found: (SuspiciousLabel & { margin: number })[] = [];
  for (const [at, given] of labels.entries()) {
    const of = probabilities.subarray(at * classes, (at + 1) * classes);
    const suggested = suggestions[at]!;
    if (suggested === given || of[suggested]! < usual[suggested]! || trusted[at]! < leastTrust) continue;
    found.push({ row: rows[at]!, given, suggested, confidence: of[suggested]!, margin: of[suggested]! - of[given]! });
  }
  found.sort((a, b) => b.margin - a.margin || a.row - b.row);
  return { labels: found.map(({ margin: _, ...label }) => label), of: labels.length };
}

function treesFor({ rows, columns }: Matrix, classes: number): number {
  const valid = Math.ceil(rows / folds);
  const fold = coreSecondsOf('forest', { rows: rows - valid, features: columns, classes }, [familyOf('forest').parse(params)], valid);
  return Math.max(fewestTrees, Math.min(params.nEstimators, Math.floor((params.nEstimators * mostSeconds) / (folds * fold.point))));
}

const likeliest = (of: Float32Array) => of.reduce((best, probability, label) => (probability > of[best]! ? label : best), 0);

/** How often rows of which the forest is as sure bear the label that it suggests. */
function trustOf(probabilities: Float32Array, suggestions: Int32Array, labels: Int32Array, classes: number): Float32Array {
  const sure = Float32Array.from(suggestions, (label, at) => probabilities[at * classes + label]!);
  const agrees = labels.map((label, at) => (label === suggestions[at] ? 1 : 0));
  return sure.map(readerOf(fitCurve(sure, agrees)));
}
