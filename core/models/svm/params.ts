import { targetConstraint } from '../log-target.ts';
import type { Params } from '../model.ts';
import { type Constraints, integer } from '../params.ts';

const positive = (value: Params[string]): boolean => typeof value === 'number' && value > 0 && value < Infinity;

export const svmConstraints: Constraints = {
  kernel: {
    default: 'rbf',
    allowed: "'rbf' or 'linear'",
    accepts: (value) => value === 'rbf' || value === 'linear',
    meaning:
      'What two rows have in common: exp(−gamma · distance²), or their dot product. The rbf minimises the hinge loss (as SVC), the linear its square (as LinearSVC).',
  },
  C: {
    default: 1,
    allowed: 'a number above 0',
    accepts: positive,
    meaning: 'The weight of the errors against the width of the margin: more of it penalises less.',
  },
  gamma: {
    default: 'scale',
    allowed: "'scale' or a number above 0",
    accepts: (value) => value === 'scale' || positive(value),
    meaning: "How fast the rbf falls with the distance; scale is one over the sum of the columns' variances.",
  },
  epsilon: {
    default: 0.1,
    allowed: 'a number of at least 0',
    accepts: (value) => value === 0 || positive(value),
    meaning: 'Of a regression: errors up to here cost nothing. In standard deviations of the target.',
  },
  classWeight: {
    default: null,
    allowed: "'balanced' or null",
    accepts: (value) => value === null || value === 'balanced',
    meaning: 'Balanced weighs the rows of each class so that all classes weigh the same.',
  },
  tol: {
    default: 1e-3,
    allowed: 'a number above 0',
    accepts: positive,
    meaning: 'Where to stop: when no pair of rows violates the optimum (for linear: no part of the gradient) by more.',
  },
  maxIter: {
    default: 1_000_000,
    allowed: 'an integer from 1 to 100000000',
    accepts: (value) => integer(value, 1, 100_000_000),
    meaning: 'The most iterations of one problem.',
  },
  maxRows: {
    default: 10_000,
    allowed: 'an integer from 10 to 50000',
    accepts: (value) => integer(value, 10, 50_000),
    meaning: 'Of more rows the rbf is trained on as many, drawn by the seed with the classes in proportion. The linear takes all.',
  },
  target: targetConstraint,
};

export interface SvmParams {
  kernel: 'rbf' | 'linear';
  C: number;
  gamma: number | 'scale';
  epsilon: number;
  balanced: boolean;
  tol: number;
  maxIter: number;
  maxRows: number;
}

/** Checked parameters, typed. */
export function resolve({ classWeight, target: _, ...params }: Params): SvmParams {
  return { ...params, balanced: classWeight === 'balanced' } as unknown as SvmParams;
}

/** A line is cheaper than what is kept of the train rows; of equals, that with wider margins is the simpler. */
export function compareCost(a: Params, b: Params): number {
  return Number(a['kernel'] === 'rbf') - Number(b['kernel'] === 'rbf') || Number(a['C']) - Number(b['C']);
}
