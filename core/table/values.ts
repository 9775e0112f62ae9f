/** What single values mean: missing tokens, ways to write numbers, dates. */
import { type DateFormat, patternOf } from '../features/date-formats.ts';
import { missingTokens } from '../features/missing-tokens.ts';
import type { DatasetSpec } from '../spec.ts';
import { literal } from './database.ts';
import type { DateForm } from './date-guess.ts';

/** The tokens that mean "missing" under this spec, lower case. */
export const missingTokensOf = (spec: DatasetSpec) =>
  new Set([...missingTokens, ...(spec.missing ?? []).map((token) => token.trim().toLowerCase())]);

/** How a column writes its numbers: 1234.5, or 1,234.5, or 1234,5. */
export type Notation = 'plain' | 'thousands' | 'comma';

const plain = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const grouped = /^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$/;
const comma = /^[+-]?\d+,\d+$/;

/**
 * The notation in which at least `share` of the values are numbers. Commas are taken for thousands or decimals only where some value can be
 * read in one way alone ('1,234,567', '1,234.5'; '3,14'); '1,234' by itself is neither.
 */
export function notationOf(values: string[], share: number): Notation | undefined {
  const trimmed = values.map((value) => value.trim());
  const enough = (test: (value: string) => boolean) => values.length > 0 && trimmed.filter(test).length >= share * values.length;
  if (enough((value) => plain.test(value))) return 'plain';
  const isGrouped = (value: string) => plain.test(value) || grouped.test(value);
  if (enough(isGrouped) && trimmed.some((value) => grouped.test(value) && (value.includes('.') || value.split(',').length > 2)))
    return 'thousands';
  const isComma = (value: string) => /^[+-]?\d+$/.test(value) || comma.test(value);
  if (enough(isComma) && trimmed.some((value) => comma.test(value) && !grouped.test(value))) return 'comma';
  return undefined;
}

/** How a column is looked at; a guess from a sample, which the look confirms or sends back. */
export type Form = { as: 'number'; notation: Notation } | DateForm | { as: 'values' } | { as: 'text' };

/** The finite DOUBLE that a VARCHAR expression holds, or NULL. */
export function numberCell(value: string, notation: Notation): string {
  const text =
    notation === 'plain'
      ? value
      : notation === 'comma'
        ? `CASE WHEN NOT contains(${value}, '.') THEN replace(${value}, ',', '.') END`
        : `CASE WHEN regexp_matches(trim(${value}), ${literal(grouped.source)}) THEN replace(${value}, ',', '') ELSE ${value} END`;
  const number = `TRY_CAST(${text} AS DOUBLE)`;
  return `CASE WHEN isfinite(${number}) THEN ${number} END`;
}

/** The VARCHAR of an expression where it is a date of the format, without space around it, or NULL. */
export const dateCell = (value: string, format: DateFormat) =>
  `CASE WHEN regexp_full_match(${value}, ${literal(patternOf(format))}) THEN trim(${value}) END`;

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
