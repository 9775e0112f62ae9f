/** Second derivatives: the matrix of weighted products of columns, and its Cholesky factor to solve with. */
import { addProducts, type Rows } from './loss.ts';

const block = 512;

/**
 * The mean over rows of `factor · z zᵀ` with `z = (column − mean of each column, 1)`: symmetric, [(features + 1)²].
 * @param factors of each row
 */
export function products(rows: Rows, means: Float64Array, factors: Float64Array): Float64Array {
  const features = means.length;
  const size = features + 1;
  const matrix = new Float64Array(size * size);
  const centred = new Float64Array(block);
  const firsts = new Float64Array(features);
  for (let at = 0; at < rows.count; at += block) {
    const count = Math.min(block, rows.count - at);
    const values = centred.subarray(0, count);
    for (let i = 0; i < count; i++) matrix[size * size - 1]! += factors[at + i]!;
    for (let f = 0; f < features; f++) {
      const column = rows.columns[f]!;
      const mean = means[f]!;
      let sum = 0;
      for (let i = 0; i < count; i++) {
        const value = factors[at + i]! * (column[at + i]! - mean);
        values[i] = value;
        sum += value;
      }
      firsts[f]! += sum;
      // Times the raw columns up to this one; their means come off at the end.
      addProducts(f + 1 === features ? rows.columns : rows.columns.slice(0, f + 1), at, values, matrix, f * size);
    }
  }
  for (let f = 0; f < features; f++) {
    for (let g = 0; g <= f; g++) {
      const value = (matrix[f * size + g]! - means[g]! * firsts[f]!) / rows.count;
      matrix[f * size + g] = value;
      matrix[g * size + f] = value;
    }
    matrix[f * size + features] = firsts[f]! / rows.count;
    matrix[features * size + f] = firsts[f]! / rows.count;
  }
  matrix[size * size - 1]! /= rows.count;
  return matrix;
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
