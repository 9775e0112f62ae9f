/** The inner loops of training with the rbf kernel. JavaScript (kernel-rows.ts, smo.ts) lays out the memory and passes addresses. */

const LOG2E: f32 = 1.44269504;
const LN2: f32 = 0.693147181;
/** Of these and smaller powers of two nothing is left. */
const LOWEST: f32 = -100;

/** e^-t of four t ≥ 0: 2^n by the exponent's bits, times Taylor's polynomial of the rest, which is exactly 1 where t is 0. */
// @ts-ignore: decorator
@inline
function decay(t: v128): v128 {
  const x = f32x4.max(f32x4.mul(t, f32x4.splat(-LOG2E)), f32x4.splat(LOWEST));
  const whole = f32x4.nearest(x);
  const s = f32x4.mul(f32x4.sub(x, whole), f32x4.splat(LN2));
  let power = f32x4.splat(1.0 / 720.0);
  power = f32x4.add(f32x4.mul(power, s), f32x4.splat(1.0 / 120.0));
  power = f32x4.add(f32x4.mul(power, s), f32x4.splat(1.0 / 24.0));
  power = f32x4.add(f32x4.mul(power, s), f32x4.splat(1.0 / 6.0));
  power = f32x4.add(f32x4.mul(power, s), f32x4.splat(0.5));
  power = f32x4.add(f32x4.mul(power, s), f32x4.splat(1));
  power = f32x4.add(f32x4.mul(power, s), f32x4.splat(1));
  const exponent = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(whole), i32x4.splat(127)), 23);
  return f32x4.mul(power, exponent);
}

/**
 * into[i] = e^−Σ (columns[f][i] − columns[f][row])²
 * @param stride rows of a column with what fills it up to a multiple of 16
 */
export function makeRow(columns: usize, features: u32, stride: u32, row: u32, into: usize): void {
  const step = <usize>stride << 2;
  const end = columns + step * features;
  for (let i: usize = 0; i < step; i += 64) {
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    for (let column = columns; column < end; column += step) {
      const own = f32x4.splat(load<f32>(column + (<usize>row << 2)));
      const at = column + i;
      const da = f32x4.sub(v128.load(at), own);
      const db = f32x4.sub(v128.load(at, 16), own);
      const dc = f32x4.sub(v128.load(at, 32), own);
      const dd = f32x4.sub(v128.load(at, 48), own);
      a = f32x4.add(a, f32x4.mul(da, da));
      b = f32x4.add(b, f32x4.mul(db, db));
      c = f32x4.add(c, f32x4.mul(dc, dc));
      d = f32x4.add(d, f32x4.mul(dd, dd));
    }
    v128.store(into + i, decay(a));
    v128.store(into + i, decay(b), 16);
    v128.store(into + i, decay(c), 32);
    v128.store(into + i, decay(d), 48);
  }
}

/** What the last step found, see smo.ts. */
export let first: i32 = -1;
export let least: f64 = 0;
export let most: f64 = 0;

/** gradient += by · (rowI − rowJ), and where the next step begins. */
export function step(at: usize, gradient: usize, rise: usize, fall: usize, active: u32, rowI: usize, rowJ: usize, by: f64): void {
  let place: i32 = -1;
  let low: f64 = Infinity;
  let high: f64 = -Infinity;
  for (let v: usize = 0; v < active; v++) {
    const row = <usize>load<u32>(at + (v << 2)) << 2;
    const slope = load<f64>(gradient + (v << 3)) + by * (<f64>load<f32>(rowI + row) - <f64>load<f32>(rowJ + row));
    store<f64>(gradient + (v << 3), slope);
    const up = slope + load<f64>(rise + (v << 3));
    if (up < low) {
      low = up;
      place = <i32>v;
    }
    high = max(high, slope + load<f64>(fall + (v << 3)));
  }
  first = place;
  least = low;
  most = high;
}

/** Which of those that may fall gains most with the first, whose row it is; -1 where none does. */
export function partner(at: usize, gradient: usize, fall: usize, active: u32, row: usize, from: f64, leastCurvature: f64): i32 {
  let best: i32 = -1;
  let gain: f64 = 0;
  for (let v: usize = 0; v < active; v++) {
    const difference = load<f64>(gradient + (v << 3)) + load<f64>(fall + (v << 3)) - from;
    if (difference <= 0) continue;
    const curvature = max<f64>(2 - 2 * <f64>load<f32>(row + (<usize>load<u32>(at + (v << 2)) << 2)), leastCurvature);
    // A division only for the best so far.
    if (difference * difference > gain * curvature) {
      gain = (difference * difference) / curvature;
      best = <i32>v;
    }
  }
  return best;
}

/** gradient += own · row, of the variables from a place on. */
export function addRow(at: usize, gradient: usize, from: u32, size: u32, row: usize, own: f64): void {
  for (let v = <usize>from; v < size; v++) {
    const place = gradient + (v << 3);
    store<f64>(place, load<f64>(place) + own * <f64>load<f32>(row + (<usize>load<u32>(at + (v << 2)) << 2)));
  }
}
