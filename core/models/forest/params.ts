import { targetConstraint } from '../log-target.ts';
import type { Params } from '../model.ts';
import { type Constraints, integer } from '../params.ts';
import { categoriesConstraint } from '../view/ordered.ts';

/** More would leave a leaf's value fewer than 12 bits; see fixed-point.ts. */
const maxTrees = 4096;
const unbounded = 0xffff_ffff;

export interface ForestParams {
  nEstimators: number;
  maxDepth: number;
  minSamplesSplit: number;
  minSamplesLeaf: number;
  /** Features looked at in a node. */
  maxFeatures: number;
  bootstrap: boolean;
}

export const forestConstraints: Constraints = {
  nEstimators: {
    default: 100,
    allowed: `an integer from 1 to ${maxTrees}`,
    accepts: (value) => integer(value, 1, maxTrees),
    meaning: 'How many trees.',
  },
  maxDepth: {
    default: null,
    allowed: 'an integer of at least 1, or null',
    accepts: (value) => value === null || integer(value, 1, unbounded),
    meaning: 'How many splits there may be between root and leaf; null is any number.',
  },
  minSamplesSplit: {
    default: 2,
    allowed: 'an integer of at least 2',
    accepts: (value) => integer(value, 2, unbounded),
    meaning: 'A node of fewer rows (each counted once, however often the bootstrap drew it) is a leaf.',
  },
  minSamplesLeaf: {
    default: 1,
    allowed: 'an integer of at least 1',
    accepts: (value) => integer(value, 1, 2 ** 30),
    meaning: 'A split leaves at least that many rows on each side.',
  },
  maxFeatures: {
    default: 'auto',
    allowed: "'auto', 'sqrt', 'log2', null, a fraction between 0 and 1, or an integer of at least 1",
    accepts: (value) =>
      value === null ||
      value === 'auto' ||
      value === 'sqrt' ||
      value === 'log2' ||
      (typeof value === 'number' && value > 0 && (value < 1 || Number.isInteger(value))),
    meaning:
      'How many features, drawn at random, a node looks at for its split: null is all, a fraction a share of them; auto is sqrt for classification and a third for regression (Breiman 2001).',
  },
  bootstrap: {
    default: true,
    allowed: 'true or false',
    accepts: (value) => typeof value === 'boolean',
    meaning: 'Whether a tree grows on as many rows drawn with replacement, or on all of them.',
  },
  categories: categoriesConstraint,
  target: targetConstraint,
};

export const extraTreesConstraints: Constraints = {
  ...forestConstraints,
  maxFeatures: {
    ...forestConstraints['maxFeatures']!,
    meaning:
      'How many features, drawn at random, a node draws a cut of: null is all, a fraction a share of them; auto is sqrt for classification and all for regression (Geurts et al. 2006).',
  },
  bootstrap: { ...forestConstraints['bootstrap']!, default: false },
};

/**
 * Checked parameters as numbers.
 * @param autoDivisor one in how many features a regression looks at where maxFeatures is 'auto'
 */
export function resolve(params: Params, task: 'classification' | 'regression', features: number, autoDivisor: number): ForestParams {
  return {
    nEstimators: params['nEstimators'] as number,
    maxDepth: (params['maxDepth'] as number | null) ?? unbounded,
    minSamplesSplit: params['minSamplesSplit'] as number,
    minSamplesLeaf: params['minSamplesLeaf'] as number,
    maxFeatures: Math.min(features, Math.max(1, Math.floor(featureCount(params['maxFeatures']!, task, features, autoDivisor)))),
    bootstrap: params['bootstrap'] as boolean,
  };
}

function featureCount(value: Params[string], task: 'classification' | 'regression', features: number, autoDivisor: number): number {
  if (value === null) return features;
  if (typeof value === 'number') return value < 1 ? value * features : value;
  if (value === 'log2') return Math.log2(features);
  return value === 'auto' && task === 'regression' ? features / autoDivisor : Math.sqrt(features);
}

/** Fewer trees are cheaper, then shallower ones, then those that split less. */
export function compareCost(a: Params, b: Params): number {
  const cost = ({ nEstimators, maxDepth, minSamplesSplit, minSamplesLeaf }: Params) => [
    Number(nEstimators),
    maxDepth === null ? unbounded : Number(maxDepth),
    -Number(minSamplesSplit),
    -Number(minSamplesLeaf),
  ];
  const [x, y] = [cost(a), cost(b)];
  return x.map((value, i) => value - y[i]!).find((difference) => difference !== 0) ?? 0;
}
