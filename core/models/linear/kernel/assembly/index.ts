/**
 * The inner loops over columns: what is in one, and the products of all pairs. JavaScript (column-loops.ts) lays out the memory and passes addresses.
 * Each sum has one order, so that the bits are the same on every machine.
 */

export { factorise, multiply, solve } from './cholesky';

/** Rows whose products are summed before they are added to the matrix; of some thirty columns they stay in the nearest cache. */
const BLOCK: usize = 128;
const COLUMN: usize = BLOCK << 3;
const SINGLE_COLUMN: usize = BLOCK << 2;

/** What `look` found so far: whether all values are finite, whether they differ; the largest of the finite ones' sizes; the sum of all. */
export let finite: i32 = 1;
export let varies: i32 = 0;
export let most: f32 = 0;
export let sum: f64 = 0;
let first: f32 = 0;

/** @param isFirst whether a column begins here @param count a multiple of 4 but at the column's end */
export function look(column: usize, count: usize, isFirst: boolean): void {
  if (isFirst) {
    finite = 1;
    varies = 0;
    most = 0;
    sum = 0;
    first = load<f32>(column);
  }
  const infinity = f32x4.splat(Infinity);
  const same = f32x4.splat(first);
  let odd = i32x4.splat(0);
  let other = i32x4.splat(0);
  let large = f32x4.splat(most);
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  const end = column + (count << 2);
  const whole = column + ((count & ~3) << 2);
  let at = column;
  for (; at < whole; at += 16) {
    const value = v128.load(at);
    const size = f32x4.abs(value);
    const isFinite = f32x4.lt(size, infinity);
    odd = v128.or(odd, v128.not(isFinite));
    other = v128.or(other, f32x4.ne(value, same));
    large = f32x4.pmax(large, v128.and(size, isFinite));
    low = f64x2.add(low, f64x2.promote_low_f32x4(value));
    high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<f32>(value, value, 2, 3, 2, 3)));
  }
  if (v128.any_true(odd)) finite = 0;
  if (v128.any_true(other)) varies = 1;
  most = max(max(f32x4.extract_lane(large, 0), f32x4.extract_lane(large, 1)), max(f32x4.extract_lane(large, 2), f32x4.extract_lane(large, 3)));
  low = f64x2.add(low, high);
  let total = f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1);
  for (; at < end; at += 4) {
    const value = load<f32>(at);
    const size = abs(value);
    if (size < Infinity) most = max(most, size);
    else finite = 0;
    if (value != first) varies = 1;
    total += value;
  }
  sum += total;
}

/** What `range` found so far, of doubles. */
export let least: f64 = 0;
export let greatest: f64 = 0;
export let total: f64 = 0;

export function range(values: usize, count: usize, isFirst: boolean): void {
  if (isFirst) {
    least = greatest = load<f64>(values);
    total = 0;
  }
  let low = f64x2.splat(least);
  let high = f64x2.splat(greatest);
  let sum = f64x2.splat(0);
  const end = values + (count << 3);
  let at = values;
  for (; at + 8 < end; at += 16) {
    const value = v128.load(at);
    low = f64x2.pmin(low, value);
    high = f64x2.pmax(high, value);
    sum = f64x2.add(sum, value);
  }
  least = min(f64x2.extract_lane(low, 0), f64x2.extract_lane(low, 1));
  greatest = max(f64x2.extract_lane(high, 0), f64x2.extract_lane(high, 1));
  total += f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
  if (at == end) return;
  const last = load<f64>(at);
  least = min(least, last);
  greatest = max(greatest, last);
  total += last;
}

/** value = (value − centre) / by @returns the sum of their squares then; @param count as there is room for, up to an even number */
export function standardise(values: usize, count: usize, centre: f64, by: f64): f64 {
  const middle = f64x2.splat(centre);
  const unit = f64x2.splat(by);
  const end = values + (count << 3);
  if (count & 1) store<f64>(end, centre);
  let squares = f64x2.splat(0);
  for (let at = values; at < end; at += 16) {
    const value = f64x2.div(f64x2.sub(v128.load(at), middle), unit);
    squares = f64x2.add(squares, f64x2.mul(value, value));
    v128.store(at, value);
  }
  return f64x2.extract_lane(squares, 0) + f64x2.extract_lane(squares, 1);
}

/**
 * matrix[f][g] += Σ factor · z[f] · z[g] over rows, where z are columns of float32 less their means, then columns of doubles as they are; of the lower
 * triangle, and of some pairs beyond.
 * @param columns [features × room] float32, of which there are `count` rows
 * @param doubles [others × room]
 * @param factors of the rows, and a 0 after them; the address 0 for none
 * @param stride columns in all, up to a multiple of 4
 * @param plain zeros, stride × BLOCK doubles, and `weighted` room for as many where there are factors
 */
export function addProducts(
  columns: usize,
  means: usize,
  features: usize,
  doubles: usize,
  others: usize,
  factors: usize,
  room: usize,
  count: usize,
  stride: usize,
  plain: usize,
  weighted: usize,
  matrix: usize,
): void {
  const size = features + others;
  for (let from: usize = 0; from < count; from += BLOCK) {
    const rows = min(BLOCK, count - from);
    // Two at a time; of an odd last one, the other is 0.
    const bytes = ((rows + 1) & ~1) << 3;
    let to = plain;
    for (let f: usize = 0; f < features; f++) {
      const mean = f64x2.splat(load<f64>(means + (f << 3)));
      const at = columns + ((f * room + from) << 2);
      for (let i: usize = 0; i < bytes; i += 16)
        v128.store(to + i, f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(at + (i >> 1))), mean));
      if (rows & 1) store<f64>(to + (rows << 3), 0);
      to += COLUMN;
    }
    for (let f: usize = 0; f < others; f++) {
      memory.copy(to, doubles + ((f * room + from) << 3), bytes);
      if (rows & 1) store<f64>(to + (rows << 3), 0);
      to += COLUMN;
    }
    if (factors) weigh(plain, factors + (from << 3), bytes, size, weighted);
    for (let f: usize = 0; f < size; f += 2)
      for (let g: usize = 0; g <= f + 1; g += 4) addEight((factors ? weighted : plain) + f * COLUMN, plain + g * COLUMN, bytes, matrix + ((f * stride + g) << 3), stride << 3);
  }
}

/**
 * As addProducts, of columns, ones, and targets less a centre and times a scale, of rows that count the same: in float32, of which no more than BLOCK
 * rows are summed before they are added to the matrix.
 * @param columns where they end within four rows, there are zeros behind them
 * @param plain stride × BLOCK floats: zeros, but for ones in the column behind the features
 * @param sizes the largest absolute value of each column so far, [features] float32
 */
export function addSingleProducts(
  columns: usize,
  means: usize,
  features: usize,
  targets: usize,
  centre: f64,
  scale: f64,
  room: usize,
  count: usize,
  stride: usize,
  plain: usize,
  matrix: usize,
  sizes: usize,
): void {
  const size = features + 2;
  const middle = f64x2.splat(centre);
  const by = f64x2.splat(scale);
  for (let from: usize = 0; from < count; from += BLOCK) {
    const rows = min(BLOCK, count - from);
    const bytes = ((rows + 3) & ~3) << 2;
    let to = plain;
    for (let f: usize = 0; f < features; f++) {
      const mean = f32x4.splat(<f32>load<f64>(means + (f << 3)));
      const at = columns + ((f * room + from) << 2);
      let large = f32x4.splat(load<f32>(sizes + (f << 2)));
      for (let i: usize = 0; i < bytes; i += 16) {
        const value = v128.load(at + i);
        large = f32x4.pmax(large, f32x4.abs(value));
        v128.store(to + i, f32x4.sub(value, mean));
      }
      store<f32>(sizes + (f << 2), max(max(f32x4.extract_lane(large, 0), f32x4.extract_lane(large, 1)), max(f32x4.extract_lane(large, 2), f32x4.extract_lane(large, 3))));
      to += SINGLE_COLUMN;
    }
    to += SINGLE_COLUMN;
    const at = targets + (from << 3);
    for (let i: usize = 0; i < bytes; i += 8)
      v128.store64_lane(to + i, f32x4.demote_f64x2_zero(f64x2.mul(f64x2.sub(v128.load(at + (i << 1)), middle), by)), 0);
    // What stands behind the last row in its four counts as 0.
    for (let column = plain; column <= to && rows & 3; column += SINGLE_COLUMN) memory.fill(column + (rows << 2), 0, bytes - (rows << 2));
    for (let f: usize = 0; f < size; f += 2)
      for (let g: usize = 0; g <= f + 1; g += 4)
        addEightSingle(plain + f * SINGLE_COLUMN, plain + g * SINGLE_COLUMN, bytes, matrix + ((f * stride + g) << 3), stride << 3);
  }
}

/** Two columns by four. */
function addEightSingle(a: usize, b: usize, bytes: usize, into: usize, stride: usize): void {
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c02 = f32x4.splat(0);
  let c03 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c12 = f32x4.splat(0);
  let c13 = f32x4.splat(0);
  for (const end = a + bytes; a < end; a += 16) {
    const a0 = v128.load(a);
    const a1 = v128.load(a, SINGLE_COLUMN);
    let own = v128.load(b);
    c00 = f32x4.add(c00, f32x4.mul(a0, own));
    c10 = f32x4.add(c10, f32x4.mul(a1, own));
    own = v128.load(b, SINGLE_COLUMN);
    c01 = f32x4.add(c01, f32x4.mul(a0, own));
    c11 = f32x4.add(c11, f32x4.mul(a1, own));
    own = v128.load(b, 2 * SINGLE_COLUMN);
    c02 = f32x4.add(c02, f32x4.mul(a0, own));
    c12 = f32x4.add(c12, f32x4.mul(a1, own));
    own = v128.load(b, 3 * SINGLE_COLUMN);
    c03 = f32x4.add(c03, f32x4.mul(a0, own));
    c13 = f32x4.add(c13, f32x4.mul(a1, own));
    b += 16;
  }
  addFour(into, halves(c00), halves(c01), halves(c02), halves(c03));
  addFour(into + stride, halves(c10), halves(c11), halves(c12), halves(c13));
}

// @ts-ignore: decorator
@inline
function halves(four: v128): v128 {
  return f64x2.add(f64x2.promote_low_f32x4(four), f64x2.promote_low_f32x4(v128.shuffle<f32>(four, four, 2, 3, 2, 3)));
}

function weigh(plain: usize, factors: usize, bytes: usize, size: usize, weighted: usize): void {
  for (let f: usize = 0; f < size; f++) {
    const at = f * COLUMN;
    for (let i: usize = 0; i < bytes; i += 16) v128.store(weighted + at + i, f64x2.mul(v128.load(plain + at + i), v128.load(factors + i)));
  }
}

/** Two columns by four. */
function addEight(a: usize, b: usize, bytes: usize, into: usize, stride: usize): void {
  let c00 = f64x2.splat(0);
  let c01 = f64x2.splat(0);
  let c02 = f64x2.splat(0);
  let c03 = f64x2.splat(0);
  let c10 = f64x2.splat(0);
  let c11 = f64x2.splat(0);
  let c12 = f64x2.splat(0);
  let c13 = f64x2.splat(0);
  for (const end = a + bytes; a < end; a += 16) {
    const a0 = v128.load(a);
    const a1 = v128.load(a, COLUMN);
    const b0 = v128.load(b);
    const b1 = v128.load(b, COLUMN);
    const b2 = v128.load(b, 2 * COLUMN);
    const b3 = v128.load(b, 3 * COLUMN);
    c00 = f64x2.add(c00, f64x2.mul(a0, b0));
    c01 = f64x2.add(c01, f64x2.mul(a0, b1));
    c02 = f64x2.add(c02, f64x2.mul(a0, b2));
    c03 = f64x2.add(c03, f64x2.mul(a0, b3));
    c10 = f64x2.add(c10, f64x2.mul(a1, b0));
    c11 = f64x2.add(c11, f64x2.mul(a1, b1));
    c12 = f64x2.add(c12, f64x2.mul(a1, b2));
    c13 = f64x2.add(c13, f64x2.mul(a1, b3));
    b += 16;
  }
  addFour(into, c00, c01, c02, c03);
  addFour(into + stride, c10, c11, c12, c13);
}

// @ts-ignore: decorator
@inline
function addFour(into: usize, c0: v128, c1: v128, c2: v128, c3: v128): void {
  v128.store(into, f64x2.add(v128.load(into), both(c0, c1)));
  v128.store(into, f64x2.add(v128.load(into, 16), both(c2, c3)), 16);
}

/** The sums of the halves of each. */
// @ts-ignore: decorator
@inline
function both(a: v128, b: v128): v128 {
  return f64x2.add(v128.shuffle<f64>(a, b, 0, 2), v128.shuffle<f64>(a, b, 1, 3));
}
