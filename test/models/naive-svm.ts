/**
 * The solver's naive twin: the same problem solved by moving every pair of variables to its best in turn until nothing moves, from gradients
 * that are summed anew each time.
 */
import type { Problem } from '../../core/models/svm/smo.ts';

/** @param kernel between two rows */
export function minimiseNaively({ at, low, high, linear }: Problem, kernel: (a: number, b: number) => number, tol: number): Float64Array {
  const size = at.length;
  const beta = new Float64Array(size);
  const slope = (v: number) => linear[v]! + beta.reduce((sum, own, w) => sum + (own === 0 ? 0 : own * kernel(at[v]!, at[w]!)), 0);
  for (let moved = Infinity; moved > tol; ) {
    moved = 0;
    for (let i = 0; i < size; i++)
      for (let j = 0; j < i; j++) {
        const curvature = Math.max(1e-12, 2 - 2 * kernel(at[i]!, at[j]!));
        const wanted = (slope(j) - slope(i)) / curvature;
        const by = Math.max(low[i]! - beta[i]!, beta[j]! - high[j]!, Math.min(high[i]! - beta[i]!, beta[j]! - low[j]!, wanted));
        beta[i]! += by;
        beta[j]! -= by;
        moved = Math.max(moved, Math.abs(by));
      }
  }
  return beta;
}

/** ½ βᵀKβ + pᵀβ */
export function objectiveOf({ at, linear }: Problem, beta: Float64Array, kernel: (a: number, b: number) => number): number {
  return beta.reduce(
    (sum, own, v) => sum + own * linear[v]! + (own / 2) * beta.reduce((inner, other, w) => inner + other * kernel(at[v]!, at[w]!), 0),
    0,
  );
}
