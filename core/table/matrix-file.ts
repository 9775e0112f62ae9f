/** Feature matrices as parquet files: streamed out of typed arrays and back into them, without a copy in between. */

import { rename, rm } from 'node:fs/promises';
import { DOUBLE, type DuckDBConnection, DuckDBTableFunction, FLOAT, INTEGER } from '@duckdb/node-api';
import { IngotError } from '../errors.ts';
import type { Matrix } from '../models/model.ts';
import { ColumnFile } from './column-file.ts';
import { type DatabaseOptions, identifier, literal, rowsOf, withDatabase } from './database.ts';

export interface MatrixColumn {
  name: string;
  /** Written as FLOAT, INTEGER or DOUBLE: nothing is rounded. */
  values: Float32Array | Int32Array | Float64Array;
}

/** Values in one row group: what bounds the writer's memory, however many columns there are. */
const groupValues = 4_000_000;

/**
 * Writes columns of equal length. The same columns give the same bytes.
 * @param path is written over
 */
export function writeMatrix(path: string, columns: MatrixColumn[]): Promise<void> {
  return withDatabase({ threads: 1 }, async (database) => {
    registerColumns(database, 'matrix', columns);
    await database.run(`COPY (FROM matrix()) TO ${literal(path)} (${formatOf(columns.length)})`);
  });
}

const groupRows = (columns: number) => Math.min(122_880, Math.max(2048, Math.floor(groupValues / columns / 2048) * 2048));
const formatOf = (columns: number) => `FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${groupRows(columns)}`;

/** Writes a matrix of which only some rows are in memory at a time, row group by row group. The bytes do not depend on how many come at a time. */
export class MatrixWriter {
  private readonly path: string;
  private readonly within: DatabaseOptions;
  private readonly parts: string[] = [];
  /** The row group that is being filled. */
  private group: MatrixColumn[] = [];
  private filled = 0;

  constructor(path: string, within: DatabaseOptions = {}) {
    this.path = path;
    this.within = within;
  }

  /** The next rows. */
  async add(columns: MatrixColumn[]): Promise<void> {
    const rows = columns[0]!.values.length;
    const size = groupRows(columns.length);
    // Of a table of few rows a whole group would be much for nothing.
    const room = Math.min(size, this.filled + rows);
    if ((this.group[0]?.values.length ?? 0) < room) {
      const before = this.group;
      this.group = columns.map(({ name, values }) => ({ name, values: like(values, before.length > 0 ? size : room) }));
      for (const [i, { values }] of before.entries()) this.group[i]!.values.set(values as Float64Array);
    }
    for (let from = 0; from < rows; ) {
      const count = Math.min(rows - from, size - this.filled);
      for (const [i, { values }] of columns.entries())
        this.group[i]!.values.set(values.subarray(from, from + count) as Float64Array, this.filled);
      this.filled += count;
      from += count;
      if (this.filled === size) await this.flush();
    }
  }

  async close(): Promise<void> {
    const { path, parts } = this;
    if (this.filled > 0) await this.flush();
    if (parts.length === 1) return rename(parts[0]!, path);
    const source = `read_parquet([${parts.map(literal).join(', ')}])`;
    await withDatabase({ ...this.within, threads: 1 }, async (database) => {
      await database.run(`COPY (FROM ${source}) TO ${literal(path)} (${formatOf(this.group.length)})`);
    });
    for (const part of parts) await rm(part);
  }

  private async flush(): Promise<void> {
    const part = `${this.path}.${this.parts.length}`;
    this.parts.push(part);
    await writeMatrix(
      part,
      this.group.map(({ name, values }) => ({ name, values: values.subarray(0, this.filled) })),
    );
    this.filled = 0;
  }
}

const like = (values: MatrixColumn['values'], length: number) =>
  new (values.constructor as new (length: number) => MatrixColumn['values'])(length);

export interface MatrixOptions {
  /** What DuckDB may use. */
  within?: DatabaseOptions;
  /** The rows to be read, ascending; by default all. */
  rows?: Int32Array | undefined;
}

/**
 * Reads columns by name into one float32 matrix, column after column.
 * @throws IngotError NotFound where the file lacks one of the columns
 */
export async function readMatrix(path: string, names: string[], options: MatrixOptions = {}): Promise<Matrix> {
  let data = new Float32Array();
  let at = 0;
  const rows = await readChunks(path, names, options, (rows) => {
    data = new Float32Array(rows * names.length);
    return (columns, places) => {
      for (const [column, values] of columns.entries()) {
        const start = column * rows + at;
        for (let i = 0; i < places.length; i++) data[start + i] = values[places[i]!]!;
      }
      at += places.length;
    };
  });
  return { rows, columns: names.length, names, data };
}

/** The same, into a file: the matrix reads a column when it is asked for one. @param file is written over; it is the caller's to close */
export async function storeMatrix(path: string, names: string[], file: string, options: MatrixOptions = {}): Promise<ColumnFile> {
  let stored: ColumnFile | undefined;
  await readChunks(path, names, options, (rows) => {
    const made = new ColumnFile(file, names, rows);
    stored = made;
    return (columns, places) => made.add(columns, places);
  });
  return stored!;
}

/** @param begin gets the number of rows, and gives what takes the columns' next values, and which of them are wanted. @returns the number of rows */
function readChunks(
  path: string,
  names: string[],
  { within = {}, rows: some }: MatrixOptions,
  begin: (rows: number) => (columns: ArrayLike<number>[], places: Int32Array) => void,
): Promise<number> {
  return withDatabase(within, async (database) => {
    const source = `read_parquet(${literal(path)})`;
    const known = new Set((await rowsOf(database, `DESCRIBE FROM ${source}`)).map(([name]) => String(name)));
    const absent = names.find((name) => !known.has(name));
    if (absent !== undefined) throw new IngotError('NotFound', `The features have no column '${absent}'.`, { where: `column '${absent}'` });
    const rows = some?.length ?? Number((await rowsOf(database, `SELECT count(*) FROM ${source}`))[0]![0]);
    const take = begin(rows);
    const result = await database.stream(`SELECT ${names.map(identifier).join(', ') || 'NULL'} FROM ${source}`);
    let offset = 0;
    let next = 0;
    for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
      const first = offset;
      offset += chunk.rowCount;
      const from = next;
      while (some && next < rows && some[next]! < offset) next++;
      const places = some ? some.subarray(from, next).map((row) => row - first) : everyRow.subarray(0, chunk.rowCount);
      if (places.length === 0) continue;
      const columns = names.map((_, column) => (chunk!.getColumnVector(column) as unknown as { items: Float32Array }).items);
      take(columns, places);
    }
    return rows;
  });
}

/** Of a chunk, which has 2,048 rows at most. */
const everyRow = Int32Array.from({ length: 2048 }, (_, row) => row);

/** Makes typed arrays a table in SQL: a table function that hands out 2,048 rows a call. */
function registerColumns(database: DuckDBConnection, name: string, columns: MatrixColumn[]): void {
  const rows = columns[0]?.values.length ?? 0;
  let offset = 0;
  database.registerTableFunction(
    DuckDBTableFunction.create({
      name,
      bindFunction: (bind) => {
        for (const { name, values } of columns) {
          bind.addResultColumn(name, values instanceof Float32Array ? FLOAT : values instanceof Int32Array ? INTEGER : DOUBLE);
        }
      },
      initFunction: (init) => {
        init.setMaxThreads(1);
        offset = 0;
      },
      mainFunction: (_, chunk) => {
        const count = Math.min(2048, rows - offset);
        chunk.rowCount = count;
        if (count > 0) {
          for (const [index, { values }] of columns.entries()) {
            const vector = chunk.getColumnVector(index) as unknown as { items: Float64Array; flush(): void };
            vector.items.set(values.subarray(offset, offset + count) as Float64Array);
            vector.flush();
          }
        }
        offset += count;
      },
    }),
  );
}
