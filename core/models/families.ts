/** Every family of models that a search may try: a new family is one folder and one line here. */
import { boosting } from './boosting/boosting.ts';
import { extraTrees } from './forest/extra-trees.ts';
import { forest } from './forest/forest.ts';
import { linear } from './linear/linear.ts';
import { logged } from './log-target.ts';
import type { Family } from './model.ts';
import { network } from './network/network.ts';
import { svm } from './svm/svm.ts';
import { filledView } from './view/filled.ts';
import { orderedView } from './view/ordered.ts';
import { viewed } from './view/viewed.ts';

/** Trees take gaps and outliers as they are, and categories in an order. */
const trees = (family: Family) => logged(viewed(family, orderedView, 'categories'));
/** Lines and distances want numbers without either. */
const numeric = (family: Family) => logged(viewed(family, filledView));

export const families: readonly Family[] = [
  trees(forest),
  trees(extraTrees),
  numeric(linear),
  numeric(svm),
  trees(boosting),
  numeric(network),
];

/** @throws RangeError for a name that is none of them; names from users are checked by the dataset spec before */
export function familyOf(name: string): Family {
  const family = families.find((each) => each.name === name);
  if (!family) throw new RangeError(`no family of models is called '${name}'`);
  return family;
}
