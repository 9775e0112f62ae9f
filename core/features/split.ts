/** Train and test rows: drawn by seed, before anything is fitted, with the classes in the same shares on both sides. */
import { IngotError } from '../errors.ts';
import type { Target } from '../models/model.ts';
import { Random } from '../random.ts';
import type { Frame } from '../table/frame.ts';
import type { EqualRows } from './equal-rows.ts';
import type { RowKeys } from './row-keys.ts';

/**
 * @param together rows that must not be parted: those with one first row all go where that goes, and the shares are kept a little less exactly
 * @param testFraction the share of rows to hold out; each class gives its share, rounded so that the whole is right (largest remainder)
 * @param by what ties rows together, if anything: then classes have no part in it
 * @returns row numbers, ascending. A class of one row stays in train; a class of more has a row on each side where the shares allow
 * @throws IngotError EmptyDataset where there are too few rows for both sides
 */
export function splitRows(
  target: Target,
  testFraction: number,
  seed: number,
  tied: { together?: EqualRows | undefined; by?: RowKeys | undefined } = {},
): { train: Int32Array; test: Int32Array } {
  const { together, by } = tied;
  if (by) return splitByKeys(by, testFraction, seed);
  const groups = target.task === 'classification' ? rowsByClass(target) : [new Int32Array(target.values.length).map((_, row) => row)];
  const rows = groups.reduce((sum, group) => sum + group.length, 0);
  const sizes = testSizes(
    groups.map((group) => group.length),
    testFraction,
  );
  const isTest = new Uint8Array(rows);
  groups.forEach((group, i) => {
    new Random(seed + i).shuffle(group);
    for (let k = 0; k < sizes[i]!; k++) isTest[group[k]!] = 1;
  });
  if (together) for (let row = 0; row < rows; row++) isTest[row] = isTest[together.first[row]!]!;
  const held = isTest.reduce((sum, side) => sum + side, 0);
  if (held === 0 || held === rows) {
    throw new IngotError('EmptyDataset', `${rows} rows are too few to train on some and test on others.`, {
      where: 'table',
      fix: 'Give at least ten rows, and at least two rows of a class.',
    });
  }
  const train = new Int32Array(rows - held);
  const test = new Int32Array(held);
  for (let row = 0, a = 0, b = 0; row < rows; row++) {
    if (isTest[row]) test[b++] = row;
    else train[a++] = row;
  }
  return { train, test };
}

/** Whole groups, drawn by seed, or the latest moments, until the share of the rows is reached. */
function splitByKeys({ by, keys }: RowKeys, testFraction: number, seed: number): { train: Int32Array; test: Int32Array } {
  const order = Int32Array.from(new Set(keys)).sort();
  if (by === 'time') order.reverse();
  else new Random(seed).shuffle(order);
  const counts = new Map<number, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  const held = new Set<number>();
  let rows = 0;
  for (const key of order) {
    if (rows >= keys.length * testFraction) break;
    held.add(key);
    rows += counts.get(key)!;
  }
  if (rows === keys.length) {
    throw new IngotError('EmptyDataset', `There is only one ${by === 'time' ? 'moment' : 'group'} to train and test on.`, {
      where: `dataset.json, field ${by}`,
      fix: 'Name a column with at least two values, or leave the field out.',
    });
  }
  const all = Int32Array.from(keys, (_, row) => row);
  return { train: all.filter((row) => !held.has(keys[row]!)), test: all.filter((row) => held.has(keys[row]!)) };
}

function rowsByClass({ labels, classes }: Extract<Target, { task: 'classification' }>): Int32Array[] {
  const counts = new Int32Array(classes);
  for (let row = 0; row < labels.length; row++) counts[labels[row]!]!++;
  const groups = Array.from(counts, (count) => new Int32Array(count));
  const filled = new Int32Array(classes);
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row]!;
    groups[label]![filled[label]!++] = row;
  }
  return groups;
}

/** How many rows of each group go to test. */
function testSizes(lengths: readonly number[], fraction: number): number[] {
  const most = lengths.map((length) => Math.max(0, length - 1));
  const sizes = lengths.map((length, i) => Math.min(most[i]!, Math.floor(length * fraction)));
  const total = Math.max(1, Math.round(lengths.reduce((sum, length) => sum + length, 0) * fraction));
  const remainder = (i: number) => (sizes[i]! === 0 ? 1 : 0) + lengths[i]! * fraction - Math.floor(lengths[i]! * fraction);
  const order = lengths.map((_, i) => i).sort((a, b) => remainder(b) - remainder(a) || a - b);
  let left = total - sizes.reduce((sum, size) => sum + size, 0);
  for (const i of order) {
    if (left <= 0) break;
    if (sizes[i]! >= most[i]!) continue;
    sizes[i]!++;
    left--;
  }
  return sizes;
}

/**
 * Exactly so many rows, drawn by seed, of each class in proportion and at least one; ascending (selection sampling: Fan, Muller and Rezucha 1962).
 */
export function sampleRows(target: Target, size: number, seed: number): Int32Array {
  const labels = target.task === 'classification' ? target.labels : new Int32Array(target.values.length);
  const left = new Int32Array(target.task === 'classification' ? target.classes : 1);
  for (const label of labels) left[label]!++;
  const wanted = sharesOf(left, size);
  const random = new Random(seed);
  const rows = new Int32Array(wanted.reduce((sum, count) => sum + count, 0));
  for (let row = 0, at = 0; row < labels.length; row++) {
    const label = labels[row]!;
    if (random.uniform() * left[label]!-- < wanted[label]!) {
      wanted[label]!--;
      rows[at++] = row;
    }
  }
  return rows;
}

/** So many, shared out in proportion (largest remainder), one at least of what is there. */
function sharesOf(counts: Int32Array, size: number): Int32Array {
  const all = counts.reduce((sum, count) => sum + count, 0);
  const exact = Array.from(counts, (count) => (count * size) / all);
  const shares = Int32Array.from(exact, (share, i) => (counts[i] === 0 ? 0 : Math.max(1, Math.floor(share))));
  const byRemainder = exact
    .map((_, i) => i)
    .sort((a, b) => exact[b]! - Math.floor(exact[b]!) - (exact[a]! - Math.floor(exact[a]!)) || a - b);
  let missing = size - shares.reduce((sum, share) => sum + share, 0);
  for (const i of byRemainder) {
    if (missing <= 0 || shares[i]! >= counts[i]!) continue;
    shares[i]!++;
    missing--;
  }
  return shares;
}

/** The given rows of a table, in that order. Dictionaries are shared. */
export function takeRows(frame: Frame, rows: Int32Array): Frame {
  return {
    rows: rows.length,
    columns: frame.columns.map((column) =>
      column.type === 'number'
        ? { ...column, values: gather<Float32Array | Float64Array>(column.values, rows, like(column.values, rows.length)) }
        : { ...column, codes: gather(column.codes, rows, new Int32Array(rows.length)) },
    ),
  };
}

/** The given rows of a target. */
export function takeTarget(target: Target, rows: Int32Array): Target {
  return target.task === 'classification'
    ? { ...target, labels: gather(target.labels, rows, new Int32Array(rows.length)) }
    : { task: 'regression', values: gather(target.values, rows, new Float64Array(rows.length)) };
}

const like = (values: Float32Array | Float64Array, length: number) =>
  values instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);

function gather<T extends Float32Array | Float64Array | Int32Array>(from: T, rows: Int32Array, into: T): T {
  for (let i = 0; i < rows.length; i++) into[i] = from[rows[i]!]!;
  return into;
}
