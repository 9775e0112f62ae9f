/**
 * The solver's naive twin: the same problem solved by moving every pair of variables to its best in turn until nothing moves. The best is
 * looked for among all places where a parabola with kinks can have its least.
 */
import type { Problem } from '../../core/models/svm/smo.ts';

type Between = (a: number, b: number) => number;

export function minimiseNaively({ at, low, high, linear, epsilon }: Problem, kernel: Between, tol: number): Float64Array {
  const size = at.length;
  const beta = new Float64Array(size);
  const slope = (v: number) => linear[v]! + beta.reduce((sum, own, w) => sum + (own === 0 ? 0 : own * kernel(at[v]!, at[w]!)), 0);
  for (let moved = Infinity; moved > tol; ) {
    moved = 0;
    for (let i = 0; i < size; i++)
      for (let j = 0; j < i; j++) {
        const curvature = Math.max(1e-12, 2 - 2 * kernel(at[i]!, at[j]!));
        const steep = slope(i) - slope(j);
        const [least, most] = [Math.max(low[i]! - beta[i]!, beta[j]! - high[j]!), Math.min(high[i]! - beta[i]!, beta[j]! - low[j]!)];
        const places = [-2, 0, 2].map((kink) => (kink * epsilon - steep) / curvature).concat(-beta[i]!, beta[j]!, 0);
        const valueAt = (by: number) =>
          steep * by + (curvature / 2) * by * by + epsilon * (Math.abs(beta[i]! + by) + Math.abs(beta[j]! - by));
        const by = places.map((place) => Math.max(least, Math.min(most, place))).reduce((a, b) => (valueAt(b) < valueAt(a) ? b : a));
        beta[i]! += by;
        beta[j]! -= by;
        moved = Math.max(moved, Math.abs(by));
      }
  }
  return beta;
}

/** ½ βᵀKβ + pᵀβ + ε Σ|β| */
export function objectiveOf({ at, linear, epsilon }: Problem, beta: Float64Array, kernel: Between): number {
  return beta.reduce(
    (sum, own, v) =>
      sum +
      own * linear[v]! +
      epsilon * Math.abs(own) +
      (own / 2) * beta.reduce((inner, other, w) => inner + other * kernel(at[v]!, at[w]!), 0),
    0,
  );
}
