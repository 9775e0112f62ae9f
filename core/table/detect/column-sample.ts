/** What detectors ask of a column: what its name says, and how many of its values pass a test. */
import type { ColumnSample } from './detector.ts';

/** A column's name as lower-case words between underscores, without accents: `FirstName`, `first name`, `Prénom` → `_first_name_`, `_prenom_`. */
export function wordsOf(name: string): string {
  const plain = name.normalize('NFD').replaceAll(/\p{M}/gu, '');
  const split = plain.replaceAll(/(\p{Ll})(\p{Lu})/gu, '$1_$2').replaceAll(/[^\p{L}\d]+/gu, '_');
  return `_${split.toLowerCase()}_`.replaceAll(/_+/g, '_');
}

export const shareOf = (values: string[], test: (value: string) => boolean) => values.filter(test).length / Math.max(1, values.length);

/** From this share of its values a column is of a kind by them alone, and from the other where its name says so too. */
const ofItself = 0.8;
const asNamed = 0.5;

/** By pure chance, no more than one column in this many may be taken for personal. */
const columnsPerError = 1e5;

/**
 * @param chance how often a value that has the form, but is something else, passes the test
 * @param named what the column's name must have in it to speak for the kind
 */
export function holds(
  { words, values }: Pick<ColumnSample, 'words' | 'values'>,
  test: (value: string) => boolean,
  { named, chance }: { named: RegExp; chance: number },
): boolean {
  const hits = values.filter(test).length;
  if (named.test(words)) return hits > 0 && hits >= asNamed * values.length;
  return hits >= ofItself * values.length && chance ** hits <= 1 / columnsPerError;
}
