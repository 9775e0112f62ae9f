/** Feature matrices as parquet files: streamed out of typed arrays and back into them, without a copy in between. */

import { rename, rm } from 'node:fs/promises';
import { DOUBLE, type DuckDBConnection, DuckDBTableFunction, FLOAT, INTEGER } from '@duckdb/node-api';
import { IngotError } from '../errors.ts';
import type { Matrix } from '../models/model.ts';
import { type DatabaseOptions, identifier, literal, rowsOf, withDatabase } from './database.ts';
import { fill, fillSome } from './frame-file.ts';

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
    if (this.group.length === 0) this.group = columns.map(({ name, values }) => ({ name, values: like(values, size) }));
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

/**
 * Reads columns by name into one float32 matrix, column after column.
 * @param options.rows those to be read, ascending; by default all
 * @throws IngotError NotFound where the file lacks one of the columns
 */
export function readMatrix(
  path: string,
  names: string[],
  { within = {}, rows: some }: { within?: DatabaseOptions; rows?: Int32Array | undefined } = {},
): Promise<Matrix> {
  return withDatabase(within, async (database) => {
    const source = `read_parquet(${literal(path)})`;
    const known = new Set((await rowsOf(database, `DESCRIBE FROM ${source}`)).map(([name]) => String(name)));
    const absent = names.find((name) => !known.has(name));
    if (absent !== undefined) throw new IngotError('NotFound', `The features have no column '${absent}'.`, { where: `column '${absent}'` });
    const rows = some?.length ?? Number((await rowsOf(database, `SELECT count(*) FROM ${source}`))[0]![0]);
    const data = new Float32Array(rows * names.length);
    const sql = `SELECT ${names.map((name) => `coalesce(${identifier(name)}, 'nan'::DOUBLE)`).join(', ') || 'NULL'} FROM ${source}`;
    const columns = names.map((_, index) => data.subarray(index * rows, (index + 1) * rows));
    await (some ? fillSome(database, sql, columns, some) : fill(database, sql, columns));
    return { rows, columns: names.length, names, data };
  });
}

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
