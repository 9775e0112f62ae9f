import { targetConstraint } from '../log-target.ts';
import type { Params } from '../model.ts';
import { type Constraints, integer } from '../params.ts';
import { categoriesConstraint } from '../view/ordered.ts';

/** More would let the sum of the leaves pass the bits that answer.ts has for it. */
export const maxRounds = 4000;
export const mostGradientBits = 20;
const unbounded = 0xffff_ffff;

export interface BoostingParams {
  nEstimators: number;
  learningRate: number;
  maxLeaves: number;
  maxDepth: number;
  minSamplesLeaf: number;
  minSumHessian: number;
  l2: number;
  minGain: number;
  subsample: number;
  colsample: number;
  loss: 'auto' | 'quantile';
  quantile: number;
  classWeight: 'balanced' | null;
  gradientBits: number | null;
  stochasticRounding: boolean;
  earlyStopping: boolean;
  nIterNoChange: number;
  validationFraction: number;
}

const within = (value: Params[string], low: number, high: number) =>
  typeof value === 'number' && Number.isFinite(value) && value >= low && value <= high;
const share = (value: Params[string]) => within(value, 0, 1) && value !== 0;

export const boostingConstraints: Constraints = {
  nEstimators: {
    default: 100,
    allowed: `an integer from 1 to ${maxRounds}`,
    accepts: (value) => integer(value, 1, maxRounds),
    meaning: 'How many rounds; each grows one tree, or one for every class where there are more than two.',
  },
  learningRate: {
    default: 0.1,
    allowed: 'a number above 0 and up to 1',
    accepts: share,
    meaning: "By what a tree's answer is multiplied before the next tree corrects it.",
  },
  maxLeaves: {
    default: 31,
    allowed: 'an integer from 2 to 4096',
    accepts: (value) => integer(value, 2, 4096),
    meaning: 'Leaves of a tree at most; the leaf whose split gains most is split next.',
  },
  maxDepth: {
    default: null,
    allowed: 'an integer of at least 1, or null',
    accepts: (value) => value === null || integer(value, 1, unbounded),
    meaning: 'How many splits there may be between root and leaf; null is any number.',
  },
  minSamplesLeaf: {
    default: 20,
    allowed: 'an integer of at least 1',
    accepts: (value) => integer(value, 1, 2 ** 30),
    meaning: "A split leaves about that many rows on each side, told by the side's share of the node's hessian (exact for regression).",
  },
  minSumHessian: {
    default: 1e-3,
    allowed: 'a number of at least 0',
    accepts: (value) => within(value, 0, Number.MAX_VALUE),
    meaning: 'A split leaves at least that sum of hessians on each side.',
  },
  l2: {
    default: 0,
    allowed: 'a number of at least 0',
    accepts: (value) => within(value, 0, Number.MAX_VALUE),
    meaning: 'Is added to the sum of hessians: pulls the answers of small leaves to 0.',
  },
  minGain: {
    default: 0,
    allowed: 'a number of at least 0',
    accepts: (value) => within(value, 0, Number.MAX_VALUE),
    meaning: 'A split has to gain more. A regression counts its target as 1 at its largest distance from the start.',
  },
  subsample: {
    default: 1,
    allowed: 'a number above 0 and up to 1',
    accepts: share,
    meaning: 'The share of the rows that a round grows on, drawn anew for each.',
  },
  colsample: {
    default: 1,
    allowed: 'a number above 0 and up to 1',
    accepts: share,
    meaning: 'The share of the features that the trees of a round may split.',
  },
  loss: {
    default: 'auto',
    allowed: "'auto' or 'quantile'",
    accepts: (value) => value === 'auto' || value === 'quantile',
    meaning: 'What is made small: auto is log loss for classification and squared error for regression; quantile is the pinball loss.',
  },
  quantile: {
    default: 0.5,
    allowed: 'a number between 0 and 1',
    accepts: (value) => within(value, 0, 1) && value !== 0 && value !== 1,
    meaning: 'Which quantile the pinball loss finds.',
  },
  classWeight: {
    default: null,
    allowed: "'balanced' or null",
    accepts: (value) => value === null || value === 'balanced',
    meaning: 'Balanced gives every class the same weight, whatever its number of rows.',
  },
  gradientBits: {
    default: null,
    allowed: `an integer from 0 to ${mostGradientBits}, or null`,
    accepts: (value) => value === null || integer(value, 0, mostGradientBits),
    meaning:
      'To how many bits beside the sign gradients are rounded where splits are looked for; the answers of leaves come from exact ones. The fewer, the less is learned by heart. null is 1 for classification, and as many as sums have room for where numbers are predicted or rounding is not stochastic.',
  },
  stochasticRounding: {
    default: true,
    allowed: 'true or false',
    accepts: (value) => typeof value === 'boolean',
    meaning: 'Whether gradients are rounded to integers by chance, right on average (Shi et al. 2022), or to the nearest.',
  },
  earlyStopping: {
    default: false,
    allowed: 'true or false',
    accepts: (value) => typeof value === 'boolean',
    meaning: 'Whether a share of the rows is kept back to stop when their loss no longer falls; the best round is kept.',
  },
  nIterNoChange: {
    default: 10,
    allowed: 'an integer of at least 1',
    accepts: (value) => integer(value, 1, maxRounds),
    meaning: 'Rounds without a lower loss after which early stopping stops.',
  },
  validationFraction: {
    default: 0.1,
    allowed: 'a number from 0.01 to 0.5',
    accepts: (value) => within(value, 0.01, 0.5),
    meaning: 'The share of the rows that early stopping keeps back.',
  },
  categories: categoriesConstraint,
  target: targetConstraint,
};

/** Checked parameters, with no limit as a number. */
export function resolve(params: Params): BoostingParams {
  return { ...(params as unknown as BoostingParams), maxDepth: (params['maxDepth'] as number | null) ?? unbounded };
}

/** Fewer rounds are cheaper, then smaller trees. */
export function compareCost(a: Params, b: Params): number {
  const cost = ({ nEstimators, maxLeaves, maxDepth, minSamplesLeaf }: Params) => [
    Number(nEstimators),
    Number(maxLeaves),
    maxDepth === null ? unbounded : Number(maxDepth),
    -Number(minSamplesLeaf),
  ];
  const [x, y] = [cost(a), cost(b)];
  return x.map((value, i) => value - y[i]!).find((difference) => difference !== 0) ?? 0;
}
