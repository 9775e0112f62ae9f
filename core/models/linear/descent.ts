/**
 * Gradient descent: on all rows, on batches (Robbins and Monro 1951), or with Adam's steps (Kingma and Ba 2015). Absolute values are
 * taken by their proximal step, which makes zeros of small coefficients, in each.
 */
import { Random } from '../../random.ts';
import type { Design } from './design.ts';
import { absolutes, type Minimum } from './lbfgs.ts';
import type { Rows } from './loss.ts';
import type { LinearParams } from './params.ts';

/** Epochs that may pass without the loss having fallen by tol. */
const patience = 5;
const adamRate = 0.05;
const [decay1, decay2, tiny] = [0.9, 0.999, 1e-8];

/** Where a descent is: all that its next epoch depends on. */
export interface DescentPlace extends Minimum {
  /** At the point. */
  gradient: Float64Array;
  best: { point: Float64Array; value: number };
  since: number;
  mark: number;
  moments: Moments;
}

/** Adam's, and the powers of their decays. */
interface Moments {
  first: Float64Array;
  second: Float64Array;
  bias1: number;
  bias2: number;
}

/** Epoch by epoch. @param from where a former attempt was */
export function* descending(
  design: Design,
  params: LinearParams,
  seed: number,
  from?: DescentPlace,
): Generator<() => DescentPlace, Minimum> {
  const { loss, rows } = design;
  const { l1, l2, solver, maxIter, tol } = params;
  const penalised = loss.outputs * loss.features;
  const gradient = from?.gradient ?? new Float64Array(loss.size);
  const point = from?.point ?? new Float64Array(loss.size);
  const moments = from?.moments ?? { first: new Float64Array(loss.size), second: new Float64Array(loss.size), bias1: 1, bias2: 1 };
  const whole = (at: Float64Array) => loss.evaluate(rows, at, l2, gradient) + l1 * absolutes(at, penalised);
  const curve = from?.curve ?? [whole(point)];
  let best = from?.best ?? { point: point.slice(), value: curve[0]! };
  let since = from?.since ?? 0;
  let mark = from?.mark ?? curve[0]!;
  const step = solver === 'gd' ? fullSteps(design, params, gradient) : batchSteps(design, params, seed, moments, curve.length - 1);
  const place = (): DescentPlace => ({ point, curve, gradient, best, since, mark, moments });
  while (curve.length <= maxIter && since < patience) {
    step(point, curve.length - 1);
    const value = whole(point);
    curve.push(value);
    if (!Number.isFinite(value)) break;
    if (value < best.value) best = { point: point.slice(), value };
    since = value < mark - tol ? 0 : since + 1;
    if (since === 0) mark = value;
    yield place;
  }
  return { point: best.point, curve };
}

type Step = (point: Float64Array, epoch: number) => void;

/** `gradient` holds that of the point, from when the epoch before was judged. */
function fullSteps(design: Design, { l1, l2, learningRate }: LinearParams, gradient: Float64Array): Step {
  const { loss } = design;
  const length = (learningRate ?? 1) / curvature(design, design.rows.count, l2);
  return (point) => {
    for (let i = 0; i < point.length; i++) {
      const moved = point[i]! - length * gradient[i]!;
      point[i] = i < loss.outputs * loss.features ? shrink(moved, length * l1) : moved;
    }
  };
}

/** @param epochs that are done already */
function batchSteps(design: Design, params: LinearParams, seed: number, moments: Moments, epochs: number): Step {
  const { loss, rows } = design;
  const { l1, l2, learningRate, batchSize, solver } = params;
  const penalised = loss.outputs * loss.features;
  const random = new Random(seed);
  const order = Int32Array.from({ length: rows.count }, (_, i) => i);
  // The order follows from how often it was changed.
  for (let epoch = 0; epoch < epochs; epoch++) random.shuffle(order);
  const size = Math.min(batchSize, rows.count);
  const batch: Rows = {
    columns: rows.columns.map(() => new Float32Array(size)),
    count: size,
    targets: new Float64Array(size),
    weights: new Float64Array(size),
  };
  const gradient = new Float64Array(loss.size);
  const { first, second } = moments;
  const length = solver === 'sgd' ? (learningRate ?? 1) / curvature(design, size, l2) : (learningRate ?? adamRate);
  return (point, epoch) => {
    const rate = length / (1 + epoch / 4);
    random.shuffle(order);
    for (let at = 0; at < rows.count; at += size) {
      const count = Math.min(size, rows.count - at);
      fill(batch, rows, order, at, count);
      loss.evaluate({ ...batch, count }, point, l2, gradient);
      if (solver === 'sgd') {
        for (let i = 0; i < point.length; i++) {
          const moved = point[i]! - rate * gradient[i]!;
          point[i] = i < penalised ? shrink(moved, rate * l1) : moved;
        }
        continue;
      }
      moments.bias1 *= decay1;
      moments.bias2 *= decay2;
      const { bias1, bias2 } = moments;
      for (let i = 0; i < point.length; i++) {
        const slope = gradient[i]!;
        first[i] = decay1 * first[i]! + (1 - decay1) * slope;
        second[i] = decay2 * second[i]! + (1 - decay2) * slope * slope;
        const own = rate / (Math.sqrt(second[i]! / (1 - bias2)) + tiny);
        const moved = point[i]! - (own * first[i]!) / (1 - bias1);
        point[i] = i < penalised ? shrink(moved, own * l1) : moved;
      }
    }
  };
}

function fill(batch: Rows, rows: Rows, order: Int32Array, at: number, count: number): void {
  for (let f = 0; f < rows.columns.length; f++) {
    const from = rows.columns[f]!;
    const into = batch.columns[f]!;
    for (let i = 0; i < count; i++) into[i] = from[order[at + i]!]!;
  }
  for (let i = 0; i < count; i++) {
    batch.targets[i] = rows.targets[order[at + i]!]!;
    batch.weights![i] = rows.weights ? rows.weights[order[at + i]!]! : 1;
  }
}

/** Towards zero, and no further. */
export function shrink(value: number, by: number): number {
  return value > by ? value - by : value < -by ? value + by : 0;
}

/** How much of the loss's second derivative a margin can have. */
const steepest = { squared: 1, logistic: 0.25, softmax: 0.5, squaredHinge: 2, squaredEpsilon: 2 };
const powerIterations = 20;

/**
 * The largest second derivative of the loss in any direction, for a batch of so many rows: of all rows by power iteration, and a
 * single row's on top of it, by one over the size (Gower et al. 2019, expected smoothness).
 */
function curvature({ loss, rows }: Design, batch: number, l2: number): number {
  const { means, features } = loss;
  const margins = new Float64Array(rows.count);
  const direction = new Float64Array(features + 1).fill(1 / Math.sqrt(features + 1));
  let largest = 0;
  for (let i = 0; i < powerIterations; i++) {
    margins.fill(direction[features]!);
    for (let f = 0; f < features; f++) {
      const column = rows.columns[f]!;
      for (let row = 0; row < rows.count; row++) margins[row]! += direction[f]! * (column[row]! - means[f]!);
    }
    if (rows.weights) for (let row = 0; row < rows.count; row++) margins[row]! *= rows.weights[row]!;
    let square = 0;
    for (let f = 0; f <= features; f++) {
      const column = rows.columns[f];
      let sum = 0;
      for (let row = 0; row < rows.count; row++) sum += margins[row]! * (column ? column[row]! - means[f]! : 1);
      direction[f] = sum / rows.count;
      square += direction[f]! ** 2;
    }
    largest = Math.sqrt(square);
    for (let f = 0; f <= features; f++) direction[f]! /= largest || 1;
  }
  const norms = new Float64Array(rows.count).fill(1);
  for (let f = 0; f < features; f++) for (let row = 0; row < rows.count; row++) norms[row]! += (rows.columns[f]![row]! - means[f]!) ** 2;
  let longest = 0;
  norms.forEach((norm, row) => {
    longest = Math.max(longest, norm * (rows.weights ? rows.weights[row]! : 1));
  });
  const share = batch >= rows.count ? 0 : 1 / batch;
  // Power iteration comes from below.
  return steepest[loss.kind] * (1.05 * largest + share * longest) + l2;
}
