/**
 * L-BFGS (Nocedal 1980; Liu and Nocedal 1989), and where there are absolute values to penalise OWL-QN (Andrew and Gao 2007): each step stays
 * in one orthant, in which they are linear.
 */
import { atOnce } from '../in-steps.ts';

export interface Problem {
  /** The smooth part; writes its gradient. */
  evaluate(point: Float64Array, gradient: Float64Array): number;
  /** Replaces a vector by its product with a guess of the inverse Hessian; diagonal where l1 > 0. */
  precondition(vector: Float64Array): void;
  /** Factor of the absolute values of the first `penalised` numbers. */
  l1: number;
  penalised: number;
}

export interface Minimum {
  point: Float64Array;
  /** The whole objective before the first iteration and after each. */
  curve: number[];
}

interface Step {
  s: Float64Array;
  y: Float64Array;
  rho: number;
}

/** Where a minimisation is: all that its next iteration depends on. */
export interface Place extends Minimum {
  /** Of the smooth part. */
  gradient: Float64Array;
  /** Of the whole objective. */
  value: number;
  steps: Step[];
}

const memory = 10;
const halvings = 40;
/** The share of the slope's promise that a step must keep (Armijo). */
const enough = 1e-4;
/** A fall of the objective by less is rounding. */
export const rounding = 4 * 2 ** -52;

export function minimise(problem: Problem, start: Float64Array, tol: number, maxIter: number): Minimum {
  return atOnce(minimising(problem, start, tol, maxIter));
}

/** The same, iteration by iteration. @param from where another was, that had come so far */
export function* minimising(
  problem: Problem,
  start: Float64Array,
  tol: number,
  maxIter: number,
  from?: Place,
): Generator<() => Place, Minimum> {
  const { l1, penalised } = problem;
  const size = start.length;
  const whole = (at: Float64Array, into: Float64Array) => problem.evaluate(at, into) + l1 * absolutes(at, penalised);
  let point: Float64Array = from?.point ?? start.slice();
  let gradient: Float64Array = from?.gradient ?? new Float64Array(size);
  let value = from?.value ?? whole(point, gradient);
  const curve = from?.curve ?? [value];
  const steps = from?.steps ?? [];
  const slope = new Float64Array(size);
  const place = (): Place => ({ point, curve, gradient, value, steps });
  while (curve.length <= maxIter) {
    pseudoGradient(point, gradient, l1, penalised, slope);
    if (largestOf(slope) <= tol) break;
    const direction = descend(slope, steps, problem);
    if (l1 > 0) for (let i = 0; i < penalised; i++) if (direction[i]! * slope[i]! >= 0) direction[i] = 0;
    let next: Float64Array = new Float64Array(size);
    let nextGradient: Float64Array = new Float64Array(size);
    let nextValue = value;
    let accepted = false;
    for (let half = 0, length = 1; half < halvings && !accepted; half++, length /= 2) {
      let promised = 0;
      for (let i = 0; i < size; i++) {
        let moved = point[i]! + length * direction[i]!;
        if (l1 > 0 && i < penalised) {
          const orthant = point[i] === 0 ? -slope[i]! : point[i]!;
          if (moved * orthant <= 0) moved = 0;
        }
        next[i] = moved;
        promised += slope[i]! * (moved - point[i]!);
      }
      nextValue = whole(next, nextGradient);
      accepted = nextValue <= value + enough * promised + rounding * Math.abs(value);
    }
    if (!accepted) break;
    remember(steps, point, next, gradient, nextGradient);
    const fall = value - nextValue;
    [point, next] = [next, point];
    [gradient, nextGradient] = [nextGradient, gradient];
    value = nextValue;
    curve.push(value);
    if (fall <= rounding * Math.abs(value)) break;
    yield place;
  }
  return { point, curve };
}

/** The steepest direction's derivative where the absolute values have a kink. */
export function pseudoGradient(point: Float64Array, gradient: Float64Array, l1: number, penalised: number, into: Float64Array): void {
  into.set(gradient);
  if (l1 === 0) return;
  for (let i = 0; i < penalised; i++) {
    const g = gradient[i]!;
    if (point[i]! !== 0) into[i] = g + Math.sign(point[i]!) * l1;
    else into[i] = Math.min(0, g + l1) + Math.max(0, g - l1);
  }
}

/** The two-loop recursion. */
function descend(slope: Float64Array, steps: readonly Step[], problem: Problem): Float64Array {
  const direction = slope.map((value) => -value);
  const shares = steps.map(() => 0);
  for (let j = steps.length - 1; j >= 0; j--) {
    const { s, y, rho } = steps[j]!;
    shares[j] = rho * dot(s, direction);
    addScaled(direction, -shares[j]!, y);
  }
  const last = steps.at(-1);
  let scale = 1;
  if (last) {
    const preconditioned = last.y.slice();
    problem.precondition(preconditioned);
    scale = 1 / (last.rho * dot(last.y, preconditioned));
  }
  problem.precondition(direction);
  for (let i = 0; i < direction.length; i++) direction[i]! *= scale;
  steps.forEach(({ s, y, rho }, j) => {
    addScaled(direction, shares[j]! - rho * dot(y, direction), s);
  });
  return direction;
}

function remember(steps: Step[], point: Float64Array, next: Float64Array, gradient: Float64Array, nextGradient: Float64Array): void {
  const s = next.map((value, i) => value - point[i]!);
  const y = nextGradient.map((value, i) => value - gradient[i]!);
  const curvature = dot(s, y);
  if (!(curvature > 1e-14 * Math.sqrt(dot(s, s) * dot(y, y)))) return;
  steps.push({ s, y, rho: 1 / curvature });
  if (steps.length > memory) steps.shift();
}

export function absolutes(point: Float64Array, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += Math.abs(point[i]!);
  return sum;
}

export function largestOf(vector: Float64Array): number {
  let most = 0;
  for (const value of vector) most = Math.max(most, Math.abs(value));
  return most;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function addScaled(into: Float64Array, factor: number, vector: Float64Array): void {
  for (let i = 0; i < into.length; i++) into[i]! += factor * vector[i]!;
}
