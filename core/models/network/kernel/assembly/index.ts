/**
 * The inner loops of a network: training in float32, answering in float64. JavaScript (workspace.ts, training.ts) lays out the memory and passes
 * addresses. Each sum has one order, so that the bits are the same on every machine. Matrices are row-major; float32 ones have a multiple of 8
 * columns and of 4 rows, float64 ones of 4 and 4.
 */

/**
 * into = start + a · b
 * @param a [rows × inner]
 * @param b [inner × columns]
 * @param start a row to begin with
 * @param strip room for 32 bytes of each row of b
 */
function product<T>(
  a: usize,
  b: usize,
  start: usize,
  into: usize,
  rows: usize,
  inner: usize,
  columns: usize,
  strip: usize,
): void {
  const stride = columns * sizeof<T>();
  const row = inner * sizeof<T>();
  for (let j: usize = 0; j < stride; j += 32) {
    // A strip of b stays in the nearest cache while all rows of a pass: together, as rows a power of two apart would take each other's place there.
    for (let n: usize = 0; n < inner; n++) {
      const at = b + n * stride + j;
      const to = strip + (n << 5);
      v128.store(to, v128.load(at));
      v128.store(to, v128.load(at, 16), 16);
    }
    const left = v128.load(start + j);
    const right = v128.load(start + j, 16);
    for (let i: usize = 0; i < rows; i += 4) {
      let p = a + i * row;
      let q = strip;
      let c00 = left;
      let c01 = right;
      let c10 = left;
      let c11 = right;
      let c20 = left;
      let c21 = right;
      let c30 = left;
      let c31 = right;
      for (let n = inner; n > 0; n--) {
        const b0 = v128.load(q);
        const b1 = v128.load(q, 16);
        const a0 = v128.load_splat<T>(p);
        c00 = v128.add<T>(c00, v128.mul<T>(a0, b0));
        c01 = v128.add<T>(c01, v128.mul<T>(a0, b1));
        const a1 = v128.load_splat<T>(p + row);
        c10 = v128.add<T>(c10, v128.mul<T>(a1, b0));
        c11 = v128.add<T>(c11, v128.mul<T>(a1, b1));
        const a2 = v128.load_splat<T>(p + 2 * row);
        c20 = v128.add<T>(c20, v128.mul<T>(a2, b0));
        c21 = v128.add<T>(c21, v128.mul<T>(a2, b1));
        const a3 = v128.load_splat<T>(p + 3 * row);
        c30 = v128.add<T>(c30, v128.mul<T>(a3, b0));
        c31 = v128.add<T>(c31, v128.mul<T>(a3, b1));
        p += sizeof<T>();
        q += 32;
      }
      let to = into + i * stride + j;
      v128.store(to, c00);
      v128.store(to, c01, 16);
      to += stride;
      v128.store(to, c10);
      v128.store(to, c11, 16);
      to += stride;
      v128.store(to, c20);
      v128.store(to, c21, 16);
      to += stride;
      v128.store(to, c30);
      v128.store(to, c31, 16);
    }
  }
}

/** In float32. */
export function multiply(a: usize, b: usize, start: usize, into: usize, rows: usize, inner: usize, columns: usize, strip: usize): void {
  product<f32>(a, b, start, into, rows, inner, columns, strip);
}

/** In float64. Of integers the sums are exact. */
export function multiplyDoubles(a: usize, b: usize, start: usize, into: usize, rows: usize, inner: usize, columns: usize, strip: usize): void {
  product<f64>(a, b, start, into, rows, inner, columns, strip);
}

/** into [columns × rows] = a [rows × columns] */
export function transpose(a: usize, into: usize, rows: usize, columns: usize): void {
  const stride = columns << 2;
  const size = rows << 2;
  // What 32 rows become are two lines of the cache, which are fetched together and written before the next.
  for (let from: usize = 0; from < size; from += 128)
    for (let j: usize = 0; j < stride; j += 16)
      for (let i = from, end = min(from + 128, size); i < end; i += 16) transposeFour(a + (i >> 2) * stride + j, stride, into + (j >> 2) * size + i, size);
}

/** Four rows of four. */
// @ts-ignore: decorator
@inline
function transposeFour(a: usize, stride: usize, into: usize, size: usize): void {
  const a0 = v128.load(a);
  const a1 = v128.load(a + stride);
  const a2 = v128.load(a + 2 * stride);
  const a3 = v128.load(a + 3 * stride);
  const low01 = v128.shuffle<f32>(a0, a1, 0, 4, 1, 5);
  const low23 = v128.shuffle<f32>(a2, a3, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(a0, a1, 2, 6, 3, 7);
  const high23 = v128.shuffle<f32>(a2, a3, 2, 6, 3, 7);
  v128.store(into, v128.shuffle<f64>(low01, low23, 0, 2));
  v128.store(into + size, v128.shuffle<f64>(low01, low23, 1, 3));
  v128.store(into + 2 * size, v128.shuffle<f64>(high01, high23, 0, 2));
  v128.store(into + 3 * size, v128.shuffle<f64>(high01, high23, 1, 3));
}

/**
 * Rows of the table as the first layer takes them: each input is a column, clipped to a range that becomes 0 to 1, times a gain, less a shift.
 * @param which uint32 of each row of the batch, its row in the table
 * @param about of the inputs: uint32 columns, then float32 lows, per ranges, gains and shifts, each as many as inputs
 */
export function encode(table: usize, features: usize, which: usize, rows: usize, about: usize, inputs: usize, into: usize): void {
  const size = inputs << 2;
  const one = f32x4.splat(1);
  const zero = f32x4.splat(0);
  for (let i: usize = 0; i < rows; i++) {
    const row = table + ((<usize>load<u32>(which + (i << 2)) * features) << 2);
    for (let j: usize = 0; j < size; j += 16) {
      const at = about + j;
      let value = v128.load32_zero(row + (<usize>load<u32>(at) << 2));
      value = v128.load_lane<f32>(row + (<usize>load<u32>(at, 4) << 2), value, 1);
      value = v128.load_lane<f32>(row + (<usize>load<u32>(at, 8) << 2), value, 2);
      value = v128.load_lane<f32>(row + (<usize>load<u32>(at, 12) << 2), value, 3);
      const share = f32x4.mul(f32x4.sub(value, v128.load(at + size)), v128.load(at + 2 * size));
      const within = f32x4.min(one, f32x4.max(zero, share));
      v128.store(into + j, f32x4.sub(f32x4.mul(within, v128.load(at + 3 * size)), v128.load(at + 4 * size)));
    }
    into += size;
  }
}

/**
 * What is above 0, the others 0; of dropout some are 0 and the others larger.
 * @param state four uint32 of xorshift32 (Marsaglia 2003), one a lane; of those below `dropped` there is nothing left
 */
export function activate(a: usize, into: usize, size: usize, scale: f32, dropped: u32, state: usize): void {
  const zero = f32x4.splat(0);
  if (dropped == 0) {
    for (let i: usize = 0; i < size; i += 16) v128.store(into + i, f32x4.max(v128.load(a + i), zero));
    return;
  }
  const factor = f32x4.splat(scale);
  // Compared as signed, with the first bit turned.
  const turned = i32x4.splat(0x80000000);
  const least = i32x4.splat(dropped ^ 0x80000000);
  let random = v128.load(state);
  for (let i: usize = 0; i < size; i += 16) {
    random = v128.xor(random, i32x4.shl(random, 13));
    random = v128.xor(random, i32x4.shr_u(random, 17));
    random = v128.xor(random, i32x4.shl(random, 5));
    const gone = i32x4.lt_s(v128.xor(random, turned), least);
    v128.store(into + i, v128.andnot(f32x4.mul(f32x4.max(v128.load(a + i), zero), factor), gone));
  }
  v128.store(state, random);
}

/** gradient = gradient · scale where what `activate` gave is above 0, and 0 elsewhere */
export function deactivate(active: usize, gradient: usize, size: usize, scale: f32): void {
  const zero = f32x4.splat(0);
  const factor = f32x4.splat(scale);
  for (let i: usize = 0; i < size; i += 16)
    v128.store(gradient + i, v128.and(f32x4.mul(v128.load(gradient + i), factor), f32x4.gt(v128.load(active + i), zero)));
}

/** Row by row, as are all sums over rows: a column's values may be a power of two apart, and take each other's place in the cache. */
export function sumRows(a: usize, rows: usize, columns: usize, into: usize): void {
  const stride = columns << 2;
  memory.fill(into, 0, stride);
  for (const end = a + rows * stride; a < end; a += stride)
    for (let j: usize = 0; j < stride; j += 16) v128.store(into + j, f32x4.add(v128.load(into + j), v128.load(a + j)));
}

/**
 * Batch normalisation (Ioffe and Szegedy 2015): a becomes (a − mean) / deviation of its columns, into = a · gain + bias.
 * @param statistics gets the means, then one over each deviation
 */
export function normalise(a: usize, rows: usize, columns: usize, gain: usize, bias: usize, into: usize, statistics: usize, least: f32): void {
  const stride = columns << 2;
  const bytes = rows * stride;
  const share = f32x4.splat(1 / <f32>rows);
  const one = f32x4.splat(1);
  const deviations = statistics + stride;
  sumRows(a, rows, columns, statistics);
  for (let j: usize = 0; j < stride; j += 16) v128.store(statistics + j, f32x4.mul(v128.load(statistics + j), share));
  memory.fill(deviations, 0, stride);
  for (let i: usize = 0; i < bytes; i += stride)
    for (let j: usize = 0; j < stride; j += 16) {
      const off = f32x4.sub(v128.load(a + i + j), v128.load(statistics + j));
      v128.store(deviations + j, f32x4.add(v128.load(deviations + j), f32x4.mul(off, off)));
    }
  for (let j: usize = 0; j < stride; j += 16) {
    const variance = f32x4.mul(v128.load(deviations + j), share);
    v128.store(deviations + j, f32x4.div(one, f32x4.sqrt(f32x4.add(variance, f32x4.splat(least)))));
  }
  for (let i: usize = 0; i < bytes; i += stride)
    for (let j: usize = 0; j < stride; j += 16) {
      const own = f32x4.mul(f32x4.sub(v128.load(a + i + j), v128.load(statistics + j)), v128.load(deviations + j));
      v128.store(a + i + j, own);
      v128.store(into + i + j, f32x4.add(f32x4.mul(own, v128.load(gain + j)), v128.load(bias + j)));
    }
}

/** The way back: the gradient of what `normalise` gave becomes that of what it took. @param per one over the deviations */
export function denormalise(normal: usize, gradient: usize, rows: usize, columns: usize, gain: usize, per: usize, gains: usize, biases: usize): void {
  const stride = columns << 2;
  const bytes = rows * stride;
  const share = f32x4.splat(1 / <f32>rows);
  sumRows(gradient, rows, columns, biases);
  memory.fill(gains, 0, stride);
  for (let i: usize = 0; i < bytes; i += stride)
    for (let j: usize = 0; j < stride; j += 16) {
      const along = f32x4.mul(v128.load(gradient + i + j), v128.load(normal + i + j));
      v128.store(gains + j, f32x4.add(v128.load(gains + j), along));
    }
  for (let i: usize = 0; i < bytes; i += stride)
    for (let j: usize = 0; j < stride; j += 16) {
      const at = gradient + i + j;
      const mean = f32x4.mul(v128.load(biases + j), share);
      const along = f32x4.mul(v128.load(gains + j), share);
      const rest = f32x4.sub(f32x4.sub(v128.load(at), mean), f32x4.mul(v128.load(normal + i + j), along));
      v128.store(at, f32x4.mul(rest, f32x4.mul(v128.load(gain + j), v128.load(per + j))));
    }
}

/** e^t for t ≤ 0: 2^n by the exponent's bits, times Taylor's polynomial of the rest. */
// @ts-ignore: decorator
@inline
function exponential(t: f32): f32 {
  const x = max<f32>(t * 1.44269504, -100);
  const whole = nearest(x);
  const s = (x - whole) * <f32>0.693147181;
  let power: f32 = 1.0 / 720.0;
  power = power * s + <f32>(1.0 / 120.0);
  power = power * s + <f32>(1.0 / 24.0);
  power = power * s + <f32>(1.0 / 6.0);
  power = power * s + <f32>0.5;
  power = power * s + 1;
  power = power * s + 1;
  return power * reinterpret<f32>((<i32>whole + 127) << 23);
}

/**
 * Scores of classes become probabilities.
 * @param truth uint32 of each row, its class, whose probability goes to `into`
 */
export function softmax(scores: usize, rows: usize, classes: usize, columns: usize, truth: usize, into: usize): void {
  for (let i: usize = 0; i < rows; i++) {
    let most: f32 = -Infinity;
    for (let k: usize = 0; k < classes; k++) most = max(most, load<f32>(scores + (k << 2)));
    let sum: f32 = 0;
    for (let k: usize = 0; k < classes; k++) {
      const own = exponential(load<f32>(scores + (k << 2)) - most);
      store<f32>(scores + (k << 2), own);
      sum += own;
    }
    for (let k: usize = 0; k < classes; k++) store<f32>(scores + (k << 2), load<f32>(scores + (k << 2)) / sum);
    store<f32>(into + (i << 2), load<f32>(scores + (<usize>load<u32>(truth + (i << 2)) << 2)));
    scores += columns << 2;
  }
}

/** Probabilities become the gradient of the cross entropy. @param weights of the rows @param smoothing what is spread over all classes */
export function crossEntropy(scores: usize, rows: usize, classes: usize, columns: usize, truth: usize, weights: usize, smoothing: f32): void {
  const each = smoothing / <f32>classes;
  for (let i: usize = 0; i < rows; i++) {
    const weight = load<f32>(weights + (i << 2));
    const own = <usize>load<u32>(truth + (i << 2));
    for (let k: usize = 0; k < classes; k++) {
      const wanted = each + (k == own ? 1 - smoothing : 0);
      store<f32>(scores + (k << 2), (load<f32>(scores + (k << 2)) - wanted) * weight);
    }
    scores += columns << 2;
  }
}

/**
 * A step of Adam with decoupled decay (Loshchilov and Hutter 2019), and the mean of all steps so far, which weighs late ones more.
 * @param rate of the step, with the first moment's correction; `correction` that of the second
 * @param kept what decay leaves of a weight @param share of this step in the mean
 */
export function adam(
  at: usize,
  gradient: usize,
  first: usize,
  second: usize,
  mean: usize,
  size: usize,
  rate: f32,
  correction: f32,
  kept: f32,
  share: f32,
): void {
  const decay1 = f32x4.splat(0.9);
  const rest1 = f32x4.splat(0.1);
  const decay2 = f32x4.splat(0.99);
  const rest2 = f32x4.splat(0.01);
  const tiny = f32x4.splat(1e-8);
  const length = f32x4.splat(rate);
  const corrected = f32x4.splat(correction);
  const left = f32x4.splat(kept);
  const part = f32x4.splat(share);
  for (let i: usize = 0; i < size; i += 16) {
    const slope = v128.load(gradient + i);
    const m = f32x4.add(f32x4.mul(decay1, v128.load(first + i)), f32x4.mul(rest1, slope));
    const v = f32x4.add(f32x4.mul(decay2, v128.load(second + i)), f32x4.mul(rest2, f32x4.mul(slope, slope)));
    v128.store(first + i, m);
    v128.store(second + i, v);
    const by = f32x4.div(f32x4.mul(length, m), f32x4.add(f32x4.mul(f32x4.sqrt(v), corrected), tiny));
    const own = f32x4.sub(f32x4.mul(v128.load(at + i), left), by);
    v128.store(at + i, own);
    const average = v128.load(mean + i);
    v128.store(mean + i, f32x4.add(average, f32x4.mul(f32x4.sub(own, average), part)));
  }
}
