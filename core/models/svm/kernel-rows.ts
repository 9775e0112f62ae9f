/** Rows of the kernel matrix, exp(−distance²), made when they are first asked for and kept while there is room, the last used the longest. */
import type { Points } from './fixed-points.ts';

const cacheBytes = 2 ** 28;
/** Two rows are used at a time. */
const fewestRows = 4;

/** 2^(−i / 32), by square roots and products alone, which are the same on every machine. */
const steps = 32;
const powers = new Float64Array(steps * 64);
{
  let root = 0.5;
  for (let i = steps; i > 1; i /= 2) root = Math.sqrt(root);
  powers[0] = 1;
  for (let i = 1; i < powers.length; i++) powers[i] = i % steps === 0 ? powers[i - steps]! / 2 : powers[i - 1]! * root;
}
const slope = Math.LN2 / steps;

/** values[i] = e^−(values[i] · rate), to nine digits; what is below 2^−64 is 0. */
function decay(values: Float64Array, rate: number, into: Float32Array): void {
  const toSteps = rate / slope;
  for (let i = 0; i < into.length; i++) {
    const t = values[i]! * toSteps;
    // Also of more than an int32 holds, or of infinity.
    if (!(t < powers.length)) {
      into[i] = 0;
      continue;
    }
    const whole = t | 0;
    const s = (whole - t) * slope;
    into[i] = powers[whole]! * (1 + s * (1 + s * (1 / 2 + s * (1 / 6))));
  }
}

/** into[i] = Σ (columns[f][i] − point[f])², exact where points are integers */
export function squaredDistances({ columns, norms }: Points, point: ArrayLike<number>, into: Float64Array): void {
  const count = into.length;
  let norm = 0;
  for (let f = 0; f < columns.length; f++) norm += point[f]! * point[f]!;
  for (let i = 0; i < count; i++) into[i] = norms[i]! + norm;
  let f = 0;
  for (; f + 3 < columns.length; f += 4) {
    const [a, b, c, d] = [columns[f]!, columns[f + 1]!, columns[f + 2]!, columns[f + 3]!];
    const wa = 2 * point[f]!;
    const wb = 2 * point[f + 1]!;
    const wc = 2 * point[f + 2]!;
    const wd = 2 * point[f + 3]!;
    for (let i = 0; i < count; i++) into[i]! -= wa * a[i]! + wb * b[i]! + (wc * c[i]! + wd * d[i]!);
  }
  for (; f < columns.length; f++) {
    const column = columns[f]!;
    const weight = 2 * point[f]!;
    for (let i = 0; i < count; i++) into[i]! -= weight * column[i]!;
  }
}

export const pointAt = ({ columns }: Points, row: number): Float64Array => Float64Array.from(columns, (column) => column[row]!);

export class KernelRows {
  readonly points: Points;
  /** What a unit² of distance² is worth in the exponent. */
  readonly rate: number;
  private readonly distances: Float64Array;
  private readonly kept = new Map<number, Float32Array>();
  private readonly capacity: number;

  constructor(points: Points, rate: number) {
    this.points = points;
    this.rate = rate;
    this.distances = new Float64Array(points.norms.length);
    this.capacity = Math.max(fewestRows, Math.floor(cacheBytes / (4 * points.norms.length)));
  }

  /** float32 [rows]; it stays as it is until further rows have been asked for, at least three. */
  row(index: number): Float32Array {
    const kept = this.kept.get(index);
    if (kept) {
      if (this.kept.size < this.capacity) return kept;
      this.kept.delete(index);
      this.kept.set(index, kept);
      return kept;
    }
    const row = this.take();
    squaredDistances(this.points, pointAt(this.points, index), this.distances);
    decay(this.distances, this.rate, row);
    this.kept.set(index, row);
    return row;
  }

  private take(): Float32Array {
    if (this.kept.size < this.capacity) return new Float32Array(this.distances.length);
    const [oldest, row] = this.kept.entries().next().value!;
    this.kept.delete(oldest);
    return row;
  }
}
