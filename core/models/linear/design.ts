/** What all candidates on the same train rows share. It follows from the rows alone, so that sharing it changes no candidate. */
import type { Matrix, Target } from '../model.ts';
import { Loss, type LossKind, type Rows } from './loss.ts';

export interface Design {
  loss: Loss;
  rows: Rows;
  /** The features that vary in the train rows; the others' coefficients are 0, which is their optimum beside an intercept. */
  varying: Int32Array;
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
  for (let feature = 0; feature < x.columns; feature++) {
    const source = x.data.subarray(feature * x.rows, (feature + 1) * x.rows);
    const column = all ? source : Float32Array.from(rows, (row) => source[row]!);
    let sum = 0;
    let varies = false;
    for (let i = 0; i < count; i++) {
      sum += column[i]!;
      if (column[i] !== column[0]) varies = true;
    }
    if (!varies) continue;
    varying.push(feature);
    columns.push(column);
    means.push(sum / count);
  }
  const design = { varying: Int32Array.from(varying), present: new Int32Array(), centre: 0, spread: 1 };
  const lossOf = (kind: LossKind, outputs: number) => new Loss(kind, outputs, Float64Array.from(means));
  if (y.task === 'regression') {
    const { centre, spread } = standard(y.values, rows);
    const targets = Float64Array.from(rows, (row) => (y.values[row]! - centre) / spread);
    return { ...design, centre, spread, loss: lossOf('squared', 1), rows: { columns, count, targets } };
  }
  const members = new Int32Array(y.classes);
  for (const row of rows) members[y.labels[row]!]!++;
  const present = Int32Array.from(members.keys()).filter((k) => members[k]! > 0);
  const place = new Map(Array.from(present, (k, i) => [k, i]));
  const targets = Float64Array.from(rows, (row) => place.get(y.labels[row]!)!);
  const weights = balanced ? Float64Array.from(rows, (row) => count / (present.length * members[y.labels[row]!]!)) : undefined;
  const loss = present.length <= 2 ? lossOf('logistic', 1) : lossOf('softmax', present.length);
  return { ...design, present, loss, rows: { columns, count, targets, weights } };
}

function standard(values: Float64Array, rows: Int32Array): { centre: number; spread: number } {
  let sum = 0;
  for (const row of rows) sum += values[row]!;
  const centre = sum / rows.length;
  let most = 0;
  for (const row of rows) most = Math.max(most, Math.abs(values[row]! - centre));
  if (most === 0) return { centre, spread: 1 };
  // Relative to the largest, so that squares neither overflow nor vanish.
  let squares = 0;
  for (const row of rows) squares += ((values[row]! - centre) / most) ** 2;
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
