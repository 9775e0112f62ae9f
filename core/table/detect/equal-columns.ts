/** Features that have the very values of an earlier one in every row: they add nothing, and halve what each of the two seems to be worth. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { DatasetSpec } from '../../spec.ts';
import { specOf } from '../columns.ts';
import { identifier, literal, rowsOf } from '../database.ts';
import type { ColumnReport } from '../report.ts';

/**
 * @param same by name, the earlier feature that a column seems to equal in a sample, if need be under other names for its values
 * @returns those that equal it in all rows and in the values themselves, but for columns that the spec calls features
 */
export async function findEqual(
  database: DuckDBConnection,
  table: string,
  columns: readonly ColumnReport[],
  same: Map<string, string>,
  spec: DatasetSpec,
): Promise<Set<string>> {
  const typeOf = new Map(columns.map(({ name, type }) => [name, type]));
  const pairs = [...same].filter(([name, first]) => typeOf.get(name) === typeOf.get(first) && specOf(spec, name).role !== 'feature');
  if (pairs.length === 0) return new Set();
  const equal = pairs.map(([name, first]) => `bool_and(${identifier(name)} IS NOT DISTINCT FROM ${identifier(first)})`);
  const [found = []] = await rowsOf(database, `SELECT ${equal.join(', ')} FROM read_parquet(${literal(table)})`);
  return new Set(pairs.flatMap(([name], at) => (found[at] === true ? [name] : [])));
}
