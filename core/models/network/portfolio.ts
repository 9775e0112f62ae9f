import type { Params } from '../model.ts';

export const networkPortfolio: readonly Params[] = [{ epochs: 60 }];
