/**
 * What a network sees of a row. A number is clipped to where train rows are, and taken as it is, and taken apart: of each range between
 * quantiles, how much of it lies below the number (piecewise linear encoding, Gorishniy et al. 2022). That is what lets a network bend
 * as sharply as a tree. All of it is one form, `clip((x − low) / range, 0, 1)`, which in whole parts of 2^-16 is the same everywhere.
 */
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { roundEven } from '../exact/affine.ts';
import { columnOf } from '../lazy-matrix.ts';
import type { Matrix } from '../model.ts';

const float64 = 11;

/** Bits of an input. */
export const inputBits = 16;
/** A number is taken as it is up to so many deviations from its mean. */
const reach = 4;
/** Inputs that all columns' ranges are to make at most. */
export const mostInputs = 1024;
/** Rows that quantiles are found on. */
export const quantileRows = 20_000;
/** Ranges narrower than that are none: their inverse is beyond float32. */
const narrowest = 1e-30;

/** Of each input. */
export interface Encoding {
  /** Columns of the table. */
  columns: number;
  column: number[];
  low: number[];
  /** 2^16 over the range. */
  perUnit: number[];
}

/** An encoding, and how inputs are brought to a common size for training: share · gain − shift. */
export interface FittedEncoding extends Encoding {
  gain: number[];
  shift: number[];
  /** The sum of the inputs' variances. */
  variance: number;
}

/** @param rows those of x to train on */
export function fitEncoding(x: Matrix, rows: Int32Array, bins: number): FittedEncoding {
  const fitted: FittedEncoding = { columns: x.columns, column: [], low: [], perUnit: [], gain: [], shift: [], variance: 0 };
  const step = Math.max(1, rows.length / quantileRows);
  const sample = Int32Array.from({ length: Math.min(rows.length, quantileRows) }, (_, i) => rows[Math.floor(i * step)]!);
  const columns = Array.from({ length: x.columns }, (_, column) => {
    const all = columnOf(x, column);
    const values = Float32Array.from(sample, (row) => all[row]!).filter(Number.isFinite);
    return values.sort();
  });
  const distinct = columns.map((values) => values.filter((value, i) => i === 0 || value !== values[i - 1]));
  const numbers = distinct.filter(({ length }) => length > 2).length;
  const ranges = Math.min(bins, Math.floor(mostInputs / Math.max(1, numbers)));
  columns.forEach((values, column) => {
    const own = distinct[column]!;
    const add = (low: number, high: number, gain: number) => {
      if (!(high - low > narrowest)) return;
      const share = (value: number) => Math.max(0, Math.min(1, (value - low) / (high - low)));
      fitted.column.push(column);
      fitted.low.push(low);
      fitted.perUnit.push(2 ** inputBits / (high - low));
      fitted.gain.push(gain);
      const mean = values.reduce((sum, value) => sum + share(value), 0) / values.length;
      fitted.shift.push(gain * mean);
      fitted.variance += (gain ** 2 * values.reduce((sum, value) => sum + (share(value) - mean) ** 2, 0)) / values.length;
    };
    const [least, most] = [own[0] ?? 0, own.at(-1) ?? 0];
    if (own.length <= 2) {
      add(least, most, 1);
      return;
    }
    const mean = values.reduce((sum, value) => sum + value / values.length, 0);
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2 / values.length, 0));
    const [low, high] = [Math.max(least, mean - reach * deviation), Math.min(most, mean + reach * deviation)];
    if (Number.isFinite(deviation)) add(low, high, (high - low) / deviation);
    else add(least, most, 1);
    if (ranges < 2) return;
    const edges = edgesOf(values, own, ranges);
    for (let bin = 0; bin + 1 < edges.length; bin++) add(edges[bin]!, edges[bin + 1]!, 1);
  });
  return fitted;
}

/** All values where they are few, else quantiles; ascending, each once. */
function edgesOf(sorted: Float32Array, distinct: Float32Array, ranges: number): Float32Array {
  if (distinct.length <= ranges + 1) return distinct;
  const at = Float32Array.from({ length: ranges + 1 }, (_, i) => sorted[Math.round((i * (sorted.length - 1)) / ranges)]!);
  return at.filter((value, i) => i === 0 || value !== at[i - 1]);
}

/** @param into float64 [rows × stride], row-major: whole numbers of 0 to 2^16 of each input */
export function encodeRows(
  { column, low, perUnit }: Encoding,
  x: Matrix,
  from: number,
  rows: number,
  into: Float64Array,
  stride: number,
): void {
  const most = 2 ** inputBits;
  for (let input = 0; input < column.length; input++) {
    const values = x.data.subarray(column[input]! * x.rows + from);
    const [least, per] = [low[input]!, perUnit[input]!];
    for (let row = 0, to = input; row < rows; row++, to += stride) {
      const value = values[row]!;
      const share = ((Number.isNaN(value) ? 0 : value) - least) * per;
      into[to] = roundEven(share > 0 ? Math.min(share, most) : 0);
    }
  }
}

/**
 *   x ─ Gather columns ─ NaN → 0 ─ Cast float64 ─ Sub lows ─ Mul 2^16 / ranges ─ Max 0 ─ Min 2^16 ─ Round
 *
 * @param input name of the float32 [N, columns] tensor @returns name of the float64 [N, inputs] tensor of whole numbers
 */
export function encodingToOnnx({ column, low, perUnit }: Encoding, graph: GraphBuilder, input: string): string {
  const own = graph.node('Gather', [input, graph.int64s(column)], { axis: { int: 1 } });
  const known = graph.node('Where', [graph.node('IsNaN', [own]), graph.floats([0]), own]);
  const wide = graph.node('Cast', [known], { to: { int: float64 } });
  const shares = graph.node('Mul', [graph.node('Sub', [wide, graph.doubles(low)]), graph.doubles(perUnit)]);
  const raised = graph.node('Max', [shares, graph.doubles([0])]);
  return graph.node('Round', [graph.node('Min', [raised, graph.doubles([2 ** inputBits])])]);
}
