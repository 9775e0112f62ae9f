/** Which rows of the files a clean table leaves out, so that a row of the table can be named as the row of the files that it was. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { literal, rowsOf, withDatabase } from './database.ts';

/**
 * Writes the numbers of the rows that stay not, counted from 0 over all that could be read, ascending.
 * @param relation a FROM item with `file_row_number`
 * @param stays what is true of the rows of the table
 */
export async function writeLeftOut(database: DuckDBConnection, relation: string, stays: string, path: string): Promise<void> {
  await database.run(
    `COPY (SELECT file_row_number::BIGINT AS row FROM ${relation} WHERE NOT (${stays})) TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd)`,
  );
}

/** @returns for rows of the table, from 0, their numbers among the rows that could be read, from 1, in the order of the files */
export async function rowsInFiles(path: string | undefined, rows: Int32Array): Promise<Int32Array> {
  if (path === undefined) return rows.map((row) => row + 1);
  return await withDatabase({ threads: 1 }, async (database) => {
    // The n-th that is left out has `row − n` rows of the table before it: those are what a table's row is compared with.
    const before = (
      await rowsOf(
        database,
        `SELECT (row - row_number() OVER (ORDER BY row) + 1)::INTEGER FROM read_parquet(${literal(path)}) ORDER BY row`,
      )
    ).map(([count]) => Number(count));
    return rows.map((row) => row + 1 + countUpTo(before, row));
  });
}

/** How many of the ascending numbers are at most `bound`. */
function countUpTo(numbers: number[], bound: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! <= bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
