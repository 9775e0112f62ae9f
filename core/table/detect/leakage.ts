/**
 * Columns that give the target away, which no honest model may use: copies of it under other names, the same numbers in another scale, and columns
 * that are filled only once the target is known. The last show by a nearly perfect score that no other column comes near; a column that is merely
 * good is left alone (the best of breast_cancer has an AUC of 0.97 by itself).
 */
import { createHash } from 'node:crypto';
import type { CleanReport, Leak } from '../report.ts';
import { codesOf, ranksOf, type Sampled } from './sample.ts';
import { balancedAccuracy, explained } from './single-column.ts';

/** With fewer rows, chance makes perfect columns. */
export const fewestRows = 50;
/** Two classes at least must have this many rows. */
const fewestOfClass = 5;
/** Spearman's correlation from which two columns are in one order, but for rounding. */
const sameOrder = 0.999;
/** A column is nearly perfect from this score, */
const perfect = { classification: 0.99, regression: 0.98 };
/** and far above the others where the best of them misses at least this much, */
const missed = { classification: 0.08, regression: 0.1 };
/** and this many times what the column itself misses. */
const times = 5;

/**
 * @param features columns of a sample, and `target` the target's of the same rows
 * @returns the leaks by column name, the sure ones (copies, orders) before the likely ones
 */
export function findLeaks(task: CleanReport['task'], target: Sampled, features: Sampled[]): Map<string, Leak> {
  const leaks = new Map<string, Leak>();
  const rows = target.values.length;
  if (rows < fewestRows) return leaks;
  const labels = codesOf(target.values);
  const ranks = ranksOf(target.values);
  for (const column of features) {
    const sure = copyOf(column, target, labels) ?? (task === 'regression' ? monotoneOf(column, ranks) : undefined);
    if (sure !== undefined) leaks.set(column.name, sure);
  }
  const measure = task === 'classification' ? 'balanced accuracy' : 'R² of ranks';
  const score = (column: Sampled) =>
    task === 'classification' ? balancedAccuracy(column, labels.codes, labels.distinct) : explained(column, ranks);
  const scores = features.filter(({ name }) => !leaks.has(name)).map((column) => ({ name: column.name, score: score(column) }));
  const above = scores.filter((column) => column.score >= perfect[task]);
  const next = scores.reduce((best, column) => (above.includes(column) ? best : Math.max(best, column.score)), -Infinity);
  if (above.length > scores.length / 2 || 1 - next < missed[task]) return leaks;
  for (const { name, score } of above) {
    if (1 - next >= times * (1 - score)) leaks.set(name, { kind: 'afterwards', measure, score, next, rows });
  }
  return leaks;
}

/** A value of the column for each of the target, and one of the target for each of the column, in all rows that have both. */
function copyOf(column: Sampled, target: Sampled, labels: { codes: Int32Array; distinct: number }): Leak | undefined {
  const rows = [...labels.codes.keys()].filter((row) => labels.codes[row]! >= 0 && !Number.isNaN(column.values[row]!));
  if (rows.length < fewestRows) return undefined;
  const toColumn = new Map<number, number>();
  const toTarget = new Map<number, number>();
  const counts = new Map<number, number>();
  for (const row of rows) {
    const [label, value] = [labels.codes[row]!, column.values[row]!];
    if ((toColumn.get(label) ?? value) !== value || (toTarget.get(value) ?? label) !== label) return undefined;
    toColumn.set(label, value);
    toTarget.set(value, label);
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  const copy: Leak = { kind: 'copy', measure: 'agreement', score: 1, rows: rows.length };
  const large = [...counts.values()].filter((count) => count >= fewestOfClass).length;
  // Where nearly each row has a value of its own, any two columns go together: then the numbers themselves must be the same.
  if (large >= 2 && counts.size <= rows.length / 2) return copy;
  const equal = column.isNumber && target.isNumber && rows.every((row) => column.values[row] === target.values[row]);
  return equal ? copy : undefined;
}

/** Numbers in the target's order or its reverse, by Spearman's rank correlation over the rows that have both. */
function monotoneOf(column: Sampled, ranks: Float64Array): Leak | undefined {
  if (!column.isNumber) return undefined;
  const rows = [...ranks.keys()].filter((row) => !Number.isNaN(ranks[row]!) && !Number.isNaN(column.values[row]!));
  if (rows.length < fewestRows) return undefined;
  const score = correlation(
    ranksOf(Float64Array.from(rows, (row) => column.values[row]!)),
    ranksOf(Float64Array.from(rows, (row) => ranks[row]!)),
  );
  return Math.abs(score) < sameOrder ? undefined : { kind: 'monotone', measure: 'Spearman correlation', score, rows: rows.length };
}

function correlation(x: Float64Array, y: Float64Array): number {
  // Mean ranks are 1/2 on both sides, whatever the ties.
  let [xx, yy, xy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    xx += (x[i]! - 0.5) ** 2;
    yy += (y[i]! - 0.5) ** 2;
    xy += (x[i]! - 0.5) * (y[i]! - 0.5);
  }
  return xx === 0 || yy === 0 ? 0 : xy / Math.sqrt(xx * yy);
}

/** Features that equal an earlier one in every row, up to other names for their values: name → the earlier one's. */
export function findSame(features: Sampled[]): Map<string, string> {
  const same = new Map<string, string>();
  const seen = new Map<string, string>();
  for (const { name, values } of features) {
    if (values.length < fewestRows) break;
    const { codes, distinct } = codesOf(values);
    const counts = new Int32Array(distinct);
    for (const code of codes) if (code >= 0) counts[code]!++;
    // A column that hardly ever leaves its one value equals many others.
    if (
      counts.filter((count) => count > 0).length < 2 ||
      values.length - counts.reduce((most, count) => Math.max(most, count), 0) < fewestOfClass
    )
      continue;
    const key = distinct <= values.length / 2 ? hashOf('codes', codes) : hashOf('values', values);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, name);
    else same.set(name, first);
  }
  return same;
}

const hashOf = (what: string, values: Int32Array | Float64Array) =>
  `${what} ${createHash('sha256')
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest('base64')}`;
