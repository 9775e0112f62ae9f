/**
 * An affine map of float32 features whose sums are exact, so that any runtime, adding in any order, with fused multiply-add or without,
 * at any batch size, gets the same bits.
 *
 * A feature becomes an integer of 25 bits with sign, `u = round(x / unit)`, and a weight the sum of two numbers of about
 * 28 - log2(features) bits each: `high`, a multiple of a power of two, and `low`, a multiple of a smaller one that makes up for what
 * `high` lacks. Every partial sum of u · high is then a multiple of high's grid below 2^53 of its units, which float64 holds exactly; the
 * same goes for low. What is rounded is only `(Σ u · high + Σ u · low) + intercept`, in that order.
 */
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { columnOf } from '../lazy-matrix.ts';
import type { Matrix } from '../model.ts';

const float64 = 11;

/** Bits of a feature without its sign. */
const featureBits = 24;
/** A feature is clipped at 16 to 32 times the largest train value. */
const headroom = 4;
/** 2^127 is the largest power of two in float32. */
const largestExponent = 127;

export interface AffineMap {
  features: number;
  outputs: number;
  /** By feature: the least exponent of two that no value exceeds. A value beyond ± 2^exponent counts as that bound, NaN as 0. */
  exponents: number[];
  /** What a unit of a feature's integer adds to each output, [features × outputs]; `low` is added to `high`. */
  high: number[];
  low: number[];
  intercepts: number[];
}

/** The largest absolute value of a column; NaN and infinities count as nothing. */
export function largest(column: Float32Array): number {
  let most = 0;
  for (let i = 0; i < column.length; i++) {
    const size = Math.abs(column[i]!);
    if (size > most && size < Infinity) most = size;
  }
  return most;
}

function allFinite(column: Float32Array): boolean {
  // A difference of equals is 0, but of infinities and NaN.
  for (let i = 0; i < column.length; i++) if (column[i]! - column[i]! !== 0) return false;
  return true;
}

/** A copy of a column as the map takes it: NaN is 0, and what is beyond the bound is the bound. The column itself where all are finite. */
export function bounded(column: Float32Array, most: number): Float32Array {
  if (allFinite(column)) return column;
  const bound = 2 ** boundExponent(most);
  return column.map((value) => (Number.isNaN(value) ? 0 : Math.max(-bound, Math.min(bound, value))));
}

/**
 * @param weights [features × outputs]
 * @param largests by feature, the largest absolute value among the train rows
 */
export function fixAffine(weights: ArrayLike<number>, intercepts: ArrayLike<number>, largests: ArrayLike<number>): AffineMap {
  const features = largests.length;
  const outputs = intercepts.length;
  const exponents = Array.from(largests, boundExponent);
  const perUnit = Float64Array.from({ length: features * outputs }, (_, i) => weights[i]! * unitOf(exponents[Math.floor(i / outputs)]!));
  const parts = splitWeights(perUnit, featureBits, features);
  return { features, outputs, exponents, ...parts, intercepts: Array.from(intercepts, (value) => value + 0) };
}

/** Weights as sums of a high and a low part, whose sums of `terms` products with integers of so many bits are exact. */
export function splitWeights(weights: Float64Array, unitBits: number, terms: number): { high: number[]; low: number[] } {
  let most = 0;
  for (const weight of weights) most = Math.max(most, Math.abs(weight));
  const bits = 52 - unitBits - Math.ceil(Math.log2(Math.max(1, terms)));
  const coarse = 2 ** (exponentOf(most) - bits);
  const fine = coarse * 2 ** -bits;
  // Adding 0 makes a zero of −0, which JSON does not keep.
  const high = Array.from(weights, (weight) => roundEven(weight / coarse) * coarse + 0);
  const low = Array.from(weights, (weight, i) => roundEven((weight - high[i]!) / fine) * fine + 0);
  return { high, low };
}

/** The weight of a feature for an output, as the map has it. */
export function weightOf({ exponents, high, low, outputs }: AffineMap, feature: number, output: number): number {
  const at = feature * outputs + output;
  return (high[at]! + low[at]!) / unitOf(exponents[feature]!);
}

/** @returns float64 [rows × outputs] */
export function applyAffine({ features, outputs, exponents, high, low, intercepts }: AffineMap, x: Matrix): Float64Array {
  if (x.columns !== features) throw new RangeError(`the model was fitted on ${features} features, not ${x.columns}`);
  const { rows } = x;
  const sums = new Float64Array(rows * outputs);
  const rests = new Float64Array(rows * outputs);
  for (let feature = 0; feature < features; feature++) {
    const bound = 2 ** exponents[feature]!;
    const perUnit = 1 / unitOf(exponents[feature]!);
    const at = feature * outputs;
    const column = columnOf(x, feature);
    for (let row = 0; row < rows; row++) {
      const value = column[row]!;
      const units = roundEven((value > bound ? bound : value >= -bound ? value : value < -bound ? -bound : 0) * perUnit);
      if (units === 0) continue;
      for (let k = 0; k < outputs; k++) {
        sums[row * outputs + k]! += units * high[at + k]!;
        rests[row * outputs + k]! += units * low[at + k]!;
      }
    }
  }
  for (let i = 0; i < sums.length; i++) sums[i] = sums[i]! + rests[i]! + intercepts[i % outputs]!;
  return sums;
}

/**
 *   x ─ NaN → 0 ─ Max ─ Min ─ Cast float64 ─ Mul ─ Round ─ MatMul [high | low] ─┬ Gather high ─┐
 *                                                                              └ Gather low ──┴ Add ─ Add intercepts
 *
 * One product for both, so that what follows it is no Add, which onnxruntime would fuse with it.
 * @param input name of the float32 [N, features] tensor
 * @returns name of the float64 [N, outputs] tensor
 */
export function affineToOnnx(
  { features, outputs, exponents, high, low, intercepts }: AffineMap,
  graph: GraphBuilder,
  input: string,
): string {
  const bounds = exponents.map((exponent) => 2 ** exponent);
  const known = graph.node('Where', [graph.node('IsNaN', [input]), graph.floats([0]), input]);
  const raised = graph.node('Max', [known, graph.floats(bounds.map((bound) => -bound))]);
  const clipped = graph.node('Min', [raised, graph.floats(bounds)]);
  const wide = graph.node('Cast', [clipped], { to: { int: float64 } });
  const perUnit = graph.doubles(exponents.map((exponent) => 1 / unitOf(exponent)));
  const units = graph.node('Round', [graph.node('Mul', [wide, perUnit])]);
  const weights = Array.from({ length: features }, (_, f) =>
    [high, low].flatMap((part) => part.slice(f * outputs, (f + 1) * outputs)),
  ).flat();
  const sums = graph.node('MatMul', [units, graph.doubles(weights, [features, 2 * outputs])]);
  const part = (from: number) =>
    graph.node('Gather', [sums, graph.int64s(Array.from({ length: outputs }, (_, k) => from + k))], { axis: { int: 1 } });
  return graph.node('Add', [graph.node('Add', [part(0), part(outputs)]), graph.doubles(intercepts)]);
}

/** The nearest integer, the even one of two, as ONNX's Round; for |value| < 2^51. */
export function roundEven(value: number): number {
  const shift = 1.5 * 2 ** 52;
  return value + shift - shift;
}

function unitOf(exponent: number): number {
  return 2 ** (exponent - featureBits);
}

function boundExponent(most: number): number {
  return Math.min(largestExponent, exponentOf(most) + headroom);
}

/** The least exponent of two that is no less than a value; that of 1 for 0. */
function exponentOf(value: number): number {
  return value === 0 ? 0 : Math.ceil(Math.log2(value));
}
