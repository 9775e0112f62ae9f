/** What an automatic search may try: the starting points of the families, the best of each first. */
import { families, familyOf } from '../../models/families.ts';
import type { Family, Params } from '../../models/model.ts';
import type { Candidate } from '../plan.ts';

/**
 * @param names families to keep to; by default all that there are
 * @param skewed whether the target is of amounts whose logarithms are worth learning: the better half of each family tries that too
 */
export function portfolioOf(names: readonly string[] | undefined, skewed = false): Candidate[] {
  const asked = names?.map(familyOf) ?? families;
  // Long lists are spread among short ones; of equal places (the sort is stable) families keep their order.
  const listed = asked.flatMap((family) => {
    const { portfolio = [{}] } = family;
    const points = portfolio.flatMap((params, index) =>
      skewed && takesLogarithms(family) && index < portfolio.length / 2 ? [params, { ...params, target: 'log' }] : [params],
    );
    return points.map((params, index) => ({ family, params, place: index / points.length }));
  });
  return listed
    .sort((a, b) => a.place - b.place)
    .map(({ family, params }, id) => ({ id, family: family.name, params: family.parse(params as Params) }));
}

const takesLogarithms = (family: Family) => 'target' in family.parse({});
