/**
 * The default solver: L-BFGS whose first guess of the Hessian is measured rather than the identity, from at most 8,192 rows, at the optimum
 * of those. What is left to do on all rows is a few iterations, however much the columns depend on each other. Squares need none (squares.ts).
 */

import { atOnce } from '../in-steps.ts';
import { factorise, solveFactorised } from './cholesky.ts';
import { products } from './column-loops.ts';
import { type Design, productColumns, thin } from './design.ts';
import { type Minimum, minimising, type Place, type Problem } from './lbfgs.ts';
import type { Loss, Rows } from './loss.ts';
import type { LinearParams } from './params.ts';
import { solveSquares } from './squares.ts';

const sampleRows = 8192;

/** Iteration by iteration. @param from where a former attempt was with the iterations on all rows; those on a sample are soon done again */
export function* solving(design: Design, params: LinearParams, from?: Place): Generator<() => Place, Minimum> {
  const { loss, rows } = design;
  if (loss.kind === 'squared' && loss.features <= productColumns) return solveSquares(design, params);
  const start = new Float64Array(loss.size);
  startIntercepts(design, start);
  const sample = thin(rows, sampleRows);
  if (sample === rows) return yield* solvingFrom(loss, rows, sample, params, start, from);
  // Ten times looser than what is asked for: that is far below what the sample's optimum differs from that of all rows.
  const first = atOnce(solvingFrom(loss, sample, sample, { ...params, tol: params.tol * 10 }, start));
  return yield* solvingFrom(loss, rows, sample, params, first.point, from);
}

function solvingFrom(
  loss: Loss,
  rows: Rows,
  sample: Rows,
  params: LinearParams,
  start: Float64Array,
  from?: Place,
): Generator<() => Place, Minimum> {
  const { l1, l2, tol, maxIter } = params;
  const problem: Problem = {
    evaluate: (point, gradient) => loss.evaluate(rows, point, l2, gradient),
    precondition: l1 > 0 || loss.features > productColumns ? diagonal(loss, sample, l2, start) : blocks(loss, sample, l2, start),
    l1,
    penalised: loss.outputs * loss.features,
  };
  return minimising(problem, start, tol, maxIter, from);
}

/** The logarithm of the classes' odds: the optimum where no feature helps. */
function startIntercepts({ loss, rows, present }: Design, point: Float64Array): void {
  const intercepts = loss.outputs * loss.features;
  if ((loss.kind !== 'logistic' && loss.kind !== 'softmax') || present.length < 2) return;
  const shares = new Float64Array(present.length);
  rows.targets.forEach((k, i) => {
    shares[k]! += rows.weights ? rows.weights[i]! : 1;
  });
  if (loss.kind === 'logistic') point[intercepts] = Math.log(shares[1]! / shares[0]!);
  else for (let k = 0; k < shares.length; k++) point[intercepts + k] = Math.log(shares[k]! / rows.count);
}

/** A Cholesky factor for each output of its own second derivatives. */
function blocks(loss: Loss, sample: Rows, l2: number, point: Float64Array): Problem['precondition'] {
  const { outputs, features } = loss;
  const size = features + 1;
  const curvatures = loss.curvatures(sample, point);
  const factors = Array.from({ length: outputs }, (_, k) => {
    const matrix = products(sample, loss.means, ['ones'], curvatures.subarray(k * sample.count, (k + 1) * sample.count));
    for (let f = 0; f < features; f++) matrix[f * size + f]! += l2;
    factorise(matrix, size);
    return matrix;
  });
  const own = new Float64Array(size);
  return (vector) => {
    for (let k = 0; k < outputs; k++) {
      own.set(vector.subarray(k * features, (k + 1) * features));
      own[features] = vector[outputs * features + k]!;
      solveFactorised(factors[k]!, size, own);
      vector.set(own.subarray(0, features), k * features);
      vector[outputs * features + k] = own[features]!;
    }
  };
}

function diagonal(loss: Loss, sample: Rows, l2: number, point: Float64Array): Problem['precondition'] {
  const { outputs, features, means } = loss;
  const curvatures = loss.curvatures(sample, point);
  const second = new Float64Array(loss.size);
  for (let k = 0; k < outputs; k++) {
    const own = curvatures.subarray(k * sample.count, (k + 1) * sample.count);
    second[outputs * features + k] = Math.max(1e-12, own.reduce((a, b) => a + b) / sample.count);
    for (let f = 0; f < features; f++) {
      const column = sample.columns[f]!;
      let sum = 0;
      for (let i = 0; i < own.length; i++) sum += own[i]! * (column[i]! - means[f]!) ** 2;
      second[k * features + f] = Math.max(1e-12, sum / sample.count + l2);
    }
  }
  return (vector) => {
    for (let i = 0; i < vector.length; i++) vector[i]! /= second[i]!;
  };
}
