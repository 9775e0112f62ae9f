/**
 * The squared loss is a parabola of which the products of the columns, of an intercept's ones and of the targets tell all (Friedman et al. 2010):
 * the rows are gone through once, whatever the penalties that are tried on them. Where there are absolute values, a round goes over the coefficients
 * one by one, which finds those that are zero and the signs of the others; then all of these go to their common minimum together.
 */

import { factorise, multiply, solveFactorised } from './cholesky.ts';
import { products } from './column-loops.ts';
import { shrink } from './descent.ts';
import type { Design } from './design.ts';
import { absolutes, largestOf, type Minimum, pseudoGradient, rounding } from './lbfgs.ts';
import type { LinearParams } from './params.ts';

/** At most so many times the coefficients are gone over before they move together. */
const mostSweeps = 3;
/** At most so much of the columns' squares is what float32 errs by in any direction: 32 products are summed, of numbers that were rounded. */
const singleError = 36 * 2 ** -24;

export function solveSquares(design: Design, { l1, l2, tol, maxIter }: LinearParams): Minimum {
  const parabola = parabolaOf(design, l1, l2);
  const size = parabola.wanted.length;
  let point: Float64Array = new Float64Array(size);
  const gradient = new Float64Array(size);
  const slope = new Float64Array(size);
  const curve = [evaluate(parabola, point, gradient)];
  for (let round = 0; round < maxIter; round++) {
    pseudoGradient(point, gradient, l1, parabola.penalised, slope);
    if (largestOf(slope) <= tol) break;
    if (l1 > 0) for (let sweep = 0; sweep < mostSweeps && goOver(parabola, point, gradient); sweep++);
    let value = evaluate(parabola, point, gradient);
    // Those that became zero stay behind, so that there are fewer each time.
    for (let times = 0, some = true; some && times <= size; times++) {
      pseudoGradient(point, gradient, l1, parabola.penalised, slope);
      const step = stepTogether(parabola, point, slope);
      const whole = moved(parabola, point, step, 1);
      const best = evaluate(parabola, whole.point, gradient);
      some = whole.stopped;
      const next = best <= value ? whole : moved(parabola, point, step, firstZero(parabola, point, step));
      point = next.point;
      value = next === whole ? best : evaluate(parabola, point, gradient);
    }
    const fall = curve.at(-1)! - value;
    curve.push(value);
    if (fall <= rounding * Math.abs(value)) break;
  }
  return { point, curve };
}

/** constant − wantedᵀpoint + ½ pointᵀ matrix point + l1 · (the sizes of the first `penalised`) */
interface Parabola {
  matrix: Float64Array;
  wanted: Float64Array;
  constant: number;
  l1: number;
  penalised: number;
}

function parabolaOf(design: Design, l1: number, l2: number): Parabola {
  const { features, size } = design.loss;
  const all = singleAreEnough(design, l2) ? design.singleProducts! : doubleProducts(design);
  const matrix = new Float64Array(size * size);
  for (let f = 0; f < size; f++) matrix.set(all.subarray(f * (size + 1), f * (size + 1) + size), f * size);
  for (let f = 0; f < features; f++) matrix[f * size + f]! += l2;
  const wanted = all.subarray(size * (size + 1));
  return { matrix, wanted: wanted.subarray(0, size), constant: wanted[size]! / 2, l1, penalised: features };
}

/** Whether the penalty is larger than what float32 may have made of the parabola, so that it stays one wherever columns depend on each other. */
function singleAreEnough({ singleProducts, loss: { features, size } }: Design, l2: number): boolean {
  let squares = 0;
  for (let f = 0; singleProducts && f < features; f++) squares += singleProducts[f * (size + 1) + f]!;
  return singleProducts !== undefined && l2 >= squares * singleError;
}

function doubleProducts(design: Design): Float64Array {
  const { loss, rows } = design;
  design.products ??= products(rows, loss.means, ['ones', rows.targets], rows.weights, loss.onPass);
  return design.products;
}

/** @param gradient of all but the absolute values; is overwritten */
function evaluate({ matrix, wanted, constant, l1, penalised }: Parabola, point: Float64Array, gradient: Float64Array): number {
  const size = wanted.length;
  let value = constant + l1 * absolutes(point, penalised);
  multiply(matrix, point, gradient);
  for (let f = 0; f < size; f++) {
    value += point[f]! * (gradient[f]! / 2 - wanted[f]!);
    gradient[f]! -= wanted[f]!;
  }
  return value;
}

/**
 * Each coefficient, and last the intercept, to the minimum that it has beside the others as they are then; keeps the gradient.
 * @returns whether one has become zero, or has ceased to be
 */
function goOver({ matrix, l1, penalised }: Parabola, point: Float64Array, gradient: Float64Array): boolean {
  const size = point.length;
  let hasChanged = false;
  for (let f = 0; f < size; f++) {
    const second = matrix[f * size + f]!;
    if (!(second > 0)) continue;
    const best = shrink(second * point[f]! - gradient[f]!, f < penalised ? l1 : 0) / second;
    const by = best - point[f]!;
    if (by === 0) continue;
    hasChanged ||= best * point[f]! <= 0;
    point[f] = best;
    for (let g = 0; g < size; g++) gradient[g]! += by * matrix[f * size + g]!;
  }
  return hasChanged;
}

/** What takes those that are not zero, and the intercept, to their common minimum while they keep their signs; of the others 0. */
function stepTogether({ matrix, l1, penalised }: Parabola, point: Float64Array, slope: Float64Array): Float64Array {
  const size = point.length;
  const moving: number[] = [];
  for (let f = 0; f < size; f++) if (l1 === 0 || f >= penalised || point[f] !== 0) moving.push(f);
  const factor = new Float64Array(moving.length ** 2);
  moving.forEach((f, i) => {
    moving.forEach((g, j) => {
      factor[i * moving.length + j] = matrix[f * size + g]!;
    });
  });
  factorise(factor, moving.length);
  const step = Float64Array.from(moving, (f) => -slope[f]!);
  solveFactorised(factor, moving.length, step);
  const found = new Float64Array(size);
  moving.forEach((f, i) => {
    found[f] = step[i]!;
  });
  return found;
}

/** Where absolute values are penalised, whoever would change its sign becomes zero. */
function moved(
  { l1, penalised }: Parabola,
  point: Float64Array,
  step: Float64Array,
  length: number,
): { point: Float64Array; stopped: boolean } {
  let stopped = false;
  const next = point.map((own, f) => {
    const there = own + length * step[f]!;
    if (l1 === 0 || f >= penalised || own === 0 || there * Math.sign(own) > rounding * Math.abs(own)) return there;
    stopped = true;
    return 0;
  });
  return { point: next, stopped };
}

/** The part of a step at whose end the first of them is zero. */
function firstZero({ penalised }: Parabola, point: Float64Array, step: Float64Array): number {
  let length = 1;
  for (let f = 0; f < penalised; f++) if ((point[f]! + step[f]!) * point[f]! < 0) length = Math.min(length, -point[f]! / step[f]!);
  return length;
}
