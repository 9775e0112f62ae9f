/** What a run makes small: where its scores begin, and how the target is handed to the kernel. */
import { IngotError } from '../../errors.ts';
import type { Target } from '../model.ts';
import type { Answer } from './answer.ts';
import type { BoostingParams } from './params.ts';
import { scoreUnit } from './run-memory.ts';

export interface Objective {
  /** As the kernel numbers them: 0 logistic, 1 softmax, 2 squared error, 3 quantile. */
  kind: 0 | 1 | 2 | 3;
  /** float64 [rows]: the class, or the target within ± 1. */
  target: Float64Array;
  weights: Float64Array;
  answer: Answer;
  /** The largest gradient and hessian that there can be; of squared error, the gradient's is found anew in each round. */
  gradientUnit: number;
  hessianUnit: number;
}

/** No class is rarer than that to begin with, where one has no rows at all. */
const leastShare = 1e-9;

/** @param rows the rows to train on */
export function objectiveOf(y: Target, rows: Int32Array, params: BoostingParams): Objective {
  if (y.task === 'regression') return regression(y.values, rows, params);
  if (params.loss === 'quantile')
    throw new IngotError('InvalidSpec', "boosting's loss must be 'auto' for a classification, not \"quantile\".", {
      where: 'dataset.json, field grids.boosting.loss',
      fix: "Use 'auto', or set the task to regression.",
    });
  const classes = Math.max(2, y.classes);
  const counts = new Float64Array(classes);
  for (const row of rows) counts[y.labels[row]!]! += 1;
  const present = counts.filter((count) => count > 0).length;
  const balance = (count: number) => (params.classWeight === 'balanced' && count > 0 ? rows.length / (present * count) : 1);
  const asked = counts.map((count, k) => balance(count) * (y.classWeights?.[k] ?? 1));
  // Their mean over the rows is 1, so that limits on sums of hessians mean what they do without weights.
  const mean = y.classWeights ? counts.reduce((sum, count, k) => sum + count * asked[k]!, 0) / rows.length : 1;
  const weights = asked.map((weight) => weight / mean);
  const shares = counts.map((count, k) => Math.max(leastShare, (count * weights[k]!) / rows.length));
  const units = (score: number) => Math.round(score / scoreUnit) + 0;
  const base = classes > 2 ? Array.from(shares, (each) => units(Math.log(each))) : [units(Math.log(shares[1]! / shares[0]!))];
  const answer: Answer = { task: 'classification', classes, outputs: base.length, base, offset: 0, scale: 1 };
  const heaviest = weights.reduce((a, b) => Math.max(a, b));
  return {
    kind: classes > 2 ? 1 : 0,
    target: targetsOf(y, rows, answer),
    weights,
    answer,
    gradientUnit: heaviest * 2 ** -30,
    hessianUnit: heaviest * 2 ** -32,
  };
}

function regression(values: Float64Array, rows: Int32Array, { loss, quantile }: BoostingParams): Objective {
  const chosen = Float64Array.from(rows, (row) => values[row]!).sort();
  const offset = Math.fround(loss === 'quantile' ? quantileOf(chosen, quantile) : chosen.reduce((a, b) => a + b, 0) / chosen.length);
  const furthest = Math.max(Math.abs(chosen[0]! - offset), Math.abs(chosen.at(-1)! - offset));
  const scale = 2 ** (furthest === 0 ? 0 : Math.max(-111, Math.ceil(Math.log2(furthest))));
  const answer: Answer = { task: 'regression', classes: 0, outputs: 1, base: [0], offset, scale };
  return {
    kind: loss === 'quantile' ? 3 : 2,
    target: targetsOf({ task: 'regression', values }, rows, answer),
    weights: new Float64Array(1),
    answer,
    gradientUnit: 2 ** -30,
    hessianUnit: 2 ** -30,
  };
}

/** float64 [rows]: the class, or the target as the scores are to meet it. */
export function targetsOf(y: Target, rows: Int32Array, { offset, scale }: Answer): Float64Array {
  const targets = new Float64Array(rows.length);
  return y.task === 'classification'
    ? targets.map((_, i) => y.labels[rows[i]!]!)
    : targets.map((_, i) => (y.values[rows[i]!]! - offset) / scale);
}

/** @param sorted ascending. @returns the least value that at least that share of them does not exceed */
export function quantileOf(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

/** The mean loss of scores in units, float64 [outputs × rows]; `target` as in Objective. */
export function meanLoss(objective: Objective, params: BoostingParams, target: Float64Array, scores: Float64Array): number {
  const { kind, answer } = objective;
  const rows = target.length;
  const score = (row: number, k: number) => scores[k * rows + row]! * scoreUnit;
  let sum = 0;
  let weight = 0;
  for (let row = 0; row < rows; row++) {
    const truth = target[row]!;
    const own = kind < 2 ? objective.weights[truth]! : 1;
    weight += own;
    if (kind === 0) {
      const s = truth === 1 ? score(row, 0) : -score(row, 0);
      sum += own * (s > 0 ? Math.log1p(Math.exp(-s)) : Math.log1p(Math.exp(s)) - s);
    } else if (kind === 1) {
      let top = Number.NEGATIVE_INFINITY;
      for (let k = 0; k < answer.outputs; k++) top = Math.max(top, score(row, k));
      let total = 0;
      for (let k = 0; k < answer.outputs; k++) total += Math.exp(score(row, k) - top);
      sum += own * (Math.log(total) + top - score(row, truth));
    } else {
      const residual = truth - score(row, 0);
      sum += kind === 2 ? residual * residual : residual * (residual > 0 ? params.quantile : params.quantile - 1);
    }
  }
  return sum / weight;
}
