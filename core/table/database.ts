/** DuckDB, opened for one piece of work and closed after it; and how names and values are written into SQL. */
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';

export interface DatabaseOptions {
  /** Where DuckDB spills what exceeds `memoryLimit`; without it, it never spills. */
  directory?: string;
  /** E.g. '400MB': DuckDB's buffers; the process needs about 100 MB more. */
  memoryLimit?: string;
  threads?: number;
}

/**
 * Runs `work` on an in-memory database of its own. Extensions are never downloaded, and rows keep the order of their files.
 * @param work gets a second connection too, for what can run beside the first; it has neither the first's variables nor its temporary tables
 */
export async function withDatabase<T>(
  options: DatabaseOptions,
  work: (database: DuckDBConnection, second: DuckDBConnection) => Promise<T>,
): Promise<T> {
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    preserve_insertion_order: 'true',
    temp_directory: options.directory ?? '',
    // What is freed goes back to the machine soon: a tenth less memory for hardly any time.
    allocator_flush_threshold: '8MB',
    allocator_bulk_deallocation_flush_threshold: '16MB',
    ...(options.memoryLimit !== undefined && { memory_limit: options.memoryLimit }),
    ...(options.threads !== undefined && { threads: String(options.threads) }),
  });
  try {
    const database = await instance.connect();
    const second = await instance.connect();
    try {
      return await work(database, second);
    } finally {
      second.disconnectSync();
      database.disconnectSync();
    }
  } finally {
    instance.closeSync();
  }
}

/** The results of what runs side by side; where one fails, the others end before it is told, since they use the database still. */
export async function together<T extends unknown[]>(...running: { [Index in keyof T]: Promise<T[Index]> }): Promise<T> {
  await Promise.allSettled(running);
  return (await Promise.all(running)) as T;
}

/** A name (of a column, of a table) as SQL: whatever it contains, it is one quoted identifier. */
export const identifier = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** A string as SQL. NUL cannot stand in a literal, so it is spelled out. */
export function literal(value: string): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
  return value.includes('\0') ? `(${value.split('\0').map(quoted).join(' || chr(0) || ')})` : quoted(value);
}

/** All rows of a small result, each an array of values. */
export async function rowsOf(database: DuckDBConnection, sql: string, values?: DuckDBValue[]): Promise<DuckDBValue[][]> {
  const result = await database.run(sql, values);
  return result.getRows();
}
