/** Cross-validation folds, as scikit-learn's StratifiedKFold and KFold mean them, shuffled by our own seed. */

import type { RowKeys } from '../features/row-keys.ts';
import type { Target } from '../models/model.ts';
import { Random } from '../random.ts';
import type { DatasetSpec } from '../spec.ts';

const defaultFolds = 5;

/** How many folds a search has; fewer than asked for where there are fewer rows. */
export const foldCount = ({ folds = defaultFolds }: DatasetSpec, rows: number) => Math.max(2, Math.min(folds, rows));

/** Row numbers, ascending; every row is in `valid` of exactly one fold. */
export interface Fold {
  train: Int32Array;
  valid: Int32Array;
}

/**
 * Splits the rows: stratified for classification, plain for regression.
 * A class with fewer members than folds is simply absent from the validation rows of some of them.
 * @param folds at least 2 and at most the number of rows
 * @param by what ties rows together: whole groups are in one fold; of time, a fold is trained on what comes before its validation rows
 */
export function splitFolds(target: Target, folds: number, seed: number, by?: RowKeys): Fold[] {
  if (by?.by === 'time') return forward(by.keys, folds);
  const foldOf = foldsOf(target, folds, seed, by);
  return Array.from({ length: folds }, (_, fold) => foldIn(foldOf, fold));
}

/** The fold of each row in which it is validated; where time splits them, of those that none validates, the first. */
export function foldsOf(target: Target, folds: number, seed: number, by?: RowKeys): Int32Array {
  if (by?.by === 'time') return timeParts(by.keys, folds).map((part) => Math.max(0, part - 1));
  const random = new Random(seed);
  if (by) return wholeGroups(by.keys, folds, random);
  return target.task === 'classification'
    ? stratified(target.labels, target.classes, folds, random)
    : plain(target.values.length, folds, random);
}

function foldIn(foldOf: Int32Array, fold: number): Fold {
  const valid = foldOf.reduce((count, own) => count + (own === fold ? 1 : 0), 0);
  const rows: Fold = { train: new Int32Array(foldOf.length - valid), valid: new Int32Array(valid) };
  for (let row = 0, a = 0, b = 0; row < foldOf.length; row++) {
    if (foldOf[row] === fold) rows.valid[b++] = row;
    else rows.train[a++] = row;
  }
  return rows;
}

/** One of a plan's folds; without rows where moments are too few for as many folds. */
export function foldOf(target: Target, { folds, seed }: { folds: number; seed: number }, fold: number, by?: RowKeys): Fold {
  if (by?.by !== 'time') return foldIn(foldsOf(target, folds, seed, by), fold);
  return splitFolds(target, folds, seed, by)[fold] ?? { train: new Int32Array(), valid: new Int32Array() };
}

/** The largest groups first, each to the fold that has the fewest rows; groups of one size in an order by seed. */
function wholeGroups(keys: Int32Array, folds: number, random: Random): Int32Array {
  const counts = new Map<number, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  const order = random.shuffle(Int32Array.from(counts.keys()).sort());
  const rows = new Array<number>(folds).fill(0);
  const foldOf = new Map<number, number>();
  for (const key of [...order].sort((a, b) => counts.get(b)! - counts.get(a)!)) {
    const fold = rows.indexOf(Math.min(...rows));
    foldOf.set(key, fold);
    rows[fold]! += counts.get(key)!;
  }
  return keys.map((key) => foldOf.get(key)!);
}

/** As scikit-learn's TimeSeriesSplit, but that equal moments stay together: folds + 1 parts of about one size, each but the first validated once. */
function forward(keys: Int32Array, folds: number): Fold[] {
  const part = timeParts(keys, folds);
  const all = Int32Array.from(keys, (_, row) => row);
  return Array.from({ length: folds }, (_, fold) => ({
    train: all.filter((row) => part[row]! <= fold),
    valid: all.filter((row) => part[row] === fold + 1),
  })).filter(({ train, valid }) => train.length > 0 && valid.length > 0);
}

/** The part of each row, from 0 to `folds`. */
function timeParts(keys: Int32Array, folds: number): Int32Array {
  const order = Int32Array.from(keys, (_, row) => row).sort((a, b) => keys[a]! - keys[b]! || a - b);
  const part = new Int32Array(keys.length);
  order.forEach((row, place) => {
    const before = order[place - 1];
    const tied = before !== undefined && keys[before] === keys[row];
    part[row] = tied ? part[before]! : Math.floor((place * (folds + 1)) / keys.length);
  });
  return part;
}

function plain(rows: number, folds: number, random: Random): Int32Array {
  const order = random.shuffle(Int32Array.from({ length: rows }, (_, row) => row));
  const foldOf = new Int32Array(rows);
  // The first rows % folds folds have one row more.
  const small = Math.floor(rows / folds);
  const large = rows % folds;
  for (let position = 0; position < rows; position++) {
    const inLarge = position < large * (small + 1);
    foldOf[order[position]!] = inLarge ? Math.floor(position / (small + 1)) : large + Math.floor((position - large * (small + 1)) / small);
  }
  return foldOf;
}

function stratified(labels: Int32Array, classes: number, folds: number, random: Random): Int32Array {
  const foldOf = new Int32Array(labels.length);
  // Dealing the rows, sorted by class, to the folds in turn makes both the folds and the classes in them as even as can be.
  const counts = new Int32Array(classes);
  for (const label of labels) counts[label]!++;
  let dealt = 0;
  const turns = Array.from(counts, (count) => random.shuffle(Int32Array.from({ length: count }, () => dealt++ % folds)));
  const seen = new Int32Array(classes);
  for (let row = 0; row < labels.length; row++) foldOf[row] = turns[labels[row]!]![seen[labels[row]!]!++]!;
  return foldOf;
}
