import { targetConstraint } from '../log-target.ts';
import type { Params } from '../model.ts';
import { type Constraints, integer } from '../params.ts';

export const solvers = ['lbfgs', 'gd', 'sgd', 'adam'] as const;
export type Solver = (typeof solvers)[number];

export const linearConstraints: Constraints = {
  penalty: {
    default: 'l2',
    allowed: "'l2', 'l1' or 'elasticnet'",
    accepts: (value) => value === 'l2' || value === 'l1' || value === 'elasticnet',
    meaning: 'What is added to the mean loss: alpha / 2 times the squares of the coefficients, alpha times their absolute values, or both.',
  },
  alpha: {
    default: 0.001,
    allowed: 'a number of at least 0',
    accepts: (value) => typeof value === 'number' && value >= 0 && value < Infinity,
    meaning:
      'How strong the penalty is. The intercept is not penalised, and the target of a regression is standardised first. In scikit-learn: 1 / (C · rows).',
  },
  l1Ratio: {
    default: 0.5,
    allowed: 'a number from 0 to 1',
    accepts: (value) => typeof value === 'number' && value >= 0 && value <= 1,
    meaning: 'The share of the absolute values in the penalty; of elasticnet alone.',
  },
  solver: {
    default: 'lbfgs',
    allowed: solvers.map((solver) => `'${solver}'`).join(', '),
    accepts: (value) => solvers.some((solver) => solver === value),
    meaning:
      'L-BFGS (OWL-QN where there are absolute values; squares are solved exactly), or gradient descent: on all rows, on batches of them, or Adam.',
  },
  classWeight: {
    default: null,
    allowed: "'balanced' or null",
    accepts: (value) => value === null || value === 'balanced',
    meaning: 'Balanced weighs the rows of each class so that all classes weigh the same.',
  },
  maxIter: {
    default: 200,
    allowed: 'an integer from 1 to 100000',
    accepts: (value) => integer(value, 1, 100_000),
    meaning: 'The most iterations; an epoch, once through the rows, is one of them.',
  },
  tol: {
    default: 1e-5,
    allowed: 'a number above 0',
    accepts: (value) => typeof value === 'number' && value > 0 && value < Infinity,
    meaning:
      'Where to stop: lbfgs when no part of the gradient is larger, the others when the loss has not fallen by as much for five epochs.',
  },
  learningRate: {
    default: null,
    allowed: 'a number above 0, or null',
    accepts: (value) => value === null || (typeof value === 'number' && value > 0 && value < Infinity),
    meaning:
      'The first step: for gd and sgd in units of one over the largest curvature, for adam of a coefficient; null is 1, for adam 0.05. That of sgd and adam falls with the epochs.',
  },
  batchSize: {
    default: 32,
    allowed: 'an integer from 1 to 65536',
    accepts: (value) => integer(value, 1, 65_536),
    meaning: 'Rows in a step of sgd and adam.',
  },
  target: targetConstraint,
};

export interface LinearParams {
  /** Factor of the sum of absolute values, and of half the sum of squares. */
  l1: number;
  l2: number;
  solver: Solver;
  balanced: boolean;
  maxIter: number;
  tol: number;
  learningRate: number | null;
  batchSize: number;
}

/** Checked parameters as numbers. */
export function resolve(params: Params): LinearParams {
  const alpha = params['alpha'] as number;
  const penalty = params['penalty'];
  const ratio = penalty === 'l2' ? 0 : penalty === 'l1' ? 1 : (params['l1Ratio'] as number);
  return {
    l1: alpha * ratio,
    l2: alpha * (1 - ratio),
    solver: params['solver'] as Solver,
    balanced: params['classWeight'] === 'balanced',
    maxIter: params['maxIter'] as number,
    tol: params['tol'] as number,
    learningRate: params['learningRate'] as number | null,
    batchSize: params['batchSize'] as number,
  };
}

/** All cost the same to ask; of equals the more penalised is the simpler. */
export function compareCost(a: Params, b: Params): number {
  return Number(b['alpha']) - Number(a['alpha']);
}
