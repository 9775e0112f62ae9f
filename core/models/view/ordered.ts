/**
 * For trees: a category's values become numbers by what the target is like where they stand, so that one threshold parts them into any two sets
 * that matter. Of one output, the best set split of a node that holds all rows is among those thresholds (Fisher 1958; Breiman et al. 1984, 4.2.2).
 * The numbers are found on the rows that the model is fitted on, drawn to the mean of all the more the fewer rows a value has.
 */
import { takeTarget } from '../../features/split.ts';
import { responseOf, shrunken, toldClasses } from '../../features/target-encoding.ts';
import { columnOf } from '../lazy-matrix.ts';
import type { Matrix, Params, Target } from '../model.ts';
import type { Constraint } from '../params.ts';
import { firstCode, type View } from './view.ts';

const ways = ['both', 'ordered', 'flags'] as const;

export const categoriesConstraint: Constraint = {
  default: 'both',
  allowed: "'both', 'ordered' or 'flags'",
  accepts: (value) => ways.some((way) => way === value),
  meaning:
    'How a category of three to 64 values is asked for: as numbers by what the target is like in the rows that have each value (ordered), as a 0/1 feature a value (flags), or as both.',
};

/**
 * @param rows of x and y to learn from
 * @returns undefined where there are no categories
 */
export function orderedView(x: Matrix, y: Target, rows: Int32Array, { categories: way }: Params): View | undefined {
  const categories = x.traits?.categories ?? [];
  if (categories.length === 0) return undefined;
  const left = new Set(categories.flatMap(({ code, flags }) => (way === 'ordered' ? [code, ...flags] : [code])));
  const takes = Array.from({ length: x.columns }, (_, feature) => feature).filter((feature) => !left.has(feature));
  if (way === 'flags') return { features: x.columns, takes, ordered: [] };
  const own = takeTarget(y, rows);
  const responses = (own.task === 'regression' ? (['value'] as const) : toldClasses(own)).map((told) => responseOf(own, told));
  const ordered = categories.map(({ code, values }) => {
    const all = columnOf(x, code);
    const codes = Int32Array.from(rows, (row) => all[row]! - firstCode);
    const means = responses.map((response) => shrunken(codes, values - firstCode, response));
    return { code, numbers: Array.from({ length: values - firstCode }, (_, at) => means.map((of) => Math.fround(of[at]!))) };
  });
  return { features: x.columns, takes, ordered };
}
