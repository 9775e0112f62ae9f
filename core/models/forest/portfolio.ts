/** Starting points for forests and extremely randomised trees. Leaves hold a few rows: the forest is a hundredth of the size, and its probabilities are no worse. */
import type { Params } from '../model.ts';

export const forestPortfolio: readonly Params[] = [
  { nEstimators: 200, minSamplesLeaf: 2 },
  { nEstimators: 200, minSamplesLeaf: 5, maxFeatures: 0.5, categories: 'ordered' },
  { nEstimators: 200, minSamplesLeaf: 1, maxDepth: 12, maxFeatures: 'sqrt' },
];

/** Random cuts make trees more different: more of them, as small. */
export const extraTreesPortfolio: readonly Params[] = [
  { nEstimators: 300, minSamplesLeaf: 2 },
  { nEstimators: 300, minSamplesLeaf: 3, maxFeatures: 0.5, categories: 'ordered' },
];
