/**
 * Starting points for boosting. Sizes of trees, shares of rows and columns and penalties follow the portfolio that AutoGluon learned on 200
 * datasets (zeroshot_portfolio_cpu_2025_12_18, LightGBM's and CatBoost's); the rates are higher, as we have seconds where it has hours. The third is
 * what LightGBM does by default, but for the bits of gradients. Every other one sees categories as numbers alone, which is quicker where there are many
 * values. The smallest trees, which learn little by heart, follow the exact gradients: a mixture has something of both.
 */
import type { Params } from '../model.ts';
import { mostGradientBits } from './params.ts';

/** Far more than early stopping lets them have. */
const rounds = { nEstimators: 2000, nIterNoChange: 30 };
const exact = { gradientBits: mostGradientBits };

export const boostingPortfolio: readonly Params[] = [
  { learningRate: 0.05, maxLeaves: 31, minSamplesLeaf: 10, colsample: 0.6, subsample: 0.9, l2: 1 },
  { learningRate: 0.06, maxLeaves: 6, minSamplesLeaf: 10, colsample: 0.7, subsample: 0.85, l2: 0.3, ...exact },
  { learningRate: 0.1, maxLeaves: 31, minSamplesLeaf: 20, categories: 'ordered' },
  { learningRate: 0.04, maxLeaves: 84, minSamplesLeaf: 3, colsample: 0.5, subsample: 0.9, l2: 0.8, categories: 'ordered' },
  { learningRate: 0.05, maxLeaves: 64, maxDepth: 6, minSamplesLeaf: 2, l2: 3, subsample: 0.8 },
  { learningRate: 0.05, maxLeaves: 16, minSamplesLeaf: 24, colsample: 0.95, subsample: 0.8, l2: 0.3, categories: 'ordered' },
  { learningRate: 0.04, maxLeaves: 24, minSamplesLeaf: 1, colsample: 0.5, subsample: 0.8, l2: 0.6 },
  { learningRate: 0.08, maxLeaves: 3, minSamplesLeaf: 15, colsample: 0.6, subsample: 0.85, l2: 0.8, categories: 'ordered', ...exact },
  { learningRate: 0.04, maxLeaves: 180, minSamplesLeaf: 12, colsample: 0.4, subsample: 0.95, l2: 1.6, categories: 'ordered' },
  { learningRate: 0.03, maxLeaves: 14, minSamplesLeaf: 1, colsample: 0.85, l2: 0.2 },
  { learningRate: 0.03, maxLeaves: 40, minSamplesLeaf: 3, colsample: 0.45, subsample: 0.7, l2: 0.4, categories: 'ordered' },
].map((params) => ({ ...rounds, ...params }));
