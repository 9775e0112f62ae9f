/** What a Cholesky factor of second derivatives is made by, and solves, by loops of WebAssembly: JavaScript is slow when a process fits for the first time. */
import { reserve } from '../wasm-memory.ts';
import { loops, memory, start } from './kernel-memory.ts';

/** The lower Cholesky factor in place; what is no longer positive, by rounding or since columns depend on each other, is lifted. */
export function factorise(matrix: Float64Array, size: number): void {
  const [own] = copied(matrix);
  loops.factorise(own!.byteOffset, size);
  matrix.set(own!);
}

/** Solves L Lᵀ x = b in place. */
export function solveFactorised(factor: Float64Array, size: number, b: Float64Array): void {
  const [own, found] = copied(factor, b);
  loops.solve(own!.byteOffset, size, found!.byteOffset);
  b.set(found!);
}

/** into = matrix · vector, of a square one */
export function multiply(matrix: Float64Array, vector: Float64Array, into: Float64Array): void {
  const [a, b, found] = copied(matrix, vector, into);
  loops.multiply(a!.byteOffset, b!.byteOffset, found!.byteOffset, vector.length);
  into.set(found!);
}

/** Copies in the loops' memory, one behind the other. */
function copied(...all: Float64Array[]): Float64Array[] {
  reserve(memory, start + all.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let end = start;
  return all.map((numbers) => {
    const own = new Float64Array(memory.buffer, end, numbers.length);
    own.set(numbers);
    end += own.byteLength;
    return own;
  });
}
