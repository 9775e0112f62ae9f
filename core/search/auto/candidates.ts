/** What an automatic search may try: the starting points of the families, the best of each first. */
import { families, familyOf } from '../../models/families.ts';
import type { Params } from '../../models/model.ts';
import type { Candidate } from '../plan.ts';

/** @param names families to keep to; by default all that there are */
export function portfolioOf(names: readonly string[] | undefined): Candidate[] {
  const asked = names?.map(familyOf) ?? families;
  const listed = asked.flatMap((family) => (family.portfolio ?? [{}]).map((params, place) => ({ family, params, place })));
  // Stable: families in their order within a place.
  return listed
    .sort((a, b) => a.place - b.place)
    .map(({ family, params }, id) => ({ id, family: family.name, params: family.parse(params as Params) }));
}
