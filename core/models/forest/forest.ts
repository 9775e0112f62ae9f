/** Random forests (Breiman 2001). */
import { makeForestFamily } from './family.ts';
import { forestConstraints } from './params.ts';

export const forest = makeForestFamily({ name: 'forest', constraints: forestConstraints, splitter: 'best', autoDivisor: 3 });
