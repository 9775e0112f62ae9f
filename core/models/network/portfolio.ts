/** Starting points for networks: one that bends sharply, a smoother one, and a deeper one. */
import type { Params } from '../model.ts';

/** More than early stopping lets them have. */
const rounds = { epochs: 200, nIterNoChange: 12 };

export const networkPortfolio: readonly Params[] = [{}, { bins: 0, dropout: 0.3, learningRate: 0.002 }, { depth: 3, dropout: 0.3 }].map(
  (params) => ({ ...rounds, ...params }),
);
