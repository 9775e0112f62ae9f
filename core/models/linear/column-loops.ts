/** What is in a column, and the products of all pairs of them, by loops of WebAssembly (kernel/assembly). */
import { reserve } from '../wasm-memory.ts';
import { loops, memory, start } from './kernel-memory.ts';
import type { Rows } from './loss.ts';

/** Values that are copied to the loops' memory at a time: a quarter of a megabyte, which the second cache holds. */
const values = 2 ** 16;
/** Values of columns whose products are taken that are copied at a time: what is read in pieces of some pages comes faster. */
const productValues = 2 ** 17;
/** Rows that the kernel takes at a time, and how many it is given. */
const block = 128;
const piece = 8 * block;

reserve(memory, start + values * 4);

export interface Look {
  /** The largest absolute value; NaN and infinities count as nothing. */
  largest: number;
  allFinite: boolean;
  varies: boolean;
  mean: number;
}

/** @param column of at least one value */
export function look(column: Float32Array): Look {
  const scanned = new Float32Array(memory.buffer, start, values);
  for (let at = 0; at < column.length; at += values) {
    const some = column.subarray(at, at + values);
    scanned.set(some);
    loops.look(start, some.length, at === 0);
  }
  const { finite, varies, most, sum } = loops;
  return { largest: most.value, allFinite: finite.value === 1, varies: varies.value === 1, mean: sum.value / column.length };
}

/** A number is centre + spread × what it is standardised. */
export interface Scale {
  centre: number;
  spread: number;
}

/** Takes their mean from finite numbers and divides them by their standard deviation, in place; that of equal ones counts as 1. */
export function standardise(numbers: Float64Array): Scale {
  const scanned = new Float64Array(memory.buffer, start, values / 2);
  const room = scanned.length - 1;
  const parts = Array.from({ length: Math.ceil(numbers.length / room) }, (_, k) => numbers.subarray(k * room, (k + 1) * room));
  parts.forEach((part, k) => {
    scanned.set(part);
    loops.range(start, part.length, k === 0);
  });
  const centre = loops.total.value / numbers.length;
  const most = Math.max(loops.greatest.value - centre, centre - loops.least.value);
  const change = (from: number, by: number) => {
    let squares = 0;
    for (const part of parts) {
      scanned.set(part);
      squares += loops.standardise(start, part.length, from, by);
      part.set(scanned.subarray(0, part.length));
    }
    return squares;
  };
  // By the largest first, so that squares neither overflow nor vanish.
  const deviation = Math.sqrt(change(centre, most || 1) / numbers.length) || 1;
  change(0, deviation);
  return { centre, spread: (most || 1) * deviation };
}

/** A column of doubles that is taken as it is, or one of ones. */
type Other = Float64Array | 'ones';

/**
 * The mean over rows of `factor · z zᵀ` with `z = (column − mean of each column, others)`: symmetric, [size²].
 * @param factors of each row; all are 1 where it is left out
 * @param onPass called now and then; what it throws comes out
 */
export function products(
  rows: Pick<Rows, 'columns' | 'count'>,
  means: Float64Array,
  others: readonly Other[],
  factors?: Float64Array,
  onPass?: () => void,
): Float64Array {
  return multiply(rows, means, others, factors, ({ columns, factors, room, stride, plain, weighted, matrix, ...at }, _, some) => {
    onPass?.();
    loops.addProducts(columns, at.means, means.length, at.others, others.length, factors, room, some, stride, plain, weighted, matrix);
  });
}

/** A mean of targets' squares that was not rounded to what float32 has next to 0. */
const leastSquare = 2 ** -100;

/** Products in float32, of numbers that are not finite where a column's or a target's are not. */
export interface SingleProducts extends Scale {
  matrix: Float64Array;
  means: Float64Array;
  /** The columns' largest absolute values. */
  largests: number[];
}

/**
 * Products of columns less their means, of ones and of standardised targets, in float32 of which no more than 128 rows are summed. The rows are gone
 * through once: what was taken from columns and targets in their means' place is made up for, and so is what targets were divided by.
 */
export function singleProducts({ columns, count }: Pick<Rows, 'columns' | 'count'>, targets: Float64Array): SingleProducts {
  const features = columns.length;
  const size = features + 2;
  const near = Float64Array.from(columns, (column) => Math.fround(meanOfSome(column)));
  const centre = meanOfSome(targets);
  const farthest = farthestOfSome(targets, centre) || 1;
  let largests: number[] = [];
  const matrix = multiply({ columns, count }, near, ['ones', targets], undefined, (layout, from, some) => {
    const { room, stride, plain, matrix: to, sizes } = layout;
    if (from === 0) new Float32Array(memory.buffer, plain + features * block * 4, block).fill(1);
    const [at, scale] = [layout.others + room * 8, 1 / farthest];
    // In pieces, for between calls V8 goes over to faster code.
    for (let i = 0; i < some; i += piece) {
      const [own, count] = [layout.columns + i * 4, Math.min(piece, some - i)];
      loops.addSingleProducts(own, layout.means, features, at + i * 8, centre, scale, room, count, stride, plain, to, sizes);
    }
    if (from + some === count) largests = Array.from(new Float32Array(memory.buffer, sizes, features));
  });
  const ones = matrix.slice(features * size, (features + 1) * size);
  const off = ones.slice();
  off[features] = 0;
  for (let f = 0; f < size; f++)
    for (let g = 0; g < size; g++) matrix[f * size + g]! -= off[f]! * ones[g]! + off[g]! * (ones[f]! - off[f]!);
  const square = matrix[size * size - 1]!;
  const deviation = square > leastSquare ? Math.sqrt(square) : Number.NaN;
  for (let f = 0; f < size; f++) {
    matrix[(f + 1) * size - 1]! /= deviation;
    matrix[(size - 1) * size + f]! /= deviation;
  }
  return {
    ...{ matrix, means: near.map((mean, f) => mean + off[f]!), largests },
    ...{ centre: centre + off[size - 1]! * farthest, spread: deviation * farthest },
  };
}

/** Numbers, evenly spread, that tell about where all are. */
const someNumbers = 64;

function meanOfSome(numbers: Float32Array | Float64Array): number {
  const some = Math.min(someNumbers, numbers.length);
  let sum = 0;
  for (let i = 0; i < some; i++) sum += numbers[Math.floor((i * numbers.length) / some)]!;
  return sum / some;
}

function farthestOfSome(numbers: Float64Array, from: number): number {
  const some = Math.min(someNumbers, numbers.length);
  let most = 0;
  for (let i = 0; i < some; i++) most = Math.max(most, Math.abs(numbers[Math.floor((i * numbers.length) / some)]! - from));
  return most;
}

/** Addresses of what products are made of, and of room for it. */
interface Layout {
  columns: number;
  means: number;
  others: number;
  factors: number;
  plain: number;
  weighted: number;
  matrix: number;
  sizes: number;
  /** Rows that there is room for. */
  room: number;
  stride: number;
}

/** @param add adds to the matrix what the rows [from, from + some) say, which are laid out */
function multiply(
  { columns, count }: Pick<Rows, 'columns' | 'count'>,
  means: Float64Array,
  others: readonly Other[],
  factors: Float64Array | undefined,
  add: (layout: Layout, from: number, some: number) => void,
): Float64Array {
  const features = means.length;
  const size = features + others.length;
  const stride = Math.ceil(size / 4) * 4;
  const room = Math.max(1, Math.floor(productValues / (Math.max(1, features) * block))) * block;
  let end = start;
  const take = (doubles: number) => {
    const from = end;
    end += doubles * 8;
    return from;
  };
  const layout = {
    ...{ means: take(features), columns: take((features * room) / 2), others: take(others.length * room), factors: take(room + 2) },
    ...{ plain: take(stride * block), weighted: take(stride * block), matrix: take(stride * stride), sizes: take(stride) },
    ...{ room, stride },
  };
  reserve(memory, end);
  const doubles = (from: number, length: number) => new Float64Array(memory.buffer, from, length);
  doubles(layout.means, features).set(means);
  doubles(layout.plain, stride * block).fill(0);
  doubles(layout.sizes, stride).fill(0);
  const sums = doubles(layout.matrix, stride * stride).fill(0);
  const copies = new Float32Array(memory.buffer, layout.columns, features * room);
  const otherCopies = doubles(layout.others, others.length * room);
  others.forEach((other, f) => {
    if (other === 'ones') otherCopies.fill(1, f * room, (f + 1) * room);
  });
  const factorCopies = doubles(layout.factors, room + 2);
  if (!factors) layout.factors = 0;
  for (let at = 0; at < count; at += room) {
    const some = Math.min(room, count - at);
    columns.forEach((column, f) => {
      copies.set(column.subarray(at, at + some), f * room);
      if (some < room) copies.fill(0, f * room + some, Math.min((f + 1) * room, f * room + some + 3));
    });
    others.forEach((other, f) => {
      if (other !== 'ones') otherCopies.set(other.subarray(at, at + some), f * room);
    });
    if (factors) factorCopies.set(factors.subarray(at, at + some));
    if (factors) factorCopies[some] = 0;
    add(layout, at, some);
  }
  const matrix = new Float64Array(size * size);
  for (let f = 0; f < size; f++)
    for (let g = 0; g <= f; g++) {
      matrix[f * size + g] = sums[f * stride + g]! / count;
      matrix[g * size + f] = matrix[f * size + g]!;
    }
  return matrix;
}
