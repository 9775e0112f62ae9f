/**
 * Rows as points of integers, whose squared distances are exact integers: any runtime gets the same, in whatever order it adds. All
 * columns share one unit, a power of two, chosen so that the largest squared distance there can be is below 2^53 of its squares.
 */
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { largest, roundEven } from '../exact/affine.ts';
import { columnOf } from '../lazy-matrix.ts';
import type { Matrix } from '../model.ts';

const float64 = 11;

/** Σ bound² is at most 2^50 units², so that a distance² of two points, and each of its parts, is at most 2^52. */
const boundBits = 25;
/** A column is clipped at 2 to 4 times the largest distance from its mean. */
const headroom = 1;

export interface FixedPoints {
  /** Columns of the table, and those of them that vary in the train rows. */
  columns: number;
  used: number[];
  /** Of each used column: what is subtracted, and the bound of the difference in units. */
  centres: number[];
  bounds: number[];
  /** The unit is 2^exponent. */
  exponent: number;
}

export interface Points {
  /** Of each used column, the integers of the rows. */
  columns: Float64Array[];
  /** Σ over the columns of the squares. */
  norms: Float64Array;
}

/** @returns the sum of the used columns' variances too @param rows those of x to train on */
export function fixPoints(x: Matrix, rows: Int32Array): { fixed: FixedPoints; variance: number } {
  const used: number[] = [];
  const centres: number[] = [];
  const sizes: number[] = [];
  let variance = 0;
  for (let feature = 0; feature < x.columns; feature++) {
    const all = columnOf(x, feature);
    const column = Float32Array.from(rows, (row) => all[row]!);
    const limit = largest(column);
    const values = Float64Array.from(column, (value) => (Number.isNaN(value) ? 0 : Math.max(-limit, Math.min(limit, value))));
    if (values.every((value) => value === values[0])) continue;
    const centre = Math.fround(values.reduce((sum, value) => sum + value / values.length, 0));
    const most = values.reduce((size, value) => Math.max(size, Math.abs(value - centre)), 0);
    variance += values.reduce((sum, value) => sum + (value - centre) ** 2 / values.length, 0);
    used.push(feature);
    centres.push(centre + 0);
    sizes.push(2 ** (Math.ceil(Math.log2(most)) + headroom));
  }
  const exponent = used.length === 0 ? 0 : Math.ceil(Math.log2(Math.hypot(...sizes))) - boundBits;
  return { fixed: { columns: x.columns, used, centres, bounds: sizes.map((size) => size * 2 ** -exponent), exponent }, variance };
}

export function toPoints({ columns, used, centres, bounds, exponent }: FixedPoints, x: Matrix, rows?: Int32Array): Points {
  if (x.columns !== columns) throw new RangeError(`the model was fitted on ${columns} features, not ${x.columns}`);
  const count = rows?.length ?? x.rows;
  const norms = new Float64Array(count);
  const perUnit = 2 ** -exponent;
  const points = used.map((feature, f) => {
    const column = columnOf(x, feature);
    const point = new Float64Array(count);
    const [centre, bound] = [centres[f]!, bounds[f]!];
    for (let i = 0; i < count; i++) {
      const value = column[rows ? rows[i]! : i]!;
      const distance = ((Number.isNaN(value) ? 0 : value) - centre) * perUnit;
      const units = roundEven(distance > bound ? bound : Math.max(distance, -bound));
      point[i] = units;
      norms[i]! += units * units;
    }
    return point;
  });
  return { columns: points, norms };
}

/** into[i] = Σ (columns[f][i] − point[f])², exact where points are integers */
export function squaredDistances({ columns, norms }: Points, point: ArrayLike<number>, into: Float64Array): void {
  const count = into.length;
  let norm = 0;
  for (let f = 0; f < columns.length; f++) norm += point[f]! * point[f]!;
  for (let i = 0; i < count; i++) into[i] = norms[i]! + norm;
  let f = 0;
  for (; f + 3 < columns.length; f += 4) {
    const [a, b, c, d] = [columns[f]!, columns[f + 1]!, columns[f + 2]!, columns[f + 3]!];
    const wa = 2 * point[f]!;
    const wb = 2 * point[f + 1]!;
    const wc = 2 * point[f + 2]!;
    const wd = 2 * point[f + 3]!;
    for (let i = 0; i < count; i++) into[i]! -= wa * a[i]! + wb * b[i]! + (wc * c[i]! + wd * d[i]!);
  }
  for (; f < columns.length; f++) {
    const column = columns[f]!;
    const weight = 2 * point[f]!;
    for (let i = 0; i < count; i++) into[i]! -= weight * column[i]!;
  }
}

export const pointAt = ({ columns }: Points, row: number): Float64Array => Float64Array.from(columns, (column) => column[row]!);

/**
 *   x ─ Gather used ─ NaN → 0 ─ Cast float64 ─ Sub centres ─ Mul 1 / unit ─ Max ─ Min ─ Round
 *
 * @param input name of the float32 [N, columns] tensor @returns name of the float64 [N, used] tensor of integers
 */
export function pointsToOnnx({ used, centres, bounds, exponent }: FixedPoints, graph: GraphBuilder, input: string): string {
  const own = graph.node('Gather', [input, graph.int64s(used)], { axis: { int: 1 } });
  const known = graph.node('Where', [graph.node('IsNaN', [own]), graph.floats([0]), own]);
  const wide = graph.node('Cast', [known], { to: { int: float64 } });
  const distances = graph.node('Mul', [graph.node('Sub', [wide, graph.doubles(centres)]), graph.doubles([2 ** -exponent])]);
  const raised = graph.node('Max', [distances, graph.doubles(bounds.map((bound) => -bound))]);
  return graph.node('Round', [graph.node('Min', [raised, graph.doubles(bounds)])]);
}
