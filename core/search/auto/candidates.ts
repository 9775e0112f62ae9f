/** What an automatic search may try: the starting points of the families, the best of each first. */
import { families, familyOf } from '../../models/families.ts';
import type { Params } from '../../models/model.ts';
import type { Candidate } from '../plan.ts';

/** @param names families to keep to; by default all that there are */
export function portfolioOf(names: readonly string[] | undefined): Candidate[] {
  const asked = names?.map(familyOf) ?? families;
  // Long lists are spread among short ones; of equal places (the sort is stable) families keep their order.
  const listed = asked.flatMap((family) => {
    const { portfolio = [{}] } = family;
    return portfolio.map((params, index) => ({ family, params, place: index / portfolio.length }));
  });
  return listed
    .sort((a, b) => a.place - b.place)
    .map(({ family, params }, id) => ({ id, family: family.name, params: family.parse(params as Params) }));
}
