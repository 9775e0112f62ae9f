/**
 * Training with the rbf kernel. All machines of one train set (pairs of classes, values of C, folds of the probabilities' calibration) share
 * the rows of one kernel matrix, and each starts where a neighbour ended.
 */
import type { Pieces } from '../checkpoint.ts';
import type { Matrix, Params, Target } from '../model.ts';
import { pairsOf } from './coupling.ts';
import { type Expansion, fixExpansion } from './expansion.ts';
import { type FixedPoints, fixPoints, pointAt, toPoints } from './fixed-points.ts';
import { KernelRows } from './kernel-rows.ts';
import type { SvmParams } from './params.ts';
import { type Classes, classesOf, foldCount, foldsOf, joined, sampleRows, standard } from './sample.ts';
import { fitSigmoid } from './sigmoid.ts';
import { type Problem, Smo, type Solution } from './smo.ts';
import { SvmModel } from './svm-model.ts';

/** A machine for a larger C starts from that of a tenth of it, and so on down to 1: the same steps, whether those are wanted too or not. */
const pathStep = 10;
const pathStart = 1;

/** What a decision is off by hardly moves a sigmoid of all of them. */
const looser = 30;

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
  private readonly pieces: Pieces<Solution> | undefined;
  private solutions = 0;

  /**
   * @param params of which C is not looked at
   * @param pieces where solutions are kept, one after the other: one machine of 10,000 rows takes 5 to 15 seconds at a C of 100, and 2 at 1, so that
   *   nothing is kept of one that is under way
   */
  constructor(x: Matrix, y: Target, rows: Int32Array, params: SvmParams, seed: number, onStep?: () => void, pieces?: Pieces<Solution>) {
    this.params = params;
    this.pieces = pieces;
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

  async fit(C: number, params: Params): Promise<Trained> {
    const { y, classes } = this;
    const about = { params, classes: y.task === 'classification' ? y.classes : 0, present: classes?.present ?? [] };
    if (this.fixed.used.length === 0 || classes?.present.length === 1)
      return { model: new SvmModel({ ...about, by: { constant: classes?.shares ?? [this.scale.centre] } }), vectors: [] };
    const { expansion, vectors } = await (classes ? this.fitPairs(classes, C) : this.fitRegression(C));
    return { model: new SvmModel({ ...about, by: { expansion } }), vectors };
  }

  private regression(): Machine {
    const { epsilon } = this.params;
    const { y, rows } = this;
    const { centre, spread } = this.scale;
    const linear = Float64Array.from(rows, (row) => (y.task === 'regression' ? (centre - y.values[row]!) / spread : 0));
    const fill = (value: number) => new Float64Array(rows.length).fill(value);
    const at = rows.map((_, i) => i);
    const problem = (C: number): Problem => ({ at, low: fill(-C), high: fill(C), linear, epsilon, beta: fill(0) });
    return { problem, solved: new Map() };
  }

  private pair({ members, weights }: Classes, i: number, j: number): Machine {
    const [first, second] = [members[i]!.length, members[j]!.length];
    const fill = (of: number, other: number) => new Float64Array(first + second).fill(of, 0, first).fill(other, first);
    const problem = (C: number): Problem => ({
      at: joined(members[i]!, members[j]!),
      low: fill(0, -C * weights[j]!),
      high: fill(C * weights[i]!, 0),
      linear: fill(-1, 1),
      epsilon: 0,
      beta: new Float64Array(first + second),
    });
    return { problem, solved: new Map() };
  }

  /** As a former attempt has, or anew: fits come by the same problems in the same order. */
  private async minimise(problem: Problem, known: Pick<Solution, 'beta' | 'gradient'> | undefined, tol: number): Promise<Solution> {
    const former = this.pieces?.at(this.solutions++);
    if (former) return former;
    const solution = new Smo(this.kernel, problem, known).solve(tol, this.params.maxIter, this.onStep);
    // Others have their turn, a notice that the machine is taken away say.
    if (this.pieces) await new Promise(setImmediate);
    await this.pieces?.add(solution);
    return solution;
  }

  private async solve(machine: Machine, C: number): Promise<Solution> {
    const known = machine.solved.get(C);
    if (known) return known;
    const problem = machine.problem(C);
    const before = C > pathStart ? await this.solve(machine, C / pathStep) : undefined;
    if (before) problem.beta.set(before.beta);
    const solution = await this.minimise(problem, before, this.params.tol);
    machine.solved.set(C, solution);
    return solution;
  }

  private async fitRegression(C: number) {
    const { rows, machines } = this;
    const { centre, spread } = this.scale;
    const { beta, bias } = await this.solve(machines[0]!, C);
    const coefficients = Float64Array.from(rows, (_, i) => beta[i]! * spread);
    return this.toExpansion([rows.map((_, i) => i)], (_, i) => [coefficients[i]!], 1, [bias * spread + centre]);
  }

  private async fitPairs({ members, present }: Classes, C: number) {
    const outputs = present.length;
    const coefficients = members.map(({ length }) => new Float64Array(length * outputs));
    const intercepts: number[] = [];
    for (const [pair, [i, j]] of pairsOf(outputs).entries()) {
      const machine = this.machines[pair]!;
      const solution = await this.solve(machine, C);
      const first = members[i]!.length;
      const { slope, intercept } = await this.calibrate(machine.problem(C), solution, first);
      solution.beta.forEach((value, v) => {
        const [block, place, other] = v < first ? [i, v, j] : [j, v - first, i];
        coefficients[block]![place * outputs + other] = value * slope;
      });
      intercepts.push(solution.bias * slope + intercept);
    }
    return this.toExpansion(
      members,
      (block, place) => coefficients[block]!.subarray(place * outputs, (place + 1) * outputs),
      outputs,
      intercepts,
    );
  }

  /** The sigmoid of decisions about rows left out: the machine without them starts from the one with them. */
  private async calibrate(problem: Problem, { beta, gradient, bias }: Solution, first: number) {
    const size = beta.length;
    const decisions = Float64Array.from(gradient, (slope, v) => slope - problem.linear[v]! + bias);
    const positive = Uint8Array.from(beta, (_, v) => (v < first ? 1 : 0));
    const folds = foldsOf(positive);
    for (let fold = 0; folds && fold < foldCount; fold++) {
      const kept = (values: Float64Array) => values.map((value, v) => (folds[v] === fold ? 0 : value));
      const start = kept(beta);
      balance(start);
      const without = { ...problem, low: kept(problem.low), high: kept(problem.high), beta: start };
      const solution = await this.minimise(without, { beta, gradient }, this.params.tol * looser);
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

/** Makes the sum 0 again, by taking from the last of the sign of which there is too much: the fewer change, the less is to be done. */
function balance(beta: Float64Array): void {
  let excess = beta.reduce((sum, value) => sum + value, 0);
  for (let v = beta.length - 1; v >= 0 && excess !== 0; v--) {
    const value = beta[v]!;
    if (value * excess <= 0) continue;
    const by = Math.abs(value) < Math.abs(excess) ? value : excess;
    beta[v] = value - by;
    excess -= by;
  }
}
