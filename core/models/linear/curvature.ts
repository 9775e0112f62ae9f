/** Second derivatives: the matrix of weighted products of columns, and its Cholesky factor to solve with. */
import type { Rows } from './loss.ts';

const block = 256;

/**
 * The mean over rows of `factor · z zᵀ` with `z = (column − mean of each column, 1)`: symmetric, [(features + 1)²].
 * @param factors of each row; all are 1 where it is left out
 */
export function products(rows: Rows, means: Float64Array, factors?: Float64Array): Float64Array {
  const features = means.length;
  const size = features + 1;
  const matrix = new Float64Array(size * size);
  // z of a block, column after column, and the same times the factors.
  const plain = new Float64Array(size * block);
  const weighted = factors ? new Float64Array(size * block) : plain;
  for (let at = 0; at < rows.count; at += block) {
    const count = Math.min(block, rows.count - at);
    for (let f = 0; f < size; f++) {
      const column = rows.columns[f];
      const mean = means[f]!;
      for (let i = 0, to = f * block; i < count; i++, to++) plain[to] = column ? column[at + i]! - mean : 1;
      if (factors) for (let i = 0, to = f * block; i < count; i++, to++) weighted[to] = plain[to]! * factors[at + i]!;
    }
    addPairs(plain, weighted, count, matrix, size);
  }
  for (let f = 0; f < size; f++)
    for (let g = 0; g <= f; g++) {
      matrix[f * size + g]! /= rows.count;
      matrix[g * size + f] = matrix[f * size + g]!;
    }
  return matrix;
}

/** Adds the lower triangle of a block's products, two columns by four at a time: eight sums are what the registers hold. */
function addPairs(plain: Float64Array, weighted: Float64Array, count: number, matrix: Float64Array, size: number): void {
  const sums = new Float64Array(8);
  for (let f = 0; f < size; f += 2) {
    const second = f + 1 < size ? f + 1 : f;
    for (let g = 0; g <= second; g += 4) {
      const last = (size - 1) * block;
      const from = g * block;
      const [g1, g2, g3] = [Math.min(from + block, last), Math.min(from + 2 * block, last), Math.min(from + 3 * block, last)];
      eightSums(plain, weighted, count, f * block, second * block, from, g1, g2, g3, sums);
      for (let k = 0; k < 4; k++) {
        if (g + k <= f) matrix[f * size + g + k]! += sums[k]!;
        if (second > f && g + k <= second) matrix[second * size + g + k]! += sums[4 + k]!;
      }
    }
  }
}

/** sums[4a + b] = Σ weighted[fa + i] · plain[gb + i] */
function eightSums(
  plain: Float64Array,
  weighted: Float64Array,
  count: number,
  f0: number,
  f1: number,
  g0: number,
  g1: number,
  g2: number,
  g3: number,
  sums: Float64Array,
): void {
  let s00 = 0;
  let s01 = 0;
  let s02 = 0;
  let s03 = 0;
  let s10 = 0;
  let s11 = 0;
  let s12 = 0;
  let s13 = 0;
  for (let i = 0; i < count; i++) {
    const a = weighted[f0 + i]!;
    const b = weighted[f1 + i]!;
    const c = plain[g0 + i]!;
    const d = plain[g1 + i]!;
    const e = plain[g2 + i]!;
    const h = plain[g3 + i]!;
    s00 += a * c;
    s01 += a * d;
    s02 += a * e;
    s03 += a * h;
    s10 += b * c;
    s11 += b * d;
    s12 += b * e;
    s13 += b * h;
  }
  sums[0] = s00;
  sums[1] = s01;
  sums[2] = s02;
  sums[3] = s03;
  sums[4] = s10;
  sums[5] = s11;
  sums[6] = s12;
  sums[7] = s13;
}

/** The lower Cholesky factor in place; what is no longer positive, by rounding or since columns depend on each other, is lifted. */
export function factorise(matrix: Float64Array, size: number): void {
  for (let j = 0; j < size; j++) {
    const own = matrix[j * size + j]!;
    let rest = own;
    for (let k = 0; k < j; k++) rest -= matrix[j * size + k]! ** 2;
    const pivot = Math.sqrt(Math.max(rest, own * 1e-9, 1e-300));
    matrix[j * size + j] = pivot;
    for (let i = j + 1; i < size; i++) {
      let sum = matrix[i * size + j]!;
      for (let k = 0; k < j; k++) sum -= matrix[i * size + k]! * matrix[j * size + k]!;
      matrix[i * size + j] = sum / pivot;
    }
  }
}

/** Solves L Lᵀ x = b in place. */
export function solveFactorised(factor: Float64Array, size: number, b: Float64Array): void {
  for (let i = 0; i < size; i++) {
    let sum = b[i]!;
    for (let k = 0; k < i; k++) sum -= factor[i * size + k]! * b[k]!;
    b[i] = sum / factor[i * size + i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    let sum = b[i]!;
    for (let k = i + 1; k < size; k++) sum -= factor[k * size + i]! * b[k]!;
    b[i] = sum / factor[i * size + i]!;
  }
}
