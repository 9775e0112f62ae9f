/** What all candidates on the same train rows share. It follows from the rows alone, so that sharing it changes no candidate. */
import { bounded, largest } from '../exact/affine.ts';
import { columnOf } from '../lazy-matrix.ts';
import type { Matrix, Target } from '../model.ts';
import { Loss, type LossKind, type Rows } from './loss.ts';

export interface Design {
  loss: Loss;
  rows: Rows;
  /** The features that vary in the train rows; the others' coefficients are 0, which is their optimum beside an intercept. */
  varying: Int32Array;
  /** Of each of those, the largest finite absolute value. */
  largests: number[];
  /** The classes that are in the train rows. */
  present: Int32Array;
  /** The value of a regression is centre + spread × what the model says. */
  centre: number;
  spread: number;
}

/** @param rows those of x to train on, at least one */
export function makeDesign(x: Matrix, y: Target, rows: Int32Array, balanced: boolean): Design {
  const all = rows.length === x.rows;
  const count = rows.length;
  const columns: Float32Array[] = [];
  const varying: number[] = [];
  const means: number[] = [];
  const largests: number[] = [];
  for (let feature = 0; feature < x.columns; feature++) {
    const source = columnOf(x, feature);
    const own = all ? source : pickValues(source, rows);
    const most = largest(own);
    const column = bounded(own, most);
    if (!varies(column)) continue;
    varying.push(feature);
    columns.push(column);
    means.push(meanOf(column));
    largests.push(most);
  }
  const design = { varying: Int32Array.from(varying), largests, present: new Int32Array(), centre: 0, spread: 1 };
  const lossOf = (kind: LossKind, outputs: number) => new Loss(kind, outputs, Float64Array.from(means));
  if (y.task === 'regression') {
    const { centre, spread } = standard(y.values, rows);
    const targets = new Float64Array(count);
    for (let i = 0; i < count; i++) targets[i] = (y.values[rows[i]!]! - centre) / spread;
    return { ...design, centre, spread, loss: lossOf('squared', 1), rows: { columns, count, targets } };
  }
  const members = new Int32Array(y.classes);
  for (let i = 0; i < count; i++) members[y.labels[rows[i]!]!]!++;
  const present = Int32Array.from(members.keys()).filter((k) => members[k]! > 0);
  const place = members.map((_, k) => present.indexOf(k));
  const targets = new Float64Array(count);
  for (let i = 0; i < count; i++) targets[i] = place[y.labels[rows[i]!]!]!;
  const given = y.classWeights;
  const ofClass = (k: number) => (balanced ? count / (present.length * members[k]!) : 1) * (given ? given[k]! : 1);
  const asked = balanced || given ? Float64Array.from(rows, (row) => ofClass(y.labels[row]!)) : undefined;
  const weights = given && asked ? withMeanOne(asked) : asked;
  const loss = present.length <= 2 ? lossOf('logistic', 1) : lossOf('softmax', present.length);
  return { ...design, present, loss, rows: { columns, count, targets, weights } };
}

/** Weights whose mean is 1, so that a penalty is as strong as without them. */
function withMeanOne(weights: Float64Array): Float64Array {
  const mean = weights.reduce((a, b) => a + b, 0) / weights.length;
  return mean > 0 ? weights.map((weight) => weight / mean) : weights;
}

function pickValues(source: Float32Array, rows: Int32Array): Float32Array {
  const picked = new Float32Array(rows.length);
  for (let i = 0; i < rows.length; i++) picked[i] = source[rows[i]!]!;
  return picked;
}

function varies(column: Float32Array): boolean {
  for (let i = 1; i < column.length; i++) if (column[i] !== column[0]) return true;
  return false;
}

/** By four sums, for an addition waits for the one before. */
function meanOf(column: Float32Array): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (; i + 3 < column.length; i += 4) {
    a += column[i]!;
    b += column[i + 1]!;
    c += column[i + 2]!;
    d += column[i + 3]!;
  }
  for (; i < column.length; i++) a += column[i]!;
  return (a + b + (c + d)) / column.length;
}

function standard(values: Float64Array, rows: Int32Array): { centre: number; spread: number } {
  let sum = 0;
  for (let i = 0; i < rows.length; i++) sum += values[rows[i]!]!;
  const centre = sum / rows.length;
  let most = 0;
  for (let i = 0; i < rows.length; i++) most = Math.max(most, Math.abs(values[rows[i]!]! - centre));
  if (most === 0) return { centre, spread: 1 };
  // Relative to the largest, so that squares neither overflow nor vanish.
  let squares = 0;
  for (let i = 0; i < rows.length; i++) {
    const share = (values[rows[i]!]! - centre) / most;
    squares += share * share;
  }
  return { centre, spread: most * Math.sqrt(squares / rows.length) };
}

/** Every so manieth row, at most `limit` of them. */
export function thin(rows: Rows, limit: number): Rows {
  if (rows.count <= limit) return rows;
  const count = limit;
  const at = (i: number) => Math.floor((i * rows.count) / limit);
  const pick = (values: Float64Array) => Float64Array.from({ length: count }, (_, i) => values[at(i)]!);
  const weights = rows.weights && pick(rows.weights);
  const total = weights?.reduce((a, b) => a + b) ?? count;
  return {
    count,
    columns: rows.columns.map((column) => Float32Array.from({ length: count }, (_, i) => column[at(i)]!)),
    targets: pick(rows.targets),
    weights: weights?.map((weight) => (weight * count) / total),
  };
}
