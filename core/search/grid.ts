import type { Params } from '../models/model.ts';

/** Every combination of a grid's values, the last parameter varying fastest. */
export function expandGrid(grid: Record<string, Params[string][]>): Params[] {
  return Object.entries(grid).reduce<Params[]>(
    (combinations, [name, values]) => combinations.flatMap((params) => values.map((value) => ({ ...params, [name]: value }))),
    [{}],
  );
}
