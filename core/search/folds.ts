/** Cross-validation folds, as scikit-learn's StratifiedKFold and KFold mean them, shuffled by our own seed. */
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
 */
export function splitFolds(target: Target, folds: number, seed: number): Fold[] {
  const random = new Random(seed);
  const foldOf =
    target.task === 'classification'
      ? stratified(target.labels, target.classes, folds, random)
      : plain(target.values.length, folds, random);
  return Array.from({ length: folds }, (_, fold) => {
    const train: number[] = [];
    const valid: number[] = [];
    for (let row = 0; row < foldOf.length; row++) (foldOf[row] === fold ? valid : train).push(row);
    return { train: Int32Array.from(train), valid: Int32Array.from(valid) };
  });
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
