/** A sample of a clean table's rows, as numbers. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { identifier, literal } from '../database.ts';
import { fill } from '../frame-file.ts';
import type { ColumnReport } from '../report.ts';

/** A column of the sample: numbers, or for other types a number that stands for the value. NaN is missing. */
export interface Sampled {
  name: string;
  isNumber: boolean;
  values: Float64Array;
}

/** DuckDB reads so many rows at a time, and skips those of which none is wanted. */
const vector = 2048;
/** Of a long table only parts are read, far apart from each other; of those, one row in this many. */
const mostWithin = 16;

/**
 * Drawn by a hash of their place, so that no order of the table makes a difference, and always the same.
 * @param rows that the table has
 * @param wanted about how many are drawn; up to twice as many, or all
 */
export async function sampleRows(
  database: DuckDBConnection,
  table: string,
  columns: Pick<ColumnReport, 'name' | 'type'>[],
  rows: number,
  wanted: number,
): Promise<Sampled[]> {
  const every = Math.max(1, Math.floor(rows / wanted));
  const within = Math.min(every, mostWithin);
  const blocks = Math.floor(every / within);
  const source = `read_parquet(${literal(table)}, file_row_number = true) ${
    every === 1 ? '' : `WHERE file_row_number // ${vector} % ${blocks} = ${blocks >> 1} AND hash(file_row_number) % ${within} = 0`
  }`;
  // Half more than is expected: far above what chance may draw.
  const room = every === 1 ? rows : Math.ceil((1.5 * vector * Math.ceil(rows / vector / blocks)) / within) + 200;
  const items = columns.map(({ name, type }) => {
    const column = identifier(name);
    if (type === 'number') return `coalesce(${column}, 'nan')::DOUBLE`;
    return `CASE WHEN ${column} IS NULL THEN 'nan'::DOUBLE ELSE (hash(${column}) & ${2 ** 52 - 1})::DOUBLE END`;
  });
  const sampled = columns.map(({ name, type }) => ({ name, isNumber: type === 'number', values: new Float64Array(room) }));
  const read = await fill(
    database,
    `SELECT ${items.join(', ')} FROM ${source}`,
    sampled.map(({ values }) => values),
  );
  return sampled.map((column) => ({ ...column, values: column.values.slice(0, read) }));
}

/** Numbers for the values in the order in which they first occur: equal for columns that differ in the names of their values alone. -1 is missing. */
export function codesOf(values: Float64Array): { codes: Int32Array; distinct: number } {
  const known = new Map<number, number>();
  const codes = new Int32Array(values.length);
  for (const [row, value] of values.entries()) {
    const code = Number.isNaN(value) ? -1 : (known.get(value) ?? known.size);
    if (code === known.size) known.set(value, code);
    codes[row] = code;
  }
  return { codes, distinct: known.size };
}

/** Ranks from 0 to 1, the mean rank for equal values; NaN stays. */
export function ranksOf(values: Float64Array): Float64Array {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  const ranks = new Map<number, number>();
  for (let from = 0; from < sorted.length; ) {
    let to = from + 1;
    while (to < sorted.length && sorted[to] === sorted[from]) to++;
    ranks.set(sorted[from]!, (from + to - 1) / 2 / Math.max(1, sorted.length - 1));
    from = to;
  }
  return values.map((value) => ranks.get(value) ?? NaN);
}
