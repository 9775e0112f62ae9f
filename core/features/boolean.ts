/** Booleans: a category of two values, whose one feature is 1 where it is true. */
import { fitSpellings, type Spellings } from './one-hot.ts';

export const booleanValues = ['false', 'true'];

/** The code whose feature is the column's. */
export const trueCode = 1;

/** What a request may write, whatever the file did. */
const usual = new Map([
  ['false', ['no', 'n', 'f', '0']],
  ['true', ['yes', 'y', 't', '1']],
]);

/** The file's spellings, and where they say nothing else, the usual ones. */
export function fitBoolean(written: ReadonlyMap<string, readonly string[]>, tokens: readonly string[]): Spellings {
  const taken = new Set([...written.values()].flat());
  const spelled = booleanValues.map((value): [string, string[]] => [
    value,
    [...(written.get(value) ?? []), ...usual.get(value)!.filter((text) => !taken.has(text))],
  ]);
  return fitSpellings(booleanValues, booleanValues, new Map(spelled), tokens);
}
