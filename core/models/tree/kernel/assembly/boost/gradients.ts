/** Gradients and hessians of each objective, as integers. */
import { CHUNK, chunks, run } from './run';

/** A unit of a score and of a leaf. */
export const SCORE_UNIT: f64 = 1.0 / 4194304.0;
const ONE: f64 = 1073741824.0;
const LOG2E: f64 = 1.4426950408889634;
const LN2: f64 = 0.6931471805599453;

/** e^x to nine digits, by Taylor's polynomial between two powers of two: training has its own, which need not be a graph's. */
// @ts-ignore: decorator
@inline
function exp(x: f64): f64 {
  const bounded = max(-700.0, min(700.0, x));
  const k = nearest(bounded * LOG2E);
  const r = bounded - k * LN2;
  const high = 1.0 / 5040.0 * r + 1.0 / 720.0;
  const p = ((((high * r + 1.0 / 120.0) * r + 1.0 / 24.0) * r + 1.0 / 6.0) * r + 0.5) * r * r + r + 1.0;
  return p * reinterpret<f64>((<i64>k + 1023) << 52);
}

// @ts-ignore: decorator
@inline
function hash(value: u32): u32 {
  let h = run.seed ^ (value * 0x9e3779b1);
  h = (h ^ (h >> 16)) * 0x85ebca6b;
  h = (h ^ (h >> 13)) * 0xc2b2ae35;
  return h ^ (h >> 16);
}

// @ts-ignore: decorator
@inline
function put(row: u32, gradient: f64, hessian: f64): void {
  const g = <i32>nearest(gradient);
  const h = <i32>nearest(hessian);
  const exact = <usize>run.exact + (<usize>row << 3);
  store<i32>(exact, g);
  store<i32>(exact, h, 4);
  const shift = 30 - run.bits;
  const mask: u32 = (1 << shift) - 1;
  const drawn = run.stochastic ? hash(row) : 0;
  const half = (1 << shift) >> 1;
  const roundG = run.stochastic ? drawn & mask : half;
  const roundH = run.stochastic ? (drawn * 0x9e3779b1) >> (32 - shift) : half;
  const q = <i64>((g + <i32>roundG) >> shift);
  store<i64>(<usize>run.packed + (<usize>row << 3), (q << 32) + <i64>((<u32>h + roundH) >> shift));
}

/** A softmax's probabilities of a chunk of rows. */
export function fillShares(task: u32): void {
  const rows = <usize>run.rows;
  const all = <usize>run.allRows;
  const end = min(run.rows, (task + 1) * CHUNK);
  for (let row: usize = task * CHUNK; row < end; row++) {
    let top = -Infinity;
    for (let k: usize = 0; k < run.outputs; k++) top = max(top, load<f64>(run.scores + ((k * all + row) << 3)));
    let sum: f64 = 0;
    for (let k: usize = 0; k < run.outputs; k++) {
      const share = exp((load<f64>(run.scores + ((k * all + row) << 3)) - top) * SCORE_UNIT);
      store<f64>(run.shares + ((k * rows + row) << 3), share);
      sum += share;
    }
    for (let k: usize = 0; k < run.outputs; k++) {
      const at = run.shares + ((k * rows + row) << 3);
      store<f64>(at, load<f64>(at) / sum);
    }
  }
}

/** The largest residual of a chunk of rows. */
export function findLargest(task: u32): void {
  let most: f64 = 0;
  const end = min(run.rows, (task + 1) * CHUNK);
  for (let row: usize = task * CHUNK; row < end; row++)
    most = max(most, abs(load<f64>(run.scores + (row << 3)) * SCORE_UNIT - load<f64>(run.target + (row << 3))));
  store<f64>(run.tasks + (<usize>task << 3), most);
}

export function largestResidual(): f64 {
  let most: f64 = 0;
  for (let task: usize = 0; task < chunks(run.rows); task++) most = max(most, load<f64>(run.tasks + (task << 3)));
  return most;
}

export function fillGradients(task: u32): void {
  const end = min(run.rows, (task + 1) * CHUNK);
  const scores = <usize>run.scores + (<usize>run.output * run.allRows << 3);
  const g = 1.0 / run.gradientUnit;
  const h = 1.0 / run.hessianUnit;
  const objective = run.objective;
  for (let row = task * CHUNK; row < end; row++) {
    const target = load<f64>(<usize>run.target + (<usize>row << 3));
    if (objective == 0) {
      const weight = load<f64>(<usize>run.weights + (<usize>target << 3));
      const p = 1.0 / (1.0 + exp(-load<f64>(scores + (<usize>row << 3)) * SCORE_UNIT));
      put(row, (p - target) * weight * g, p * (1.0 - p) * weight * h);
    } else if (objective == 1) {
      const weight = load<f64>(<usize>run.weights + (<usize>target << 3));
      const p = load<f64>(<usize>run.shares + ((<usize>run.output * run.rows + row) << 3));
      put(row, (p - (<u32>target == run.output ? 1.0 : 0.0)) * weight * g, p * (1.0 - p) * weight * h);
    } else {
      const residual = load<f64>(scores + (<usize>row << 3)) * SCORE_UNIT - target;
      // A row on the quantile pulls it neither way.
      const pull = residual > 0 ? 1.0 - run.quantile : residual < 0 ? -run.quantile : 0.0;
      put(row, (objective == 2 ? residual : pull) * g, ONE);
    }
  }
}
