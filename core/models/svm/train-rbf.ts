/**
 * Training with the rbf kernel. All machines of one train set (pairs of classes, values of C, folds of the probabilities' calibration) share
 * the rows of one kernel matrix, and each starts where a neighbour ended.
 */
import type { Matrix, Params, Target } from '../model.ts';
import { pairsOf } from './coupling.ts';
import { type Expansion, fixExpansion } from './expansion.ts';
import { type FixedPoints, fixPoints, toPoints } from './fixed-points.ts';
import { KernelRows, pointAt } from './kernel-rows.ts';
import type { SvmParams } from './params.ts';
import { type Classes, classesOf, foldCount, foldsOf, sampleRows, standard } from './sample.ts';
import { fitSigmoid } from './sigmoid.ts';
import { type Problem, Smo, type Solution } from './smo.ts';
import { SvmModel } from './svm-model.ts';

/** A machine for a larger C starts from that of a tenth of it, and so on down to 1: the same steps, whether those are wanted too or not. */
const pathStep = 10;
const pathStart = 1;

/** A machine: one pair of classes, or a regression. */
interface Machine {
  /** At a C, without where to start. */
  problem(C: number): Problem;
  solved: Map<number, Solution>;
}

export interface Trained {
  model: SvmModel;
  /** The places among the train rows of the model's support vectors. */
  vectors: number[];
}

export class RbfTrainer {
  readonly fixed: FixedPoints;
  readonly rows: Int32Array;
  readonly kernel: KernelRows;
  private readonly params: SvmParams;
  private readonly y: Target;
  private readonly classes: Classes | undefined;
  private readonly scale: { centre: number; spread: number };
  private readonly machines: Machine[];
  private readonly onStep: (() => void) | undefined;

  /** @param params of which C is not looked at */
  constructor(x: Matrix, y: Target, rows: Int32Array, params: SvmParams, seed: number, onStep?: () => void) {
    this.params = params;
    this.y = y;
    this.onStep = onStep;
    this.rows = sampleRows(y, rows, params.maxRows, seed);
    const { fixed, variance } = fixPoints(x, this.rows);
    this.fixed = fixed;
    const gamma = params.gamma === 'scale' ? 1 / variance : params.gamma;
    this.kernel = new KernelRows(toPoints(fixed, x, this.rows), gamma * 4 ** fixed.exponent);
    this.classes = y.task === 'classification' ? classesOf(y, this.rows, params.balanced) : undefined;
    this.scale = y.task === 'regression' ? standard(y.values, this.rows) : { centre: 0, spread: 1 };
    this.machines = this.classes
      ? pairsOf(this.classes.present.length).map(([i, j]) => this.pair(this.classes!, i, j))
      : [this.regression()];
  }

  fit(C: number, params: Params): Trained {
    const { y, classes } = this;
    const about = { params, classes: y.task === 'classification' ? y.classes : 0, present: classes?.present ?? [] };
    if (this.fixed.used.length === 0 || classes?.present.length === 1)
      return { model: new SvmModel({ ...about, by: { constant: classes?.shares ?? [this.scale.centre] } }), vectors: [] };
    const { expansion, vectors } = classes ? this.fitPairs(classes, C) : this.fitRegression(C);
    return { model: new SvmModel({ ...about, by: { expansion } }), vectors };
  }

  private regression(): Machine {
    const { epsilon } = this.params;
    const { y, rows } = this;
    const { centre, spread } = this.scale;
    const count = rows.length;
    const targets = Float64Array.from(rows, (row) => (y.task === 'regression' ? (y.values[row]! - centre) / spread : 0));
    // Each row may pull up, or down.
    const sides = (up: (i: number) => number, down: (i: number) => number) =>
      Float64Array.from({ length: 2 * count }, (_, v) => (v < count ? up(v) : down(v - count)));
    const none = () => 0;
    const problem = (C: number): Problem => ({
      at: Int32Array.from({ length: 2 * count }, (_, v) => v % count),
      low: sides(none, () => -C),
      high: sides(() => C, none),
      linear: sides(
        (i) => epsilon - targets[i]!,
        (i) => -epsilon - targets[i]!,
      ),
      beta: new Float64Array(2 * count),
    });
    return { problem, solved: new Map() };
  }

  private pair({ members, weights }: Classes, i: number, j: number): Machine {
    const [first, second] = [members[i]!.length, members[j]!.length];
    const fill = (of: number, other: number) => new Float64Array(first + second).fill(of, 0, first).fill(other, first);
    const problem = (C: number): Problem => ({
      at: Int32Array.of(...members[i]!, ...members[j]!),
      low: fill(0, -C * weights[j]!),
      high: fill(C * weights[i]!, 0),
      linear: fill(-1, 1),
      beta: new Float64Array(first + second),
    });
    return { problem, solved: new Map() };
  }

  private solve(machine: Machine, C: number): Solution {
    const known = machine.solved.get(C);
    if (known) return known;
    const problem = machine.problem(C);
    if (C > pathStart) {
      const { beta } = this.solve(machine, C / pathStep);
      // What was at a bound is at the new one.
      problem.beta.set(beta.map((value, v) => Math.max(problem.low[v]!, Math.min(problem.high[v]!, value * pathStep))));
    }
    const solution = this.minimise(problem);
    machine.solved.set(C, solution);
    return solution;
  }

  private minimise(problem: Problem): Solution {
    return new Smo(this.kernel, problem).solve(this.params.tol, this.params.maxIter, this.onStep);
  }

  private fitRegression(C: number) {
    const { rows, machines } = this;
    const { centre, spread } = this.scale;
    const { beta, bias } = this.solve(machines[0]!, C);
    const coefficients = Float64Array.from(rows, (_, i) => (beta[i]! + beta[i + rows.length]!) * spread);
    return this.toExpansion([rows.map((_, i) => i)], (_, i) => [coefficients[i]!], 1, [bias * spread + centre]);
  }

  private fitPairs({ members, present }: Classes, C: number) {
    const outputs = present.length;
    const coefficients = members.map(({ length }) => new Float64Array(length * outputs));
    const intercepts = pairsOf(outputs).map(([i, j], pair) => {
      const machine = this.machines[pair]!;
      const solution = this.solve(machine, C);
      const first = members[i]!.length;
      const { slope, intercept } = this.calibrate(machine.problem(C), solution, first);
      solution.beta.forEach((value, v) => {
        const [block, place, other] = v < first ? [i, v, j] : [j, v - first, i];
        coefficients[block]![place * outputs + other] = value * slope;
      });
      return solution.bias * slope + intercept;
    });
    return this.toExpansion(
      members,
      (block, place) => coefficients[block]!.subarray(place * outputs, (place + 1) * outputs),
      outputs,
      intercepts,
    );
  }

  /** The sigmoid of decisions about rows left out: the machine without them starts from the one with them. */
  private calibrate(problem: Problem, { beta, gradient, bias }: Solution, first: number) {
    const size = beta.length;
    const decisions = Float64Array.from(gradient, (slope, v) => slope - problem.linear[v]! + bias);
    const positive = Uint8Array.from(beta, (_, v) => (v < first ? 1 : 0));
    const folds = foldsOf(positive);
    for (let fold = 0; folds && fold < foldCount; fold++) {
      const kept = (values: Float64Array) => values.map((value, v) => (folds[v] === fold ? 0 : value));
      const start = kept(beta);
      balance(start);
      const without = { ...problem, low: kept(problem.low), high: kept(problem.high), beta: start };
      const solution = this.minimise(without);
      for (let v = 0; v < size; v++) if (folds[v] === fold) decisions[v] = solution.gradient[v]! - problem.linear[v]! + solution.bias;
    }
    return fitSigmoid(decisions, positive);
  }

  /** Rows with any coefficient are support vectors; of a block without such its first stands in, with none. */
  private toExpansion(
    blocks: Int32Array[],
    coefficientsOf: (block: number, place: number) => ArrayLike<number>,
    outputs: number,
    intercepts: number[],
  ): { expansion: Expansion; vectors: number[] } {
    const chosen = blocks.map((members, block) => {
      const places = [...members.keys()].filter((place) => Array.from(coefficientsOf(block, place)).some((value) => value !== 0));
      return places.length > 0 ? places : [0];
    });
    const vectors = chosen.flatMap((places, block) => places.map((place) => blocks[block]![place]!));
    const { points, rate } = this.kernel;
    const parts = {
      fixed: this.fixed,
      rate,
      outputs,
      counts: chosen.map(({ length }) => length),
      points: vectors.flatMap((row) => Array.from(pointAt(points, row), (value) => value + 0)),
      intercepts: intercepts.map((value) => value + 0),
    };
    const coefficients = chosen.flatMap((places, block) => places.flatMap((place) => Array.from(coefficientsOf(block, place))));
    return { expansion: fixExpansion(parts, coefficients), vectors };
  }
}

/** Makes the sum 0 again, by less of the sign of which there is too much. */
function balance(beta: Float64Array): void {
  let [positive, negative] = [0, 0];
  for (const value of beta) {
    if (value > 0) positive += value;
    else negative -= value;
  }
  const [up, down] = positive > negative ? [negative / positive, 1] : [1, negative > 0 ? positive / negative : 1];
  for (let v = 0; v < beta.length; v++) beta[v]! *= beta[v]! > 0 ? up : down;
}
