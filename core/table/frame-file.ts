/** Parquet files of clean tables as frames and targets in memory. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { IngotError } from '../errors.ts';
import type { Target } from '../models/model.ts';
import { identifier, literal, rowsOf, withDatabase } from './database.ts';
import type { Frame, FrameColumn } from './frame.ts';
import type { CleanReport, ColumnReport } from './report.ts';

export interface FrameOptions {
  /** Which columns, in which order; by default all, in the file's order. */
  columns?: string[];
  /** Number columns to be read in double precision. */
  wide?: readonly string[];
  /** Only rows `from` (inclusive) to `to` (exclusive), counted from 0. */
  rows?: { from: number; to: number };
}

/**
 * Reads a clean table. DOUBLE becomes float32 by Math.fround where it is not asked for as it is, and NULL becomes NaN; BOOLEAN and VARCHAR become codes into a dictionary:
 * ['false', 'true'], or the values in the order in which they are first seen in the rows that are read.
 * @throws IngotError NotFound where a column is not in the file
 */
export function readFrame(path: string, options: FrameOptions = {}): Promise<Frame> {
  return withDatabase({}, async (database) => {
    const source = scan(path, options.rows);
    const types = await columnTypesOf(database, path);
    const names = options.columns ?? [...types.keys()];
    const rows = Number((await rowsOf(database, `SELECT count(*) FROM ${source}`))[0]![0]);
    const columns: FrameColumn[] = [];
    const expressions: string[] = [];
    for (const name of names) {
      const type = types.get(name);
      if (type === undefined) throw new IngotError('NotFound', `The table has no column '${name}'.`, { where: `column '${name}'` });
      const column = identifier(name);
      if (type === 'BOOLEAN') {
        expressions.push(`coalesce(${column}::INTEGER, -1)`);
        columns.push({ type: 'boolean', name, codes: new Int32Array(rows), dictionary: ['false', 'true'] });
      } else if (type === 'VARCHAR') {
        const { dictionary, codes } = await firstSeen(database, source, column, columns.length);
        expressions.push(codes);
        columns.push({ type: 'category', name, codes: new Int32Array(rows), dictionary });
      } else {
        expressions.push(`coalesce(${column}::DOUBLE, 'nan')`);
        columns.push({ type: 'number', name, values: options.wide?.includes(name) ? new Float64Array(rows) : new Float32Array(rows) });
      }
    }
    await fill(
      database,
      `SELECT ${expressions.join(', ') || 'NULL'} FROM ${source}`,
      columns.map((column) => (column.type === 'number' ? column.values : column.codes)),
    );
    return { rows, columns };
  });
}

/** The target column as models take it: indices into `report.classes`, or numbers in double precision. */
export function readTarget(
  path: string,
  report: Pick<CleanReport, 'target' | 'task' | 'classes'> & { columns: Pick<ColumnReport, 'name' | 'type'>[] },
): Promise<Target> {
  return withDatabase({}, async (database) => {
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
