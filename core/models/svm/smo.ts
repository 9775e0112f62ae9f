/**
 * Sequential minimal optimisation with second-order working sets and shrinking (Fan, Chen and Lin 2005):
 *
 *   minimise ½ βᵀKβ + pᵀβ, where low ≤ β ≤ high and Σβ = 0
 *
 * β carries the sign of the label, so that a step moves two of them by the same amount, one up and one down, and the gradient by
 * that times the difference of two rows of K. At the optimum no β that may rise has a gradient below that of one that may fall.
 */

/** Variables: a row may have more than one (a regression's error is above or below). */
export interface Problem {
  /** Of each variable its row in the kernel matrix, whose diagonal is 1. */
  at: Int32Array;
  low: Float64Array;
  high: Float64Array;
  linear: Float64Array;
  /** Where to start, within the bounds, with the sum 0; becomes the solution. */
  beta: Float64Array;
}

export interface Kernel {
  row(index: number): Float32Array;
}

export interface Solution {
  beta: Float64Array;
  /** Kβ + p, of all variables. */
  gradient: Float64Array;
  /** What is to be added to Kβ. */
  bias: number;
  iterations: number;
}

const rises = 1;
const falls = 2;
/** Equal rows have a curvature of 0. */
const leastCurvature = 1e-12;
const shrinkEvery = 1000;

export class Smo {
  private readonly kernel: Kernel;
  private readonly problem: Problem;
  /** The variables, the active ones first: number, row, β, gradient, and which way it may go. */
  private readonly ids: Int32Array;
  private readonly at: Int32Array;
  private readonly gradient: Float64Array;
  private readonly flags: Uint8Array;
  private active: number;
  /** Of those that may rise the one with the least gradient; that gradient, and the largest of those that may fall. */
  private first = -1;
  private least = Infinity;
  private most = -Infinity;

  constructor(kernel: Kernel, problem: Problem) {
    const size = problem.at.length;
    this.kernel = kernel;
    this.problem = problem;
    this.ids = Int32Array.from({ length: size }, (_, v) => v);
    this.at = problem.at.slice();
    this.gradient = problem.linear.slice();
    this.flags = Uint8Array.from(this.ids, (v) => this.flagsOf(v));
    this.active = size;
    this.addKernel(0);
  }

  /** @param onStep called now and then; what it throws comes out */
  solve(tol: number, maxIter: number, onStep?: () => void): Solution {
    const size = this.ids.length;
    const every = Math.min(size, shrinkEvery);
    let iterations = 0;
    this.step(0, 0, 0);
    for (; iterations < maxIter; iterations++) {
      if (iterations % every === every - 1) {
        this.shrink();
        onStep?.();
      }
      if (!(this.most - this.least > tol)) {
        if (this.active === size) break;
        this.unshrink();
        if (!(this.most - this.least > tol)) break;
      }
      const second = this.partner();
      this.move(this.first, second);
    }
    if (this.active < size) this.unshrink();
    const gradient = new Float64Array(size);
    for (let v = 0; v < size; v++) gradient[this.ids[v]!] = this.gradient[v]!;
    return { beta: this.problem.beta, gradient, bias: this.bias(), iterations };
  }

  /** Which of those that may fall gains most with `first`. */
  private partner(): number {
    const { flags, gradient, at, active, first, least } = this;
    const row = this.kernel.row(at[first]!);
    let best = -1;
    let most = 0;
    for (let v = 0; v < active; v++) {
      const difference = gradient[v]! - least;
      if (difference <= 0 || (flags[v]! & falls) === 0) continue;
      const curvature = 2 - 2 * row[at[v]!]!;
      const gain = (difference * difference) / Math.max(curvature, leastCurvature);
      if (gain > most) {
        most = gain;
        best = v;
      }
    }
    return best;
  }

  private move(i: number, j: number): void {
    const { beta, low, high } = this.problem;
    const [a, b] = [this.ids[i]!, this.ids[j]!];
    const curvature = Math.max(leastCurvature, 2 - 2 * this.kernel.row(this.at[i]!)[this.at[j]!]!);
    const [up, down] = [high[a]! - beta[a]!, beta[b]! - low[b]!];
    const by = Math.min((this.gradient[j]! - this.gradient[i]!) / curvature, up, down);
    // At a bound exactly, so that it counts as there.
    beta[a] = by === up ? high[a]! : beta[a]! + by;
    beta[b] = by === down ? low[b]! : beta[b]! - by;
    this.flags[i] = this.flagsOf(a);
    this.flags[j] = this.flagsOf(b);
    this.step(i, j, by);
  }

  /** Moves the gradients, and finds where the next step begins. */
  private step(i: number, j: number, by: number): void {
    const { flags, gradient, at, active } = this;
    const rowI = this.kernel.row(at[i]!);
    const rowJ = this.kernel.row(at[j]!);
    let first = -1;
    let least = Infinity;
    let most = -Infinity;
    for (let v = 0; v < active; v++) {
      const place = at[v]!;
      const slope = gradient[v]! + by * (rowI[place]! - rowJ[place]!);
      gradient[v] = slope;
      const flag = flags[v]!;
      if (slope < least && (flag & rises) !== 0) {
        least = slope;
        first = v;
      }
      if (slope > most && (flag & falls) !== 0) most = slope;
    }
    this.first = first;
    this.least = least;
    this.most = most;
  }

  /** Leaves out variables at a bound whose gradient holds them there against all others. */
  private shrink(): void {
    const { flags, gradient, least, most } = this;
    for (let v = this.active - 1; v >= 0; v--) {
      const stays = ((flags[v]! & rises) !== 0 && gradient[v]! <= most) || ((flags[v]! & falls) !== 0 && gradient[v]! >= least);
      if (!stays) this.exchange(v, --this.active);
    }
    if (this.active > 0) this.step(0, 0, 0);
  }

  private exchange(v: number, w: number): void {
    for (const list of [this.ids, this.at, this.gradient, this.flags]) {
      const kept = list[v]!;
      list[v] = list[w]!;
      list[w] = kept;
    }
  }

  /** The gradients of those left out, from the whole solution. */
  private unshrink(): void {
    const from = this.active;
    for (let v = from; v < this.ids.length; v++) this.gradient[v] = this.problem.linear[this.ids[v]!]!;
    this.addKernel(from);
    this.active = this.ids.length;
    this.step(0, 0, 0);
  }

  /** gradient += Kβ, of the variables from a place on. */
  private addKernel(from: number): void {
    const { beta } = this.problem;
    const { at, gradient } = this;
    for (let v = 0; v < beta.length; v++) {
      const own = beta[v]!;
      if (own === 0) continue;
      const row = this.kernel.row(this.problem.at[v]!);
      for (let w = from; w < gradient.length; w++) gradient[w]! += own * row[at[w]!]!;
    }
  }

  private flagsOf(v: number): number {
    const { beta, low, high } = this.problem;
    return (beta[v]! < high[v]! ? rises : 0) | (beta[v]! > low[v]! ? falls : 0);
  }

  /** The gradient of the variables within their bounds is −bias; without such it is between the two sides. */
  private bias(): number {
    let sum = 0;
    let free = 0;
    for (let v = 0; v < this.ids.length; v++)
      if (this.flags[v] === (rises | falls)) {
        sum += this.gradient[v]!;
        free++;
      }
    if (free > 0) return -sum / free;
    if (this.least === Infinity || this.most === -Infinity) return this.least === Infinity ? -this.most : -this.least;
    return -(this.least + this.most) / 2;
  }
}
