/** What a raw column is to become: its name, its type and why, the SQL that converts it, and what conversion changed. */

import { IngotError } from '../errors.ts';
import { type DateFormat, isEpoch, pivotYear, swapped, writtenDate } from '../features/date-formats.ts';
import type { NumberFormat } from '../features/number-formats.ts';
import { keyColumn } from '../features/row-keys.ts';
import type { ColumnType, DatasetSpec } from '../spec.ts';
import { identifier, literal } from './database.ts';
import { betterDate, type DateForm } from './date-guess.ts';
import { type Guess, type Look, mostValues, numberShare, textShare } from './look.ts';
import { describeFormat, guessNumber, isTelephone, type NumberForm } from './number-guess.ts';
import { booleanOf, spellingKey } from './spellings.ts';
import { byCodeUnit, dateCell, type Form, nearNames, numberCell } from './values.ts';

export interface Column {
  /** The column is `c<index>` in SQL. */
  index: number;
  name: string;
  type: ColumnType;
  why: string;
  look: Look;
  /** The staged column converted. Categories are text or ENUM, whichever costs less; a cast to the ENUM `k<index>` never fails. */
  sql: string;
  /** ENUM types: `k<index>` of a category with known values, and what `sql` needs. */
  enums: { name: string; values: string[] }[];
  missingTokens: Map<string, number>;
  /** Values that the type has no place for, which become missing. */
  strays: Map<string, number>;
  /** Value in the clean table → its spellings in the file, the most frequent first. */
  spellings: Map<string, string[]>;
  /** How its numbers are written, where no cast reads them. */
  written?: NumberFormat;
  /** How its dates are written. */
  date?: DateFormat;
  /** Why there is nothing to learn from it, where that shows in its raw values alone. */
  useless?: string;
}

/** @throws IngotError InvalidSpec where the spec speaks of a column that is not there */
export function checkSpecColumns(spec: DatasetSpec, names: string[]): void {
  const key = keyColumn(spec);
  if (key && !names.includes(key.name))
    throw new IngotError('InvalidSpec', `dataset.json splits by a column '${key.name}' that the data do not have.`, {
      where: `dataset.json, field ${key.by}`,
      fix: `The names most like it: ${nearNames(key.name, names)}.`,
    });
  for (const [field, columns] of Object.entries({ columns: spec.columns, 'pii.columns': spec.pii?.columns })) {
    const unknown = Object.keys(columns ?? {}).find((name) => !names.includes(name));
    if (unknown === undefined) continue;
    throw new IngotError('InvalidSpec', `dataset.json speaks of a column '${unknown}' that the data do not have.`, {
      where: `dataset.json, field ${field}.${unknown}`,
      fix: `The names most like it: ${nearNames(unknown, names)}.`,
    });
  }
}

/** What the spec says about a column; own properties only, so a column may be called `constructor`. */
export const specOf = (spec: DatasetSpec, name: string) =>
  spec.columns !== undefined && Object.hasOwn(spec.columns, name) ? (spec.columns[name] ?? {}) : {};

/**
 * Decides the type from what was seen.
 * @param isTarget labels stay as they are written: only true and false become boolean
 * @param isStaged whether it is staged as numbers
 * @param guess what the first rows look like
 * @param tried forms in which it was looked at: none is asked for twice
 * @returns the column, or the form in which to look at it again
 */
export function decide(
  index: number,
  name: string,
  seen: Look,
  {
    missing,
    spec,
    isTarget,
    isStaged,
    tried,
    guess,
  }: { missing: Set<string>; spec: DatasetSpec; isTarget: boolean; isStaged: boolean; tried: Set<Form['as']>; guess: Guess },
): Column | Form {
  const { type: wanted, role } = specOf(spec, name);
  const { form } = seen;
  const isMissing = (value: string) => missing.has(value.trim().toLowerCase());
  const missingTokens = new Map([...seen.counts].filter(([value]) => isMissing(value)));
  const others = new Map([...seen.counts].filter(([value]) => !isMissing(value)));
  const otherCells = sum(others.values());
  const present = form.as === 'values' && seen.counts.size === 0 ? seen.rows : seen.plain + otherCells;
  const column = {
    index,
    name,
    look: seen,
    missingTokens,
    strays: new Map<string, number>(),
    spellings: new Map<string, string[]>(),
    enums: [],
  };
  const insisted = wanted === undefined ? '' : 'dataset.json says so';

  if (wanted === 'date' && form.as !== 'date' && !tried.has('date')) return guess.date ?? { as: 'date', format: 'YYYY-MM-DD' };
  if (form.as === 'date') {
    const isSound = seen.counts.size >= seen.distinct - 1 && seen.plain >= numberShare * present;
    if (wanted !== 'date' && (isTarget || !isSound)) {
      const next = (['values', 'text'] as const).find((as) => !tried.has(as));
      if (next !== undefined) return { as: next };
    }
    const better = betterDate(form, others);
    if (better !== undefined) return better;
    return {
      ...column,
      type: 'date',
      date: form.format,
      why: `${insisted || 'its values are dates'} (${form.format})${centuriesOf(form)}${straysOf(otherCells, present)}${ambiguityOf(form)}`,
      sql: dateCell(`c${index}`, form.format),
      strays: others,
    };
  }

  const asText: Partial<Column> & Pick<Column, 'type' | 'sql'> = {
    type: 'text',
    sql: `CASE WHEN lower(trim(c${index})) NOT IN (${[...missing].map(literal).join(', ')}) THEN c${index} END`,
  };
  const near = seen.distinct > textShare * present && present >= 20;
  const isText = !isTarget && (wanted === 'text' || (wanted === undefined && near && guess.isText));

  if (form.as === 'number') {
    const share = seen.plain / Math.max(1, present);
    if (wanted !== 'number' && (seen.counts.size < seen.distinct - 1 || share < numberShare || wanted !== undefined)) {
      const next = (
        wanted === undefined && seen.distinct > mostValues ? (['text', 'values'] as const) : (['values', 'text'] as const)
      ).find((as) => !tried.has(as));
      if (next !== undefined) return { as: next };
    }
    const written = form.written === undefined ? '' : `, written with ${describeFormat(form.written)}`;
    return {
      ...column,
      type: 'number',
      ...(form.written && { written: form.written }),
      why: `${insisted || 'its values are numbers'}${written}${straysOf(otherCells, present)}${marksOf(form)}`,
      sql: isStaged ? `c${index}` : numberCell(`c${index}`, form.written),
      strays: others,
    };
  }

  if (form.as === 'text') {
    if (wanted === 'number' && !tried.has('number')) return guess.number ?? { as: 'number' };
    // The count is an estimate, good to a few percent: what is well below the bound is counted exactly.
    if ((wanted === 'boolean' || (!near && seen.distinct <= 0.8 * mostValues)) && !tried.has('values')) return { as: 'values' };
    if (isText) return { ...column, ...asText, why: insisted || whyText };
    return {
      ...column,
      ...asText,
      type: 'category',
      why: insisted || 'its values are strings',
      ...(near ? textOf(`about ${seen.distinct}`, present) : {}),
    };
  }

  if (seen.distinct > mostValues) return { as: 'text' };
  const mayBeNumber = wanted === 'number' || (wanted === undefined && others.size > 0 && isMostlyNumbers(others, otherCells));
  if (mayBeNumber && !tried.has('number'))
    return guessNumber([...others.keys()], numberShare, { decimal: specOf(spec, name).decimal }) ?? { as: 'number' };
  const truth = new Map([...others.keys()].map((value) => [value, booleanOf(value, wanted === 'boolean')]));
  const isBoolean =
    others.size > 0 &&
    (isTarget ? [...others.keys()].every((value) => /^\s*(true|false)\s*$/i.test(value)) : ![...truth.values()].includes(undefined));
  if (wanted === 'boolean' || (wanted === undefined && isBoolean)) {
    const group = (which: boolean) => [...others.keys()].filter((value) => truth.get(value) === which);
    const test = (which: boolean) => `WHEN c${index} IN (${group(which).map(literal).join(', ')}) THEN ${which}`;
    const cases = [true, false].filter((which) => group(which).length > 0).map(test);
    for (const which of [true, false])
      if (group(which).some((value) => value !== String(which))) column.spellings.set(String(which), group(which));
    return {
      ...column,
      type: 'boolean',
      why: insisted || `its values are ${quotedList([...others.keys()])}`,
      sql: cases.length === 0 ? 'NULL::BOOLEAN' : `CASE ${cases.join(' ')} END`,
      strays: new Map([...others].filter(([value]) => truth.get(value) === undefined)),
    };
  }
  if (isText && others.size > 0) return { ...column, ...asText, why: insisted || whyText };
  const values = mergeSpellings(others, column.spellings);
  const canonical = [...new Set(values.values())].sort(byCodeUnit);
  const merged = [...values].some(([value, into]) => value !== into);
  const raw = [...values.keys()].sort(byCodeUnit);
  const list = `[${raw.map((value) => literal(values.get(value)!)).join(', ')}]`;
  return {
    ...column,
    type: 'category',
    why: insisted || (others.size === 0 ? 'it has no values' : 'its values are strings'),
    enums: others.size === 0 ? [] : [...(merged ? [{ name: `r${index}`, values: raw }] : []), { name: `k${index}`, values: canonical }],
    sql:
      others.size === 0
        ? 'NULL::VARCHAR'
        : merged
          ? `${list}[enum_code(TRY_CAST(c${index} AS r${index})) + 1]::k${index}`
          : missingTokens.size > 0
            ? `CASE WHEN c${index} NOT IN (${[...missingTokens.keys()].map(literal).join(', ')}) THEN c${index} END`
            : `c${index}`,
    ...(others.size === 0
      ? { useless: 'all its values are missing' }
      : near && role !== 'feature' && wanted === undefined
        ? textOf(`${canonical.length}`, present)
        : {}),
  };
}

const whyText = 'its values are texts of several words, few of them twice';

const straysOf = (cells: number, of: number) => (cells > 0 ? `; ${cells} of ${of} values are not, and become missing` : '');

const centuriesOf = ({ format }: DateForm) =>
  !isEpoch(format) && writtenDate(format).hasShortYear ? `, years from ${pivotYear} on of the 1900s and the others of the 2000s` : '';

const ambiguityOf = ({ format, ambiguous }: DateForm) =>
  ambiguous ? `; every value could as well be ${swapped(format)}: if so, say "dayFirst": ${format.startsWith('MM')} in dataset.json` : '';

const marksOf = ({ written, ambiguous }: NumberForm) =>
  ambiguous
    ? `; every value could as well be read with decimal ${written?.decimal === '.' ? 'commas' : 'points'}: if so, say "decimal": "${written?.decimal === '.' ? ',' : '.'}" in dataset.json`
    : '';

const textOf = (distinct: string, present: number) => ({
  useless: `it is text or a key: ${distinct} different values in ${present} rows`,
});

const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, n) => total + n, 0);

function isMostlyNumbers(counts: Map<string, number>, cells: number): boolean {
  const numeric = [...counts].filter(([value]) => /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value) && !isTelephone(value));
  return sum(numeric.map(([, count]) => count)) >= numberShare * cells;
}

/** Spelling → the most frequent spelling of the same value, without space around or repeated; ties go to the first by code unit. */
function mergeSpellings(counts: Map<string, number>, spellings: Map<string, string[]>): Map<string, string> {
  const groups = new Map<string, { value: string; count: number }[]>();
  for (const [value, count] of counts) {
    const group = groups.get(spellingKey(value)) ?? [];
    group.push({ value, count });
    groups.set(spellingKey(value), group);
  }
  const merged = new Map<string, string>();
  for (const group of groups.values()) {
    const tidied = new Map<string, number>();
    for (const { value, count } of group) tidied.set(tidySpelling(value), (tidied.get(tidySpelling(value)) ?? 0) + count);
    const [canonical] = [...tidied].sort(([a, n], [b, m]) => m - n || byCodeUnit(a, b))[0]!;
    const members = group.sort((a, b) => b.count - a.count || byCodeUnit(a.value, b.value)).map(({ value }) => value);
    for (const value of members) merged.set(value, canonical);
    if (members.length > 1 || members[0] !== canonical) spellings.set(canonical, members);
  }
  return merged;
}

const tidySpelling = (value: string) => value.trim().replace(/\s+/g, ' ');

/** A few values as they stand, for sentences. */
export function quotedList(values: string[], most = 4): string {
  const shown = values.slice(0, most).map((value) => JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value));
  return values.length > most ? `${shown.join(', ')} and ${values.length - most} more` : shown.join(', ');
}

/** `SELECT` items that give converted columns their names; ENUMs, which parquet forgets, are cast back, as DuckDB writes them fastest. */
export const naming = (columns: Column[]) =>
  columns.map(({ index, name, enums }) => `c${index}${enums.length > 0 ? `::k${index}` : ''} AS ${identifier(name)}`).join(', ');
