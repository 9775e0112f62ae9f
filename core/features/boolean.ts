/** Booleans: a category of two values, whose one feature is 1 where it is true. */
import { fitSpellings, type Spellings } from './one-hot.ts';

export const booleanValues = ['false', 'true'];

/** The code whose feature is the column's. */
export const trueCode = 1;

/** 'true' and 'false' are always read, whatever the file wrote. */
export function fitBoolean(written: ReadonlyMap<string, readonly string[]>, tokens: readonly string[]): Spellings {
  return fitSpellings(booleanValues, booleanValues, written, tokens);
}
