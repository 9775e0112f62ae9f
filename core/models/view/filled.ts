/** For families that want numbers without gaps and outliers: lines and distances. */
import type { Matrix } from '../model.ts';
import type { View } from './view.ts';

/** All features but the codes. @returns undefined where nothing is known of the features */
export function filledView(x: Matrix): View | undefined {
  if (!x.traits) return undefined;
  const { impute, low, high, categories } = x.traits;
  const codes = new Set(categories.map(({ code }) => code));
  const takes = Array.from({ length: x.columns }, (_, feature) => feature).filter((feature) => !codes.has(feature));
  return {
    features: x.columns,
    takes,
    limits: { impute: takes.map((f) => impute[f]!), low: takes.map((f) => low[f]!), high: takes.map((f) => high[f]!) },
    ordered: [],
  };
}
