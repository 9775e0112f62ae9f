/** The main directions of a sparse matrix: randomised range finder with power iterations (Halko, Martinsson & Tropp 2011, algorithms 4.4 and 5.1). */
import { Random } from '../random.ts';

/** Row after row: `values[k]` stands in column `columns[k]`, for k from `starts[row]` to before `starts[row + 1]`. */
export interface SparseRows {
  starts: Int32Array;
  columns: Int32Array;
  values: Float64Array;
  width: number;
}

const oversampling = 8;
const powerIterations = 2;

/**
 * @param rank at most the smaller side of x
 * @returns right singular vectors, the largest first, as columns of length `width`; each of a sign by which its entries sum to no less than 0
 */
export function rightSingularVectors(x: SparseRows, rank: number, seed: number): Float64Array[] {
  const rows = x.starts.length - 1;
  const size = Math.min(rank + oversampling, rows, x.width);
  const random = new Random(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
  let right: Float64Array[] = Array.from({ length: size }, () => Float64Array.from({ length: x.width }, normal));
  for (let i = 0; i < powerIterations; i++) {
    const left = right.map((vector) => multiply(x, vector));
    orthonormalise(left);
    right = left.map((vector) => multiplyTransposed(x, vector));
    orthonormalise(right);
  }
  // In the span of `right`, the directions are the eigenvectors of (X R)ᵀ (X R).
  const images = right.map((vector) => multiply(x, vector));
  const gram = images.map((a) => Float64Array.from(images, (b) => dot(a, b)));
  return symmetricEigenvectors(gram)
    .slice(0, rank)
    .map((weights) => {
      const vector = new Float64Array(x.width);
      right.forEach((direction, i) => {
        for (let j = 0; j < vector.length; j++) vector[j]! += weights[i]! * direction[j]!;
      });
      const sum = vector.reduce((total, value) => total + value, 0);
      return sum < 0 ? vector.map((value) => -value) : vector;
    });
}

function multiply({ starts, columns, values }: SparseRows, vector: Float64Array): Float64Array {
  const product = new Float64Array(starts.length - 1);
  for (let row = 0; row < product.length; row++) {
    let sum = 0;
    for (let k = starts[row]!; k < starts[row + 1]!; k++) sum += values[k]! * vector[columns[k]!]!;
    product[row] = sum;
  }
  return product;
}

function multiplyTransposed({ starts, columns, values, width }: SparseRows, vector: Float64Array): Float64Array {
  const product = new Float64Array(width);
  for (let row = 0; row < vector.length; row++) {
    for (let k = starts[row]!; k < starts[row + 1]!; k++) product[columns[k]!]! += values[k]! * vector[row]!;
  }
  return product;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** In place, by Gram and Schmidt, twice each, which is enough (Giraud et al. 2005). A vector within the span of those before becomes 0. */
function orthonormalise(vectors: Float64Array[]): void {
  vectors.forEach((vector, i) => {
    const before = Math.sqrt(dot(vector, vector));
    for (let pass = 0; pass < 2; pass++) {
      for (const other of vectors.slice(0, i)) {
        const share = dot(vector, other);
        for (let j = 0; j < vector.length; j++) vector[j]! -= share * other[j]!;
      }
    }
    const norm = Math.sqrt(dot(vector, vector));
    if (norm > 1e-10 * before) for (let j = 0; j < vector.length; j++) vector[j]! /= norm;
    else vector.fill(0);
  });
}

/** Eigenvectors of a symmetric matrix, that of the largest eigenvalue first (cyclic Jacobi; Golub & Van Loan, Matrix Computations, 8.5). */
function symmetricEigenvectors(matrix: Float64Array[]): Float64Array[] {
  const size = matrix.length;
  const a = matrix.map((row) => row.slice());
  const vectors = a.map((_, i) => Float64Array.from({ length: size }, (_, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < 30; sweep++) {
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) {
        if (a[p]![q] === 0) continue;
        const theta = (a[q]![q]! - a[p]![p]!) / (2 * a[p]![q]!);
        const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        for (let k = 0; k < size; k++) [a[k]![p], a[k]![q]] = [c * a[k]![p]! - s * a[k]![q]!, s * a[k]![p]! + c * a[k]![q]!];
        for (let k = 0; k < size; k++) [a[p]![k], a[q]![k]] = [c * a[p]![k]! - s * a[q]![k]!, s * a[p]![k]! + c * a[q]![k]!];
        for (let k = 0; k < size; k++) {
          const [x, y] = [vectors[p]![k]!, vectors[q]![k]!];
          vectors[p]![k] = c * x - s * y;
          vectors[q]![k] = s * x + c * y;
        }
      }
    }
  }
  return vectors
    .map((vector, i) => ({ vector, value: a[i]![i]! }))
    .sort((x, y) => y.value - x.value)
    .map(({ vector }) => vector);
}
