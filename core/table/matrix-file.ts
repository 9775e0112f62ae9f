/** Feature matrices as parquet files: streamed out of typed arrays and back into them, without a copy in between. */
import { DOUBLE, type DuckDBConnection, DuckDBTableFunction, FLOAT, INTEGER } from '@duckdb/node-api';
import { IngotError } from '../errors.ts';
import type { Matrix } from '../models/model.ts';
import { identifier, literal, rowsOf, withDatabase } from './database.ts';
import { fill } from './frame-file.ts';

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
    const group = Math.min(122_880, Math.max(2048, Math.floor(groupValues / columns.length / 2048) * 2048));
    await database.run(`COPY (FROM matrix()) TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${group})`);
  });
}

/**
 * Reads columns by name into one float32 matrix, column after column.
 * @throws IngotError NotFound where the file lacks one of them
 */
export function readMatrix(path: string, names: string[]): Promise<Matrix> {
  return withDatabase({}, async (database) => {
    const source = `read_parquet(${literal(path)})`;
    const known = new Set((await rowsOf(database, `DESCRIBE FROM ${source}`)).map(([name]) => String(name)));
    const absent = names.find((name) => !known.has(name));
    if (absent !== undefined) throw new IngotError('NotFound', `The features have no column '${absent}'.`, { where: `column '${absent}'` });
    const rows = Number((await rowsOf(database, `SELECT count(*) FROM ${source}`))[0]![0]);
    const data = new Float32Array(rows * names.length);
    await fill(
      database,
      `SELECT ${names.map((name) => `coalesce(${identifier(name)}, 'nan'::DOUBLE)`).join(', ') || 'NULL'} FROM ${source}`,
      names.map((_, index) => data.subarray(index * rows, (index + 1) * rows)),
    );
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
