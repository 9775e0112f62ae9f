/** What all candidates on the same train rows share. It follows from the rows alone, so that sharing it changes no candidate. */
import { bounded } from '../exact/affine.ts';
import { columnOf } from '../lazy-matrix.ts';
import type { Matrix, Target } from '../model.ts';
import { look, singleProducts, standardise } from './column-loops.ts';
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
  /** Of the columns, an intercept's ones and the targets, once they are made (squares.ts). */
  products?: Float64Array;
  /** The same in float32, of a large table of numbers. */
  singleProducts?: Float64Array | undefined;
}

/** Up to as many columns their products are worth their time; a class's Hessian has its own. */
export const productColumns = 256;
/** From so many rows on it pays to go through them once. */
export const rowsOfOnePass = 2 ** 15;

/** @param rows those of x to train on, at least one; all where they are left out */
export function makeDesign(x: Matrix, y: Target, balanced: boolean, rows?: Int32Array): Design {
  const count = rows?.length ?? x.rows;
  const ownOf = (feature: number) => {
    const source = columnOf(x, feature);
    return rows ? pickValues(source, rows, new Float32Array(count)) : source;
  };
  let known: Float32Array[] = [];
  if (y.task === 'regression' && count >= rowsOfOnePass && x.columns <= productColumns) {
    known = Array.from({ length: x.columns }, (_, feature) => ownOf(feature));
    const found = inOnePass(known, rows ? pickValues(y.values, rows, new Float64Array(count)) : y.values);
    if (found) return found;
  }
  const columns: Float32Array[] = [];
  const varying: number[] = [];
  const means: number[] = [];
  const largests: number[] = [];
  for (let feature = 0; feature < x.columns; feature++) {
    const own = known[feature] ?? ownOf(feature);
    const seen = look(own);
    const column = seen.allFinite ? own : bounded(own, seen.largest);
    const { varies, mean } = seen.allFinite ? seen : look(column);
    if (!varies) continue;
    varying.push(feature);
    columns.push(column);
    means.push(mean);
    largests.push(seen.largest);
  }
  const design = { varying: Int32Array.from(varying), largests, present: new Int32Array(), centre: 0, spread: 1 };
  const lossOf = (kind: LossKind, outputs: number) => new Loss(kind, outputs, Float64Array.from(means));
  if (y.task === 'regression') {
    const targets = rows ? pickValues(y.values, rows, new Float64Array(count)) : y.values.slice();
    return { ...design, ...standardise(targets), loss: lossOf('squared', 1), rows: { columns, count, targets } };
  }
  const labels = rows ? Int32Array.from(rows, (row) => y.labels[row]!) : y.labels;
  const members = new Int32Array(y.classes);
  for (let i = 0; i < count; i++) members[labels[i]!]!++;
  const present = Int32Array.from(members.keys()).filter((k) => members[k]! > 0);
  const place = members.map((_, k) => present.indexOf(k));
  const targets = new Float64Array(count);
  for (let i = 0; i < count; i++) targets[i] = place[labels[i]!]!;
  const given = y.classWeights;
  const ofClass = (k: number) => (balanced ? count / (present.length * members[k]!) : 1) * (given ? given[k]! : 1);
  const asked = balanced || given ? Float64Array.from(labels, ofClass) : undefined;
  const weights = given && asked ? withMeanOne(asked) : asked;
  const loss = present.length <= 2 ? lossOf('logistic', 1) : lossOf('softmax', present.length);
  return { ...design, present, loss, rows: { columns, count, targets, weights } };
}

/**
 * Where all values are finite and float32 has their squares and the targets', as it nearly always has.
 * @param values what becomes the targets, once these are asked for
 */
function inOnePass(all: readonly Float32Array[], values: Float64Array): Design | undefined {
  const count = values.length;
  const { matrix, means, largests, ...scale } = singleProducts({ columns: all, count }, values);
  const size = all.length + 2;
  const squares = all.map((_, f) => matrix[f * (size + 1)]!);
  if (!squares.every((square, f) => (square > 0 ? square < Infinity : square === 0 && !look(all[f]!).varies))) return undefined;
  if (!Number.isFinite(scale.spread)) return undefined;
  const varying = Int32Array.from(squares.keys()).filter((f) => squares[f]! > 0);
  const columns = Array.from(varying, (f) => all[f]!);
  let targets: Float64Array | undefined;
  const rows = {
    ...{ columns, count },
    get targets() {
      targets ??= values.map((value) => (value - scale.centre) / scale.spread);
      return targets;
    },
  };
  return {
    ...{ ...scale, varying, rows, present: new Int32Array() },
    singleProducts: varying.length < all.length ? among(matrix, size, varying) : matrix,
    ...{
      largests: Array.from(varying, (f) => largests[f]!),
      loss: new Loss(
        'squared',
        1,
        Float64Array.from(varying, (f) => means[f]!),
      ),
    },
  };
}

/** Of products of columns, and of ones and targets behind them, those of some columns. */
function among(matrix: Float64Array, size: number, some: Int32Array): Float64Array {
  const places = [...some, size - 2, size - 1];
  return Float64Array.from(places.flatMap((f) => places.map((g) => matrix[f * size + g]!)));
}

/** Weights whose mean is 1, so that a penalty is as strong as without them. */
function withMeanOne(weights: Float64Array): Float64Array {
  const mean = weights.reduce((a, b) => a + b, 0) / weights.length;
  return mean > 0 ? weights.map((weight) => weight / mean) : weights;
}

function pickValues<T extends Float32Array | Float64Array>(source: T, rows: Int32Array, picked: T): T {
  for (let i = 0; i < rows.length; i++) picked[i] = source[rows[i]!]!;
  return picked;
}

/** Every so manieth row, at most `limit` of them. */
export function thin(rows: Rows, limit: number): Rows {
  if (rows.count <= limit) return rows;
  const places = new Int32Array(limit);
  for (let i = 0; i < limit; i++) places[i] = Math.floor((i * rows.count) / limit);
  const weights = rows.weights && pickValues(rows.weights, places, new Float64Array(limit));
  const total = weights?.reduce((a, b) => a + b) ?? limit;
  return {
    count: limit,
    columns: rows.columns.map((column) => pickValues(column, places, new Float32Array(limit))),
    targets: pickValues(rows.targets, places, new Float64Array(limit)),
    weights: weights?.map((weight) => (weight * limit) / total),
  };
}
