/** Two columns made one, as `preprocess.json` has it; what it does is in cross.ts. */
import type { Standard } from './standard.ts';

/** In the order in which a preprocessing has them. */
export const crossOperations = ['minus', 'times', 'over', 'within'] as const;

export interface Cross {
  operation: (typeof crossOperations)[number];
  /** The column of the number, as a place among the preprocess's. */
  a: number;
  /** That of the other number, or of the category. */
  b: number;
}

export interface FittedCross extends Cross, Standard {
  name: string;
  /** Of 'within': the mean of each group, as groups.ts has them, in float32. */
  means?: number[];
}
