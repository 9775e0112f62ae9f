/**
 * The inner loops of a network: training in float32, answering in float64. JavaScript (workspace.ts, training.ts) lays out the memory and passes
 * addresses. Each sum has one order, so that the bits are the same on every machine. Matrices are row-major; float32 ones have a multiple of 8
 * columns and of 4 rows, float64 ones of 4 and 4.
 */

/**
 * into = start + a · b
 * @param aRow bytes from a row of a to the next, `aStep` from a number of its rows to the next: a matrix is read transposed where they are swapped
 * @param b [inner × columns]
 * @param start a row to begin with
 */
function product<T>(
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  start: usize,
  into: usize,
  rows: usize,
  inner: usize,
  columns: usize,
): void {
  const stride = columns * sizeof<T>();
  // A strip of b of 32 bytes stays in the nearest cache while all rows of a pass.
  for (let j: usize = 0; j < stride; j += 32) {
    const left = v128.load(start + j);
    const right = v128.load(start + j, 16);
    for (let i: usize = 0; i < rows; i += 4) {
      let p = a + i * aRow;
      let q = b + j;
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
        const a1 = v128.load_splat<T>(p + aRow);
        c10 = v128.add<T>(c10, v128.mul<T>(a1, b0));
        c11 = v128.add<T>(c11, v128.mul<T>(a1, b1));
        const a2 = v128.load_splat<T>(p + 2 * aRow);
        c20 = v128.add<T>(c20, v128.mul<T>(a2, b0));
        c21 = v128.add<T>(c21, v128.mul<T>(a2, b1));
        const a3 = v128.load_splat<T>(p + 3 * aRow);
        c30 = v128.add<T>(c30, v128.mul<T>(a3, b0));
        c31 = v128.add<T>(c31, v128.mul<T>(a3, b1));
        p += aStep;
        q += stride;
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
export function multiply(
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  start: usize,
  into: usize,
  rows: usize,
  inner: usize,
  columns: usize,
): void {
  product<f32>(a, aRow, aStep, b, start, into, rows, inner, columns);
}

/** In float64; a [rows × inner]. Of integers the sums are exact. */
export function multiplyDoubles(a: usize, b: usize, start: usize, into: usize, rows: usize, inner: usize, columns: usize): void {
  product<f64>(a, inner << 3, 8, b, start, into, rows, inner, columns);
}

/** into [columns × rows] = a [rows × columns] */
export function transpose(a: usize, into: usize, rows: usize, columns: usize): void {
  for (let i: usize = 0; i < rows; i++)
    for (let j: usize = 0; j < columns; j++) store<f32>(into + ((j * rows + i) << 2), load<f32>(a + ((i * columns + j) << 2)));
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

export function sumRows(a: usize, rows: usize, columns: usize, into: usize): void {
  const stride = columns << 2;
  for (let j: usize = 0; j < stride; j += 16) {
    let sum = f32x4.splat(0);
    for (let at = a + j, end = at + rows * stride; at < end; at += stride) sum = f32x4.add(sum, v128.load(at));
    v128.store(into + j, sum);
  }
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
  for (let j: usize = 0; j < stride; j += 16) {
    let sum = f32x4.splat(0);
    for (let i: usize = 0; i < bytes; i += stride) sum = f32x4.add(sum, v128.load(a + i + j));
    const mean = f32x4.mul(sum, share);
    let squares = f32x4.splat(0);
    for (let i: usize = 0; i < bytes; i += stride) {
      const off = f32x4.sub(v128.load(a + i + j), mean);
      squares = f32x4.add(squares, f32x4.mul(off, off));
    }
    const per = f32x4.div(one, f32x4.sqrt(f32x4.add(f32x4.mul(squares, share), f32x4.splat(least))));
    v128.store(statistics + j, mean);
    v128.store(statistics + stride + j, per);
    const g = v128.load(gain + j);
    const b = v128.load(bias + j);
    for (let i: usize = 0; i < bytes; i += stride) {
      const own = f32x4.mul(f32x4.sub(v128.load(a + i + j), mean), per);
      v128.store(a + i + j, own);
      v128.store(into + i + j, f32x4.add(f32x4.mul(own, g), b));
    }
  }
}

/** The way back: the gradient of what `normalise` gave becomes that of what it took. @param per one over the deviations */
export function denormalise(normal: usize, gradient: usize, rows: usize, columns: usize, gain: usize, per: usize, gains: usize, biases: usize): void {
  const stride = columns << 2;
  const bytes = rows * stride;
  const share = f32x4.splat(1 / <f32>rows);
  for (let j: usize = 0; j < stride; j += 16) {
    let sum = f32x4.splat(0);
    let product = f32x4.splat(0);
    for (let i: usize = 0; i < bytes; i += stride) {
      const own = v128.load(gradient + i + j);
      sum = f32x4.add(sum, own);
      product = f32x4.add(product, f32x4.mul(own, v128.load(normal + i + j)));
    }
    v128.store(biases + j, sum);
    v128.store(gains + j, product);
    const factor = f32x4.mul(v128.load(gain + j), v128.load(per + j));
    const mean = f32x4.mul(sum, share);
    const along = f32x4.mul(product, share);
    for (let i: usize = 0; i < bytes; i += stride) {
      const at = gradient + i + j;
      const rest = f32x4.sub(f32x4.sub(v128.load(at), mean), f32x4.mul(v128.load(normal + i + j), along));
      v128.store(at, f32x4.mul(rest, factor));
    }
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
