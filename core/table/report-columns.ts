/** What the report says of each column: its statistics, and what cleaning changed in it. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { type Column, quotedList } from './columns.ts';
import type { CleanReport, ColumnReport } from './report.ts';
import { numberStatistics, valueStatistics } from './statistics.ts';

export type Change = CleanReport['changes'][number];

export type Statistics = {
  missing: number;
  distinct: number;
  number?: NonNullable<ColumnReport['number']>;
  values?: { value: string; count: number }[];
};

/** Statistics of the clean table's columns, by name. */
export async function describe(
  database: DuckDBConnection,
  table: string,
  columns: Column[],
  rows: number,
): Promise<Map<string, Statistics>> {
  const names = (isNumber: boolean) => columns.filter(({ type }) => (type === 'number') === isNumber).map(({ name }) => name);
  const numbers = await numberStatistics(database, table, names(true), rows);
  return new Map<string, Statistics>([...numbers, ...(await valueStatistics(database, table, names(false)))]);
}

/** Of an ignored column only what was seen in the raw rows is known. */
export function rawStatistics({ look, missingTokens, strays }: Column): Statistics {
  const count = (map: Map<string, number>) => [...map.values()].reduce((sum, n) => sum + n, 0);
  return { missing: count(missingTokens) + count(strays), distinct: Math.max(0, look.distinct - missingTokens.size) };
}

/** The most frequent values that a report lists. */
const mostTop = 50;

export function reportOf(
  column: Column,
  role: ColumnReport['role'],
  why: string,
  { missing, distinct, number, values }: Statistics,
): ColumnReport {
  return {
    name: column.name,
    type: column.type,
    role,
    why,
    missing,
    // fromEntries makes own properties, so that a value may be '__proto__'.
    missingTokens: Object.fromEntries(column.missingTokens),
    distinct,
    ...(number && { number }),
    ...(column.date && { date: column.date }),
    ...(column.spellings.size > 0 && { spellings: Object.fromEntries(column.spellings) }),
    ...(values && column.type !== 'text' && { top: values.slice(0, mostTop) }),
  };
}

export function changesOf({ name, type, missingTokens, strays, spellings, look }: Column): Change[] {
  const total = (counts: Map<string, number>) => [...counts.values()].reduce((sum, count) => sum + count, 0);
  const tokens = new Map([...missingTokens].filter(([token]) => token.trim() !== ''));
  const respelled = [...spellings].flatMap(([canonical, members]) => members.filter((member) => member !== canonical));
  const changes: Change[] = [];
  if (tokens.size > 0)
    changes.push({ column: name, reason: `token for missing → missing (${quotedList([...tokens.keys()])})`, count: total(tokens) });
  if (strays.size > 0) {
    const what = type === 'number' ? 'not a number' : type === 'date' ? 'not a date of the column’s format' : 'not a boolean';
    changes.push({ column: name, reason: `${what} → missing (${quotedList([...strays.keys()])})`, count: total(strays) });
  }
  if (respelled.length > 0 && type === 'category') {
    const count = respelled.reduce((sum, member) => sum + (look.counts.get(member) ?? 0), 0);
    changes.push({ column: name, reason: `spelling of a category → its most frequent one (${quotedList(respelled)})`, count });
  }
  return changes;
}
