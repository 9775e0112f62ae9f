/** What the report says of each column: its statistics, and what cleaning changed in it. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { type Column, quotedList } from './columns.ts';
import type { CleanReport, ColumnReport } from './report.ts';
import { convertedSql, type Stage, within } from './stage.ts';
import { numberStatistics, type Statistics, valueStatistics } from './statistics.ts';
import { byCodeUnit } from './values.ts';

export type Change = CleanReport['changes'][number];

/** Statistics of the clean table's columns, by name, taken from the stage. @param where which of its `rows` the table keeps */
export async function describe(
  database: DuckDBConnection,
  { blocks }: Stage,
  columns: Column[],
  where: string,
  rows: number,
): Promise<Map<string, Statistics>> {
  const found = new Map<string, Statistics>();
  for (const block of blocks) {
    const own = within(block, columns);
    const numbers = own.filter(({ type }) => type === 'number');
    const relation = `(FROM ${convertedSql(block, numbers)} WHERE ${where})`;
    await numberStatistics(database, relation, numbers, rows, found);
    await valueStatistics(
      database,
      `(FROM ${block.sql} WHERE ${where})`,
      columns[0]!.look.rows > rows ? `(FROM ${block.sql} WHERE NOT (${where}))` : undefined,
      own.filter(({ type }) => type !== 'number'),
      found,
    );
  }
  return found;
}

/** Of an ignored column only what was seen in the raw rows is known: different numbers and dates were not counted. */
export function rawStatistics({ look, missingTokens, strays }: Column): Pick<Statistics, 'missing'> & Partial<Statistics> {
  const count = (map: Map<string, number>) => [...map.values()].reduce((sum, n) => sum + n, 0);
  const { as } = look.form;
  const wasCounted = as === 'values' || as === 'text';
  return {
    missing: count(missingTokens) + count(strays),
    ...(wasCounted && { distinct: Math.max(0, look.distinct - missingTokens.size) }),
  };
}

/** The most frequent values that a report lists, and strays among numbers. */
const mostTop = 50;
const mostStrays = 500;

export function reportOf(
  column: Column,
  role: ColumnReport['role'],
  why: string,
  { missing, distinct, number, values }: Pick<Statistics, 'missing'> & Partial<Statistics>,
): ColumnReport {
  return {
    name: column.name,
    type: column.type,
    role,
    why,
    missing,
    // fromEntries makes own properties, so that a value may be '__proto__'.
    missingTokens: Object.fromEntries(column.missingTokens),
    ...(column.type === 'number' && column.strays.size > 0 && { strays: mostFrequent(column.strays) }),
    ...(distinct !== undefined && { distinct }),
    ...(number && { number }),
    ...(column.written && { written: column.written }),
    ...(column.date && { date: column.date }),
    ...(column.spellings.size > 0 && { spellings: Object.fromEntries(column.spellings) }),
    ...(values && column.type !== 'text' && { top: values.slice(0, mostTop) }),
  };
}

const mostFrequent = (counts: Map<string, number>) =>
  [...counts]
    .sort(([a, n], [b, m]) => m - n || byCodeUnit(a, b))
    .slice(0, mostStrays)
    .map(([value]) => value);

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
