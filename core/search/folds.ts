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
  const random = new Random(seed);
  const foldOf = by
    ? wholeGroups(by.keys, folds, random)
    : target.task === 'classification'
      ? stratified(target.labels, target.classes, folds, random)
      : plain(target.values.length, folds, random);
  return Array.from({ length: folds }, (_, fold) => {
    const train: number[] = [];
    const valid: number[] = [];
    for (let row = 0; row < foldOf.length; row++) (foldOf[row] === fold ? valid : train).push(row);
    return { train: Int32Array.from(train), valid: Int32Array.from(valid) };
  });
}

/** One of a plan's folds; without rows where moments are too few for as many folds. */
export function foldOf(target: Target, { folds, seed }: { folds: number; seed: number }, fold: number, by?: RowKeys): Fold {
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
  const order = Int32Array.from(keys, (_, row) => row).sort((a, b) => keys[a]! - keys[b]! || a - b);
  const part = new Int32Array(keys.length);
  order.forEach((row, place) => {
    const before = order[place - 1];
    const tied = before !== undefined && keys[before] === keys[row];
    part[row] = tied ? part[before]! : Math.floor((place * (folds + 1)) / keys.length);
  });
  const all = Int32Array.from(keys, (_, row) => row);
  return Array.from({ length: folds }, (_, fold) => ({
    train: all.filter((row) => part[row]! <= fold),
    valid: all.filter((row) => part[row] === fold + 1),
  })).filter(({ train, valid }) => train.length > 0 && valid.length > 0);
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
  const members = Array.from({ length: classes }, () => [] as number[]);
  for (let row = 0; row < labels.length; row++) members[labels[row]!]!.push(row);
  const foldOf = new Int32Array(labels.length);
  // Dealing the rows, sorted by class, to the folds in turn makes both the folds and the classes in them as even as can be.
  let dealt = 0;
  for (const rows of members) {
    const turns = random.shuffle(Int32Array.from(rows, () => dealt++ % folds));
    rows.forEach((row, i) => {
      foldOf[row] = turns[i]!;
    });
  }
  return foldOf;
}
