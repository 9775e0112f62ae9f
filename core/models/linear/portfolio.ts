import type { Params } from '../model.ts';

/** From hardly any penalty to much of it, and one that picks columns. */
export const linearPortfolio: readonly Params[] = [
  { penalty: 'l2', alpha: 0.01 },
  { penalty: 'l2', alpha: 0.001 },
  { penalty: 'l1', alpha: 0.003 },
  { penalty: 'l2', alpha: 0.0001 },
];
