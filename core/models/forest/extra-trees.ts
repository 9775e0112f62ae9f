/** Extremely randomised trees (Geurts, Ernst and Wehenkel 2006): a random cut of each feature looked at, on all rows. */
import { makeForestFamily } from './family.ts';
import { extraTreesConstraints } from './params.ts';
import { extraTreesPortfolio } from './portfolio.ts';

export const extraTrees = makeForestFamily({
  name: 'extraTrees',
  constraints: extraTreesConstraints,
  portfolio: extraTreesPortfolio,
  splitter: 'random',
  autoDivisor: 1,
});
