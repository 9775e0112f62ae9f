/** Gradients and hessians of each objective, as integers of 30 bits. */
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
function put(row: u32, gradient: f64, hessian: f64): void {
  const exact = <usize>run.exact + (<usize>row << 3);
  store<i32>(exact, <i32>nearest(gradient));
  store<i32>(exact, <i32>nearest(hessian), 4);
}

/** Of four real numbers, up to 0, as float32 to six digits. */
// @ts-ignore: decorator
@inline
function exp4(x: v128): v128 {
  const bounded = f32x4.max(x, f32x4.splat(-80));
  const k = f32x4.nearest(f32x4.mul(bounded, f32x4.splat(<f32>LOG2E)));
  // ln 2 in two parts, of which the first has so few bits that its products with k are exact.
  const high = f32x4.sub(bounded, f32x4.mul(k, f32x4.splat(0.693359375)));
  const r = f32x4.sub(high, f32x4.mul(k, f32x4.splat(<f32>(LN2 - 0.693359375))));
  let p = f32x4.splat(1.0 / 720.0);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.0 / 120.0));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.0 / 24.0));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.0 / 6.0));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.5));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1));
  return f32x4.mul(p, i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(k), i32x4.splat(127)), 23));
}

/** As `put`, for four rows from `row` on. */
// @ts-ignore: decorator
@inline
function put4(row: u32, gradients: v128, hessians: v128): void {
  const g = i32x4.trunc_sat_f32x4_s(f32x4.nearest(gradients));
  const h = i32x4.trunc_sat_f32x4_s(f32x4.nearest(hessians));
  const exact = <usize>run.exact + (<usize>row << 3);
  v128.store(exact, v128.shuffle<i32>(g, h, 0, 4, 1, 5));
  v128.store(exact, v128.shuffle<i32>(g, h, 2, 6, 3, 7), 16);
}

/** Four float64 as float32. */
// @ts-ignore: decorator
@inline
function load4(at: usize): v128 {
  return v128.shuffle<i32>(f32x4.demote_f64x2_zero(v128.load(at)), f32x4.demote_f64x2_zero(v128.load(at, 16)), 0, 1, 4, 5);
}

/** Of two classes, four rows at a time: behind the last there is room for three more, as memory is taken in pieces of 64 bytes. */
function fillLogistic(low: u32, high: u32): void {
  const scores = <usize>run.scores;
  const target = <usize>run.target;
  const weights = <usize>run.weights;
  const one = f32x4.splat(1);
  const none = f32x4.splat(0);
  const weight0 = f32x4.splat(<f32>load<f64>(weights));
  const weight1 = f32x4.splat(<f32>load<f64>(weights, 8));
  const gScale = f32x4.splat(<f32>(1.0 / run.gradientUnit));
  const hScale = f32x4.splat(<f32>(1.0 / run.hessianUnit));
  for (let row = low; row < high; row += 4) {
    const score = f32x4.mul(load4(scores + (<usize>row << 3)), f32x4.splat(<f32>SCORE_UNIT));
    const isOne = f32x4.gt(load4(target + (<usize>row << 3)), none);
    const e = exp4(f32x4.neg(f32x4.abs(score)));
    // The probabilities of the class that the score says, and of the other.
    const likely = f32x4.div(one, f32x4.add(one, e));
    const unlikely = f32x4.mul(e, likely);
    const isWrong = v128.xor(f32x4.ge(score, none), isOne);
    const miss = v128.bitselect(likely, unlikely, isWrong);
    const weight = v128.bitselect(weight1, weight0, isOne);
    const g = v128.bitselect(f32x4.neg(miss), miss, isOne);
    put4(row, f32x4.mul(f32x4.mul(g, weight), gScale), f32x4.mul(f32x4.mul(f32x4.mul(likely, unlikely), weight), hScale));
  }
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
  if (objective == 0) {
    fillLogistic(task * CHUNK, end);
    return;
  }
  for (let row = task * CHUNK; row < end; row++) {
    const target = load<f64>(<usize>run.target + (<usize>row << 3));
    if (objective == 1) {
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
