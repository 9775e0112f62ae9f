/** What a Cholesky factor of second derivatives is made by, and solves. */

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
