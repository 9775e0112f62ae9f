/**
 * The numbers of trees as integers. Sums over rows are integers, so that their order does not matter, and a leaf's value is a multiple of
 * a power of two such that every partial sum over the trees is exact in float32 (24 bits): any runtime, adding in any order, gets the same.
 */
import type { Target } from '../model.ts';

/** A regression target is rounded to this many bits below its largest distance from the mean. */
const targetBits = 30;

export interface FixedTarget {
  /** int32 [rows]: targets in fixed point where `outputs` is 1 (of two classes: 0 and 2^30), else classes. */
  values: Int32Array;
  /** Numbers in a leaf: 1, or the number of classes where there are more than two. */
  outputs: number;
  /** A regression's value is base + unit × 2^-bits × (sum of leaves) / trees. base is a float32, unit a power of two. */
  base: number;
  unit: number;
}

/** Bits of a leaf's value: 2^bits × trees <= 2^24. 15 up to 512 trees, so that the candidates of a grid share their leaves. */
export function leafBits(trees: number): number {
  return Math.min(15, 24 - Math.ceil(Math.log2(trees)));
}

export function fixTarget(y: Target, rows: Int32Array): FixedTarget {
  if (y.task === 'classification') {
    const one = y.classes > 2 ? 1 : 2 ** targetBits;
    return { values: rows.map((row) => y.labels[row]! * one), outputs: y.classes > 2 ? y.classes : 1, base: 0, unit: 1 };
  }
  let sum = 0;
  for (const row of rows) sum += y.values[row]!;
  const base = Math.fround(sum / rows.length);
  let furthest = 0;
  for (const row of rows) furthest = Math.max(furthest, Math.abs(y.values[row]! - base));
  // The least leaf, 2^(exponent - 15), is to be a normal float32: some processors are slow at the others, or make them zero.
  const exponent = furthest === 0 ? 0 : Math.max(-111, Math.ceil(Math.log2(furthest)));
  const step = 2 ** (exponent - targetBits);
  const limit = 2 ** targetBits;
  const values = Int32Array.from(rows, (row) => Math.max(-limit, Math.min(limit, Math.round((y.values[row]! - base) / step))));
  return { values, outputs: 1, base, unit: 2 ** exponent };
}

/** What a unit of a leaf is worth: 1 / 2^bits of a probability, or of the regression's unit. */
export function leafScale(bits: number, unit: number): number {
  return unit * 2 ** -bits;
}
