/** Spellings that are one value: of true and false, and of a category. */

/** Lower case; compared with values trimmed and lowered. */
const trueTokens = ['true', 'yes', 't', 'y'];
const falseTokens = ['false', 'no', 'f', 'n'];

/** @param binary whether 1 and 0 count as well: only where the spec says that the column is boolean */
export function booleanOf(value: string, binary: boolean): boolean | undefined {
  const token = value.trim().toLowerCase();
  if (trueTokens.includes(token) || (binary && token === '1')) return true;
  if (falseTokens.includes(token) || (binary && token === '0')) return false;
  return undefined;
}

/** Values with one key are one category: case, and space around and repeated, do not tell them apart. */
export const spellingKey = (value: string) => value.trim().replace(/\s+/g, ' ').toLowerCase();
