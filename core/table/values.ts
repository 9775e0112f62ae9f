/** What single values mean: missing tokens, ways to write numbers, dates. */
import { type DateFormat, patternOf as datePatternOf } from '../features/date-formats.ts';
import { missingTokens } from '../features/missing-tokens.ts';
import { leftOutOf, type NumberFormat, negativeMark, patternOf } from '../features/number-formats.ts';
import type { DatasetSpec } from '../spec.ts';
import { literal } from './database.ts';
import type { DateForm } from './date-guess.ts';
import type { NumberForm } from './number-guess.ts';

/** The tokens that mean "missing" under this spec, lower case. */
export const missingTokensOf = (spec: DatasetSpec) =>
  new Set([...missingTokens, ...(spec.missing ?? []).map((token) => token.trim().toLowerCase())]);

/** How a column is looked at; a guess from a sample, which the look confirms or sends back. */
export type Form = NumberForm | DateForm | { as: 'values' } | { as: 'text' };

/** The finite DOUBLE that a VARCHAR expression holds, or NULL. @param written how, where any cast reads it otherwise */
export function numberCell(value: string, written?: NumberFormat): string {
  if (written === undefined) {
    const number = `TRY_CAST(${value} AS DOUBLE)`;
    return `CASE WHEN isfinite(${number}) THEN ${number} END`;
  }
  const marks = [...leftOutOf(written), { mark: ' ' }];
  const bare = marks.reduce((rest, { mark, power = '' }) => `replace(${rest}, ${literal(mark)}, '${power}')`, value);
  const number = `TRY_CAST(replace(${bare}, ${literal(written.decimal)}, '.') AS DOUBLE)`;
  const negative = negativeMark(written);
  const signed = negative === undefined ? number : `CASE WHEN contains(${value}, ${literal(negative)}) THEN -${number} ELSE ${number} END`;
  return `CASE WHEN regexp_full_match(${value}, ${literal(patternOf(written))}) THEN ${signed} END`;
}

/** The VARCHAR of an expression where it is a date of the format, without space around it, or NULL. */
export const dateCell = (value: string, format: DateFormat) =>
  `CASE WHEN regexp_full_match(${value}, ${literal(datePatternOf(format))}) THEN trim(${value}) END`;

/** Code unit order, which no locale changes. */
export const byCodeUnit = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** The names most like `name`, for error messages; by edit distance. */
export function nearNames(name: string, names: string[]): string {
  const scored = names
    .slice(0, 2000)
    .map((other) => ({ other, distance: editDistance(name.toLowerCase().slice(0, 64), other.toLowerCase().slice(0, 64)) }));
  const near = scored.sort((a, b) => a.distance - b.distance || byCodeUnit(a.other, b.other)).slice(0, 5);
  return near.map(({ other }) => `'${other}'`).join(', ');
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
