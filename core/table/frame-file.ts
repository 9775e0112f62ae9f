/** Parquet files of clean tables as frames and targets in memory. */
import type { DuckDBConnection, DuckDBVector } from '@duckdb/node-api';
import { IngotError } from '../errors.ts';
import type { Target } from '../models/model.ts';
import { type DatabaseOptions, identifier, literal, rowsOf, withDatabase } from './database.ts';
import type { Frame, FrameColumn } from './frame.ts';
import type { CleanReport, ColumnReport } from './report.ts';

export interface FrameOptions {
  /** Which columns, in which order; by default all, in the file's order. */
  columns?: string[];
  /** Number columns to be read in double precision. */
  wide?: readonly string[];
  /** Only rows `from` (inclusive) to `to` (exclusive), counted from 0. */
  rows?: { from: number; to: number };
  /** What DuckDB may use. */
  within?: DatabaseOptions;
}

/**
 * Reads a clean table. DOUBLE becomes float32 by Math.fround where it is not asked for as it is, and NULL becomes NaN; BOOLEAN and VARCHAR become codes into a dictionary:
 * ['false', 'true'], or the values in the order in which they are first seen in the rows that are read.
 * @throws IngotError NotFound where a column is not in the file
 */
export function readFrame(path: string, options: FrameOptions = {}): Promise<Frame> {
  return withDatabase(options.within ?? {}, async (database) => {
    const source = scan(path, options.rows);
    const rows = Number((await rowsOf(database, `SELECT count(*) FROM ${source}`))[0]![0]);
    const readers = await readersOf(database, path, source, options);
    const columns = readers.map(({ empty }) => empty(rows));
    await fill(database, queryOf(readers, source), columns.map(arrayOf));
    return { rows, columns };
  });
}

/**
 * The same, so many rows at a time, in their order; each part's categories have a dictionary of their own.
 * @param size rows of a part, a multiple of 2,048
 * @param work gets each part and the number of its first row
 */
export function readParts(
  path: string,
  options: Omit<FrameOptions, 'rows'>,
  size: number,
  work: (part: Frame, from: number) => Promise<void>,
): Promise<void> {
  return withDatabase(options.within ?? {}, async (database) => {
    const source = scan(path);
    const readers = await readersOf(database, path, source, options, mostLiterals);
    const result = await database.stream(queryOf(readers, source));
    let from = 0;
    for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; ) {
      const columns = readers.map(({ empty }) => empty(size));
      let rows = 0;
      for (; chunk !== null && chunk.rowCount > 0 && rows + chunk.rowCount <= size; chunk = await result.fetchChunk()) {
        for (const [index, { read }] of readers.entries()) read(chunk.getColumnVector(index), chunk.rowCount, columns[index]!, rows);
        rows += chunk.rowCount;
      }
      await work({ rows, columns: columns.map((column) => firstRows(column, rows)) }, from);
      from += rows;
    }
  });
}

/** How a column is asked for and becomes part of a frame. */
interface Reader {
  expression: string;
  empty(rows: number): FrameColumn;
  read(vector: DuckDBVector, count: number, into: FrameColumn, offset: number): void;
}

/** @param most values that a category may have to be read as codes; one of more is read as text, and its dictionary is made on the way */
async function readersOf(
  database: DuckDBConnection,
  path: string,
  source: string,
  options: FrameOptions,
  most = Number.POSITIVE_INFINITY,
): Promise<Reader[]> {
  const types = await columnTypesOf(database, path);
  const readers: Reader[] = [];
  const copy: Reader['read'] = (vector, _, into, offset) => arrayOf(into).set((vector as unknown as { items: Float64Array }).items, offset);
  for (const name of options.columns ?? types.keys()) {
    const type = types.get(name);
    if (type === undefined) throw new IngotError('NotFound', `The table has no column '${name}'.`, { where: `column '${name}'` });
    const column = identifier(name);
    const category = (type: 'boolean' | 'category', expression: string, dictionary: string[]): Reader => ({
      expression,
      empty: (rows) => ({ type, name, codes: new Int32Array(rows), dictionary }),
      read: copy,
    });
    if (type === 'BOOLEAN') readers.push(category('boolean', `coalesce(${column}::INTEGER, -1)`, ['false', 'true']));
    else if (type === 'VARCHAR' && (await hasMore(database, source, column, most))) {
      readers.push({
        expression: column,
        empty: (rows) => ({ type: 'category', name, codes: new Int32Array(rows), dictionary: [] }),
        read: readTexts,
      });
    } else if (type === 'VARCHAR') {
      const { dictionary, codes } = await firstSeen(database, source, column, readers.length);
      readers.push(category('category', codes, dictionary));
    } else {
      const isWide = options.wide?.includes(name) ?? false;
      const empty = (rows: number): FrameColumn => ({
        type: 'number',
        name,
        values: isWide ? new Float64Array(rows) : new Float32Array(rows),
      });
      readers.push({ expression: `coalesce(${column}::DOUBLE, 'nan')`, empty, read: copy });
    }
  }
  return readers;
}

const queryOf = (readers: readonly Reader[], source: string) =>
  `SELECT ${readers.map(({ expression }) => expression).join(', ') || 'NULL'} FROM ${source}`;

const arrayOf = (column: FrameColumn) => (column.type === 'number' ? column.values : column.codes);

function firstRows(column: FrameColumn, rows: number): FrameColumn {
  return column.type === 'number'
    ? { ...column, values: column.values.subarray(0, rows) }
    : { ...column, codes: column.codes.subarray(0, rows) };
}

async function hasMore(database: DuckDBConnection, source: string, column: string, most: number): Promise<boolean> {
  if (most === Number.POSITIVE_INFINITY) return false;
  const distinct = `SELECT DISTINCT ${column} FROM ${source} WHERE ${column} IS NOT NULL LIMIT ${most + 1}`;
  return Number((await rowsOf(database, `SELECT count(*) FROM (${distinct})`))[0]![0]) > most;
}

/** The codes that texts have in a dictionary that grows. */
const codesOf = new WeakMap<FrameColumn, Map<string, number>>();

function readTexts(vector: DuckDBVector, count: number, into: FrameColumn, offset: number): void {
  if (into.type === 'number') return;
  const known = codesOf.get(into) ?? new Map<string, number>();
  codesOf.set(into, known);
  for (let row = 0; row < count; row++) {
    const text = vector.getItem(row) as string | null;
    let code = text === null ? -1 : known.get(text);
    if (code === undefined) {
      code = into.dictionary.push(text!) - 1;
      known.set(text!, code);
    }
    into.codes[offset + row] = code;
  }
}

/** The target column as models take it: indices into `report.classes`, or numbers in double precision. */
export function readTarget(
  path: string,
  report: Pick<CleanReport, 'target' | 'task' | 'classes'> & { columns: Pick<ColumnReport, 'name' | 'type'>[] },
  within: DatabaseOptions = {},
): Promise<Target> {
  return withDatabase(within, async (database) => {
    const column = identifier(report.target);
    const source = scan(path);
    const rows = Number((await rowsOf(database, `SELECT count(*) FROM ${source}`))[0]![0]);
    if (report.task === 'regression') {
      const values = new Float64Array(rows);
      await fill(database, `SELECT coalesce(${column}::DOUBLE, 'nan') FROM ${source}`, [values]);
      return { task: 'regression', values };
    }
    const classes = report.classes ?? [];
    const labels = new Int32Array(rows);
    const isNumber = report.columns.find(({ name }) => name === report.target)?.type === 'number';
    const keys = classes.map((label, index) => `WHEN ${isNumber ? `${literal(label)}::DOUBLE` : literal(label)} THEN ${index}`);
    const value = isNumber ? column : `${column}::VARCHAR`;
    await fill(database, `SELECT CASE ${value} ${keys.join(' ')} ELSE -1 END::INTEGER FROM ${source}`, [labels]);
    return { task: 'classification', classes: classes.length, labels };
  });
}

/**
 * Copies a query's columns, of type DOUBLE, FLOAT or INTEGER and without NULLs, into arrays, a chunk of 2,048 rows at a time.
 * @returns how many rows there were
 */
export async function fill(
  database: DuckDBConnection,
  sql: string,
  targets: (Float32Array | Float64Array | Int32Array)[],
): Promise<number> {
  const result = await database.stream(sql);
  let offset = 0;
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    for (const [index, target] of targets.entries()) {
      target.set((chunk.getColumnVector(index) as unknown as { items: Float64Array }).items, offset);
    }
    offset += chunk.rowCount;
  }
  return offset;
}

const scan = (path: string, rows?: { from: number; to: number }) =>
  rows === undefined
    ? `read_parquet(${literal(path)})`
    : `(FROM read_parquet(${literal(path)}) LIMIT ${Math.max(0, rows.to - rows.from)} OFFSET ${rows.from})`;

async function columnTypesOf(database: DuckDBConnection, path: string): Promise<Map<string, string>> {
  const description = await rowsOf(database, `DESCRIBE FROM read_parquet(${literal(path)})`);
  return new Map(description.map(([name, type]) => [String(name), String(type)]));
}

/**
 * The different values in the order in which they are first seen, and the SQL of a value's code.
 * @param key tells the column from the others of the query
 */
async function firstSeen(
  database: DuckDBConnection,
  source: string,
  column: string,
  key: number,
): Promise<{ dictionary: string[]; codes: string }> {
  const values = `SELECT value FROM (SELECT ${column} AS value, row_number() OVER () AS place FROM ${source})
     WHERE value IS NOT NULL GROUP BY value ORDER BY min(place)`;
  const dictionary: string[] = [];
  for await (const rows of (await database.stream(values)).yieldRows()) for (const [value] of rows) dictionary.push(String(value));
  if (dictionary.length === 0) return { dictionary, codes: '-1' };
  if (dictionary.length <= mostLiterals) {
    return { dictionary, codes: `coalesce(enum_code(${column}::ENUM(${dictionary.map(literal).join(', ')}))::INTEGER, -1)` };
  }
  // An ENUM made of a query: its literals would be megabytes of SQL.
  await database.run(`CREATE OR REPLACE TEMP TYPE seen${key} AS ENUM (${values})`);
  return { dictionary, codes: `coalesce(enum_code(${column}::seen${key})::INTEGER, -1)` };
}

/** So many values may stand in a query. */
const mostLiterals = 10_000;
