/** Which columns of a dataset hold personal data, and in how many cells. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { DatasetSpec, PersonalPolicy } from '../../spec.ts';
import { specOf } from '../columns.ts';
import { literal, rowsOf } from '../database.ts';
import type { ColumnReport, PersonalKind } from '../report.ts';
import { wordsOf } from './column-sample.ts';
import { kindOf, mask, mayBePersonal, type TextFinder, textFinders } from './personal.ts';

export interface Personal {
  kinds: PersonalKind[];
  cells: number;
  of: number;
  policy: PersonalPolicy;
  /** Whether dataset.json leaves it out in any case. */
  isLeftOut?: boolean;
  /** Where they stand inside longer text: what finds them. Else the whole column is personal. */
  inText?: TextFinder[];
}

/** Where a column's cells are to be found, as text. */
export interface Cells {
  /** All values with how often each occurs, where they were counted. */
  counted?: { value: string; count: number }[] | undefined;
  /** A FROM item with the cells as `v`. */
  sql: string;
}

/** So many different values tell what a column holds. */
const mostValues = 2000;
/** Rows that are looked at in a column that is not in the clean table anyway. */
const ignoredRows = 5000;
/** Numbers below have too few digits to be anybody's. */
const leastNumber = 1e6;

/** @returns by column name */
export async function findPersonal(
  database: DuckDBConnection,
  columns: ColumnReport[],
  cellsOf: (column: ColumnReport) => Cells | undefined,
  spec: DatasetSpec,
): Promise<Map<string, Personal>> {
  const found = new Map<string, Personal>();
  const { pii } = spec;
  for (const column of columns) {
    const said = pii?.columns !== undefined && Object.hasOwn(pii.columns, column.name) ? pii.columns[column.name] : undefined;
    // What is left out anyway is not hashed, but rejected rows may have it.
    const isLeftOut = said === undefined && specOf(spec, column.name).role === 'ignore' && pii?.policy !== 'keep';
    const policy = isLeftOut ? 'drop' : (said ?? pii?.policy ?? 'drop');
    const cells = mayHold(column) ? cellsOf(column) : undefined;
    const personal = cells && (await look(database, column, cells));
    if (personal !== undefined) found.set(column.name, { ...personal, policy, ...(isLeftOut && { isLeftOut }) });
    else if (said === 'drop' || said === 'hash') found.set(column.name, { kinds: ['declared'], cells: 0, of: 0, policy });
  }
  return found;
}

/** Fractions and small numbers are nobody's. The median of whole numbers may lie between two of them; of what is ignored, none is known. */
const mayHold = ({ type, number }: ColumnReport) =>
  type !== 'boolean' &&
  (number === undefined || (number.median >= leastNumber && Number.isInteger(number.min) && Number.isInteger(number.max)));

async function look(
  database: DuckDBConnection,
  { name, type, role }: ColumnReport,
  { counted, sql }: Cells,
): Promise<Omit<Personal, 'policy' | 'isLeftOut'> | undefined> {
  const isNumber = type === 'number';
  const source = role === 'ignored' || isNumber ? `(FROM ${sql} LIMIT ${ignoredRows})` : sql;
  const text = isNumber ? 'TRY_CAST(v AS HUGEINT)::VARCHAR' : 'trim(v::VARCHAR)';
  const values =
    counted?.slice(0, mostValues).map(({ value }) => value.trim()) ??
    (await rowsOf(database, `SELECT DISTINCT ${text} AS t FROM (FROM ${source} LIMIT ${ignoredRows}) WHERE t IS NOT NULL`))
      .map(([value]) => String(value))
      .sort()
      .slice(0, mostValues);
  const kind = kindOf({ words: wordsOf(name), values, isNumber });
  if (kind !== undefined) {
    const present = counted?.reduce((sum, { count }) => sum + count, 0) ?? (await countOf(database, `FROM ${source} WHERE v IS NOT NULL`));
    return { kinds: [kind], cells: present, of: present };
  }
  if (isNumber) return undefined;
  // Most texts have neither an @ nor six digits; the others are all read.
  const suspects = (
    counted ??
    (
      await rowsOf(
        database,
        `SELECT v::VARCHAR, count(*)::DOUBLE FROM ${source} WHERE regexp_matches(v::VARCHAR, ${literal(mayBePersonal)}) GROUP BY v`,
      )
    ).map(([value, count]) => ({ value: String(value), count: Number(count) }))
  ).filter(({ value }) => maybe.test(value));
  if (suspects.length === 0) return undefined;
  const finders = textFinders(suspects.map(({ value }) => value));
  const cells = suspects.reduce((sum, { value, count }) => sum + (mask(value, finders) === value ? 0 : count), 0);
  if (cells === 0) return undefined;
  const of = counted?.reduce((sum, { count }) => sum + count, 0) ?? (await countOf(database, `FROM ${source} WHERE v IS NOT NULL`));
  return { kinds: [...new Set(finders.map(({ kind }) => kind))], cells, of, inText: finders };
}

const maybe = new RegExp(mayBePersonal);

const countOf = async (database: DuckDBConnection, from: string) => Number((await rowsOf(database, `SELECT count(*) ${from}`))[0]![0]);
