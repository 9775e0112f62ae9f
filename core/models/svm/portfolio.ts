/** Starting points for support vector machines: curved borders, softer and harder, and a line. Those of one gamma share their kernels. */
import type { Params } from '../model.ts';

export const svmPortfolio: readonly Params[] = [{ C: 1 }, { C: 10 }, { kernel: 'linear', C: 0.1 }];
