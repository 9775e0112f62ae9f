/**
 * Sequential minimal optimisation with second-order working sets and shrinking (Fan, Chen and Lin 2005):
 *
 *   minimise ½ βᵀKβ + pᵀβ + ε Σ|β|, where low ≤ β ≤ high and Σβ = 0
 *
 * β carries the sign of the label (or, with ε, of a regression's error), so that a step moves two of them by the same amount, one up and one
 * down, and the gradient by that times the difference of two rows of K. At the optimum none that may rise has a slope below that of one
 * that may fall.
 */

import type { KernelRows } from './kernel-rows.ts';

/** Variables, each of a row; 0 is within all bounds. */
export interface Problem {
  /** Of each variable its row in the kernel matrix, whose diagonal is 1. */
  at: Int32Array;
  low: Float64Array;
  high: Float64Array;
  linear: Float64Array;
  epsilon: number;
  /** Where to start, within the bounds, with the sum 0; becomes the solution. */
  beta: Float64Array;
}

export interface Solution {
  beta: Float64Array;
  /** Kβ + p, of all variables. */
  gradient: Float64Array;
  /** What is to be added to Kβ. */
  bias: number;
  iterations: number;
}

/** Equal rows have a curvature of 0. */
const leastCurvature = 1e-12;
const shrinkEvery = 1000;

export class Smo {
  private readonly kernel: KernelRows;
  private readonly problem: Problem;
  /** The variables, the active ones first: number, row, gradient. */
  private readonly ids: Int32Array;
  private readonly at: Uint32Array;
  private readonly gradient: Float64Array;
  /** What the gradient lacks to the slope upwards (Infinity where β may not rise), and downwards (−Infinity where it may not fall). */
  private readonly rise: Float64Array;
  private readonly fall: Float64Array;
  /** Where those are. */
  private readonly lists: Record<'at' | 'gradient' | 'rise' | 'fall', number>;
  private active: number;
  /** The one with the least slope upwards; that slope, and the largest downwards. */
  private first = -1;
  private least = Infinity;
  private most = -Infinity;

  /** @param known the gradient of a β that differs from problem.beta in few places */
  constructor(kernel: KernelRows, problem: Problem, known?: Pick<Solution, 'beta' | 'gradient'>) {
    const size = problem.at.length;
    this.kernel = kernel;
    this.problem = problem;
    this.ids = Int32Array.from({ length: size }, (_, v) => v);
    const [at, gradient, rise, fall] = [0, 1, 2, 3].map((list) => kernel.list(list)) as [number, number, number, number];
    this.lists = { at, gradient, rise, fall };
    this.at = kernel.uint32s(at, size);
    this.at.set(problem.at);
    this.gradient = kernel.doubles(gradient, size);
    this.gradient.set(known?.gradient ?? problem.linear);
    this.rise = kernel.doubles(rise, size);
    this.fall = kernel.doubles(fall, size);
    for (let v = 0; v < size; v++) this.setSides(v);
    this.active = size;
    this.addKernel(0, known ? problem.beta.map((value, v) => value - known.beta[v]!) : problem.beta);
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
      this.move(this.first, this.partner());
    }
    if (this.active < size) this.unshrink();
    const gradient = new Float64Array(size);
    for (let v = 0; v < size; v++) gradient[this.ids[v]!] = this.gradient[v]!;
    return { beta: this.problem.beta, gradient, bias: this.bias(), iterations };
  }

  /** Which of those that may fall gains most with `first`. */
  private partner(): number {
    const { kernel, lists, active, least } = this;
    const row = kernel.address(this.at[this.first]!);
    return kernel.loops.partner(lists.at, lists.gradient, lists.fall, active, row, least, leastCurvature);
  }

  private move(i: number, j: number): void {
    const { beta, low, high } = this.problem;
    const [a, b] = [this.ids[i]!, this.ids[j]!];
    const curvature = Math.max(leastCurvature, 2 - 2 * this.kernel.row(this.at[i]!)[this.at[j]!]!);
    // To the next bound, or to 0, where the slope changes.
    const top = beta[a]! < 0 ? 0 : high[a]!;
    const bottom = beta[b]! > 0 ? 0 : low[b]!;
    const [up, down] = [top - beta[a]!, beta[b]! - bottom];
    const by = Math.min((this.gradient[j]! + this.fall[j]! - this.least) / curvature, up, down);
    // There exactly, so that it counts as there.
    beta[a] = by === up ? top : beta[a]! + by;
    beta[b] = by === down ? bottom : beta[b]! - by;
    this.setSides(i);
    this.setSides(j);
    this.step(i, j, by);
  }

  private setSides(v: number): void {
    const { beta, low, high, epsilon } = this.problem;
    const id = this.ids[v]!;
    const value = beta[id]!;
    this.rise[v] = value >= high[id]! ? Infinity : value >= 0 ? epsilon : -epsilon;
    this.fall[v] = value <= low[id]! ? -Infinity : value > 0 ? epsilon : -epsilon;
  }

  /** Moves the gradients, and finds where the next step begins. */
  private step(i: number, j: number, by: number): void {
    const { kernel, lists, at, active } = this;
    const { loops } = kernel;
    const [rowI, rowJ] = [kernel.address(at[i]!), kernel.address(at[j]!)];
    kernel.passed += active;
    loops.step(lists.at, lists.gradient, lists.rise, lists.fall, active, rowI, rowJ, by);
    this.first = loops.first.value;
    this.least = loops.least.value;
    this.most = loops.most.value;
  }

  /** Leaves out variables at a bound (or at 0) whose slopes hold them there against all others. */
  private shrink(): void {
    const { rise, fall, gradient, least, most } = this;
    for (let v = this.active - 1; v >= 0; v--)
      if (gradient[v]! + rise[v]! > most && gradient[v]! + fall[v]! < least) this.exchange(v, --this.active);
    if (this.active > 0) this.step(0, 0, 0);
  }

  private exchange(v: number, w: number): void {
    for (const list of [this.ids, this.at, this.gradient, this.rise, this.fall]) {
      const kept = list[v]!;
      list[v] = list[w]!;
      list[w] = kept;
    }
  }

  /** The gradients of those left out, from the whole solution. */
  private unshrink(): void {
    const from = this.active;
    for (let v = from; v < this.ids.length; v++) this.gradient[v] = this.problem.linear[this.ids[v]!]!;
    this.addKernel(from, this.problem.beta);
    this.active = this.ids.length;
    this.step(0, 0, 0);
  }

  /** gradient += K · change, of the variables from a place on. */
  private addKernel(from: number, change: Float64Array): void {
    const { kernel, lists } = this;
    for (let v = 0; v < change.length; v++)
      if (change[v] !== 0)
        kernel.loops.addRow(lists.at, lists.gradient, from, change.length, kernel.address(this.problem.at[v]!), change[v]!);
  }

  /** The slope of the variables within their bounds is −bias; without such it is between the two sides. */
  private bias(): number {
    const { beta, low, high } = this.problem;
    let sum = 0;
    let free = 0;
    this.ids.forEach((id, v) => {
      const value = beta[id]!;
      if (value === 0 || value <= low[id]! || value >= high[id]!) return;
      sum += this.gradient[v]! + this.rise[v]!;
      free++;
    });
    if (free > 0) return -sum / free;
    if (this.least === Infinity) return -this.most;
    return this.most === -Infinity ? -this.least : -(this.least + this.most) / 2;
  }
}
