/**
 * Which crosses of numbers pay for themselves. A quick boosting answers each fold's rows without having seen them; crosses are ranked by how much of
 * what it missed they explain; and the best few are kept where the same boosting, given them, errs less on the same folds.
 */

import type { Shape } from '../compute/estimator.ts';
import { coreSecondsOf } from '../compute/work.ts';
import { crossValues, groupingOf, imputed } from '../features/cross.ts';
import { type Cross, crossOperations } from '../features/fitted-cross.ts';
import type { Preprocess } from '../features/preprocess.ts';
import { takeTarget } from '../features/split.ts';
import { transformTrain, withCrosses } from '../features/tabular.ts';
import { type Learning, responseOf, toldClasses } from '../features/target-encoding.ts';
import { familyOf } from '../models/families.ts';
import type { Params, Predictions } from '../models/model.ts';
import type { Frame } from '../table/frame.ts';
import type { RowSource } from '../table/stored-table.ts';
import { score } from './metrics.ts';

/** Of fewer rows the choice would be chance. */
const fewestRows = 2000;
/** The check takes some rows, evenly spread, of at most so many features altogether. */
const mostCells = 500_000;
const mostRows = 20_000;
/** Numbers of which all pairs are tried: those that say most of the target, or of what was missed. */
const mostNumbers = 12;
/** Categories within which numbers are looked at. */
const mostCategories = 8;
const mostValues = 5000;
const mostCrosses = 8;
const folds = 3;
/** The loss must be less by this share, and less in each fold. */
const leastGain = 0.005;
const bins = 16;
const boosting = familyOf('boosting');
const quick = { nEstimators: 60, learningRate: 0.15, maxLeaves: 15 };
/** The check is made without crosses and with them. */
const checks = 2;
/** Core seconds that the checks may take, where nothing else is said; of fewer rounds than the fewest the choice would be chance. */
const usualSeconds = 5;
const fewestRounds = 12;

/**
 * How much of the check there is work for: a class has trees of its own, so that of a hundred classes the rounds are fewer.
 * @param shape of all train rows
 * @param coreSeconds that it may take
 * @returns its rows and rounds, and the core seconds by estimate; undefined where it is not made
 */
export function checkOf(
  { rows, features, classes }: Shape,
  coreSeconds = usualSeconds,
): { rows: number; rounds: number; coreSeconds: number } | undefined {
  if (rows < fewestRows) return undefined;
  const most = Math.min(rows, Math.max(fewestRows, Math.min(mostRows, Math.floor(mostCells / features))));
  const own = Math.floor(most / folds);
  const { point } = coreSecondsOf('boosting', { rows: most - own, features, classes }, [boosting.parse(quick)], own);
  const whole = checks * folds * point;
  const rounds = Math.floor(quick.nEstimators * Math.min(1, coreSeconds / whole));
  return rounds < fewestRounds ? undefined : { rows: most, rounds, coreSeconds: (whole * rounds) / quick.nEstimators };
}

interface Context {
  seed: number;
  workers: number;
  /** That the checks may take. */
  coreSeconds?: number;
  /** Called now and then; what it throws comes out. */
  onProgress?: () => void;
}

/**
 * @param train the rows that the preprocessing was fitted on, some of which are taken
 * @returns the crosses to keep, none where they don't help or there are few rows; the same whatever the workers
 */
export async function chooseCrosses(preprocess: Preprocess, train: RowSource, learning: Learning, context: Context): Promise<Cross[]> {
  const numeric = preprocess.columns.flatMap(({ type }, column) => (type === 'number' ? [column] : []));
  const isAlone = numeric.length === 1 && !preprocess.columns.some((fitted) => groupingOf(fitted));
  const { target } = learning;
  const shape = { rows: train.rows, features: preprocess.features.length, classes: target.task === 'classification' ? target.classes : 0 };
  const planned = checkOf(shape, context.coreSeconds);
  if (!planned || numeric.length === 0 || isAlone) return [];
  const params = boosting.parse({ ...quick, nEstimators: planned.rounds });
  const rows = everyNth(train.rows, Math.ceil(train.rows / planned.rows));
  const frame = await train.take(rows);
  const sample: Learning = { target: takeTarget(target, rows), foldOf: rows.map((row) => learning.foldOf[row]!) };
  const before = await check(preprocess, frame, sample, params, context);

  const byName = new Map(frame.columns.map((column) => [column.name, column]));
  const rowsOf = (column: number) => byName.get(preprocess.columns[column]!.name)!;
  const values = new Map(numeric.map((column) => [column, imputed(preprocess.columns, column, rowsOf)]));
  const told = sample.target.task === 'regression' ? (['value'] as const) : toldClasses(sample.target);
  const responses = told.map((of) => responseOf(sample.target, of));
  const missed = told.map((of, i) => responses[i]!.map((value, row) => value - answerOf(before.answers, of, row)));
  const explains = (x: Float32Array, of: Float64Array[]) => Math.max(...of.map((response) => explained(x, response)));
  const strongest = numeric
    .map((column) => ({ column, share: explains(values.get(column)!, [...responses, ...missed]) }))
    .sort((a, b) => b.share - a.share || a.column - b.column)
    .slice(0, mostNumbers)
    .map(({ column }) => column);
  const alone = new Map(strongest.map((column) => [column, explains(values.get(column)!, missed)]));
  const categories = preprocess.columns
    .flatMap((fitted, column) => ((groupingOf(fitted)?.values ?? Infinity) <= mostValues ? [column] : []))
    .slice(0, mostCategories);
  const crosses = [...pairsOf(strongest), ...withinOf(strongest, categories)]
    .map((cross) => {
      const share = explains(crossValues(cross, preprocess.columns, rowsOf), missed);
      return { cross, gain: share - Math.max(alone.get(cross.a)!, alone.get(cross.b) ?? 0) };
    })
    .filter(({ gain }) => gain > 2 / frame.rows)
    .sort((x, y) => y.gain - x.gain)
    .slice(0, mostCrosses)
    .map(({ cross }) => cross);
  if (crosses.length === 0) return [];
  const after = await check(withCrosses(preprocess, crosses, frame), frame, sample, params, context);
  const pays = sum(after.losses) < (1 - leastGain) * sum(before.losses) && after.losses.every((loss, fold) => loss < before.losses[fold]!);
  return pays ? crosses : [];
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

const everyNth = (rows: number, step: number) => Int32Array.from({ length: Math.floor((rows - 1) / step) + 1 }, (_, i) => i * step);

/** Differences, products and ratios both ways. */
function pairsOf(columns: readonly number[]): Cross[] {
  const pairs = columns.flatMap((a, i) => columns.slice(i + 1).map((b) => [a, b] as const));
  const operations = crossOperations.filter((operation) => operation !== 'within');
  return pairs.flatMap(([a, b]) => [...operations.map((operation): Cross => ({ operation, a, b })), { operation: 'over', a: b, b: a }]);
}

const withinOf = (numbers: readonly number[], categories: readonly number[]): Cross[] =>
  categories.flatMap((b) => numbers.map((a) => ({ operation: 'within' as const, a, b })));

/** The quick boosting's loss on each fold, and its answers to all rows that were in one. */
async function check(
  preprocess: Preprocess,
  frame: Frame,
  learning: Learning,
  params: Params,
  context: Context,
): Promise<{ losses: number[]; answers: Predictions }> {
  const x = transformTrain(preprocess, frame, learning);
  const { target } = learning;
  const width = target.task === 'classification' ? target.classes : 1;
  const all = new Float32Array(frame.rows * width);
  const losses: number[] = [];
  for (let fold = 0; fold < folds; fold++) {
    const isOwn = (row: number) => learning.foldOf[row]! % folds === fold;
    const [own, others] = [true, false].map((is) => everyNth(frame.rows, 1).filter((row) => isOwn(row) === is)) as [Int32Array, Int32Array];
    if (own.length === 0 || others.length === 0) continue;
    for await (const { predictions } of boosting.predictGrid(x, target, others, own, [params], context)) {
      const scores = score(takeTarget(target, own), predictions);
      losses.push((predictions.task === 'classification' ? scores.logLoss : scores.rmse) ?? Infinity);
      const numbers = predictions.task === 'classification' ? predictions.probabilities : predictions.values;
      own.forEach((row, place) => {
        all.set(numbers.subarray(place * width, (place + 1) * width), row * width);
      });
    }
  }
  const answers: Predictions =
    target.task === 'classification' ? { task: 'classification', classes: width, probabilities: all } : { task: 'regression', values: all };
  return { losses, answers };
}

function answerOf(answers: Predictions, of: number | 'value', row: number): number {
  return answers.task === 'regression' ? answers.values[row]! : answers.probabilities[row * answers.classes + Number(of)]!;
}

/** The share of a response's variance that lies between the values' bins of equally many rows, less what chance gives. */
function explained(values: Float32Array, response: Float64Array): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  if (sorted.length === 0) return 0;
  const edges = Array.from({ length: bins - 1 }, (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / bins)]!);
  const counts = new Float64Array(bins);
  const sums = new Float64Array(bins);
  let total = 0;
  let squares = 0;
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    let bin = 0;
    while (bin < edges.length && value >= edges[bin]!) bin++;
    counts[bin]!++;
    sums[bin]! += response[row]!;
    total += response[row]!;
    squares += response[row]! ** 2;
  }
  const middle = total ** 2 / values.length;
  const variance = squares - middle;
  if (!(variance > 0)) return 0;
  const between = sums.reduce((partial, binSum, bin) => partial + (counts[bin] === 0 ? 0 : binSum ** 2 / counts[bin]!), 0) - middle;
  const filled = counts.reduce((count, own) => count + (own > 0 ? 1 : 0), 0);
  return between / variance - (filled - 1) / (values.length - 1);
}
