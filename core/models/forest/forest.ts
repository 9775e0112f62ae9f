/** Random forests (Breiman 2001). */
import { makeForestFamily } from './family.ts';
import { forestConstraints } from './params.ts';
import { forestPortfolio } from './portfolio.ts';

export const forest = makeForestFamily({
  name: 'forest',
  constraints: forestConstraints,
  portfolio: forestPortfolio,
  splitter: 'best',
  autoDivisor: 3,
});
