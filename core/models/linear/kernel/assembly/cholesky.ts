/** Where second derivatives are solved: in JavaScript the first fit of a process would take most of its time for these loops. */

/** The lower Cholesky factor in place; what is no longer positive, by rounding or since columns depend on each other, is lifted. */
export function factorise(matrix: usize, size: usize): void {
  const stride = size << 3;
  for (let j: usize = 0; j < stride; j += 8) {
    const row = matrix + j * size;
    const own = load<f64>(row + j);
    const pivot = sqrt(max(max(own - product(row, row, j), own * 1e-9), 1e-300));
    store<f64>(row + j, pivot);
    for (let below = row + stride, end = matrix + stride * size; below < end; below += stride)
      store<f64>(below + j, (load<f64>(below + j) - product(below, row, j)) / pivot);
  }
}

/** Solves L Lᵀ x = b in place. */
export function solve(factor: usize, size: usize, b: usize): void {
  const stride = size << 3;
  for (let i: usize = 0; i < stride; i += 8) {
    const row = factor + i * size;
    store<f64>(b + i, (load<f64>(b + i) - product(row, b, i)) / load<f64>(row + i));
  }
  for (let i = stride; i > 0; ) {
    i -= 8;
    const row = factor + i * size;
    const own = load<f64>(b + i) / load<f64>(row + i);
    store<f64>(b + i, own);
    for (let k: usize = 0; k < i; k += 8) store<f64>(b + k, load<f64>(b + k) - load<f64>(row + k) * own);
  }
}

/** into = matrix · vector */
export function multiply(matrix: usize, vector: usize, into: usize, size: usize): void {
  const stride = size << 3;
  for (let i: usize = 0; i < stride; i += 8) store<f64>(into + i, product(matrix + i * size, vector, stride));
}

/** @param bytes of the numbers that are multiplied */
// @ts-ignore: decorator
@inline
function product(a: usize, b: usize, bytes: usize): f64 {
  let even = f64x2.splat(0);
  let i: usize = 0;
  for (; i + 8 < bytes; i += 16) even = f64x2.add(even, f64x2.mul(v128.load(a + i), v128.load(b + i)));
  const sum = f64x2.extract_lane(even, 0) + f64x2.extract_lane(even, 1);
  return i < bytes ? sum + load<f64>(a + i) * load<f64>(b + i) : sum;
}
