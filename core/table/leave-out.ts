/** What the clean table leaves out: rows without target, rows that equal an earlier one, columns with nothing to learn from. */

import type { DuckDBConnection } from '@duckdb/node-api';
import { keyColumn } from '../features/row-keys.ts';
import type { DatasetSpec } from '../spec.ts';
import { type Column, specOf } from './columns.ts';
import { rowsOf } from './database.ts';
import type { Guess } from './look.ts';
import { equalHashes, release } from './scan/equal-hashes.ts';
import { booleanOf } from './spellings.ts';
import { type Block, convertedSql, type Stage, within } from './stage.ts';

/** Rows to leave out as a bit each, in a variable of this name; and not as a join, which does not keep the rows' order. */
type Bits = 'targetless' | 'repeated' | 'suspected';

/** What is true of the rows of a stage (by their `file_row_number`) that have no such bit. */
export const without = (...bits: Bits[]) =>
  bits.map((name) => `get_bit(getvariable('${name}'), file_row_number::INTEGER) = 0`).join(' AND ') || 'true';

async function setBits(database: DuckDBConnection, name: Bits, rows: number, from: string): Promise<void> {
  await database.run(`CREATE TABLE ${name} AS SELECT bitstring_agg(file_row_number, 0, ${rows - 1}) AS bits FROM ${from}`);
  await useBits(database, name);
}

/** Makes bits that were set on one connection known to another. */
export const useBits = (database: DuckDBConnection, name: Bits) => database.run(`SET VARIABLE ${name} = (SELECT bits FROM ${name})`);

/** Sets the bits `targetless`, where there are any. @returns how many rows have no target */
export async function findTargetless(database: DuckDBConnection, stage: Stage, target: Column, rows: number): Promise<number> {
  const block = stage.blocks.find(({ columns }) => columns.includes(target.index))!;
  const converted = convertedSql(block, [target]);
  const [row = []] = await rowsOf(database, `SELECT count(c${target.index}) FROM ${converted}`);
  const count = rows - Number(row[0]);
  if (count > 0) await setBits(database, 'targetless', rows, `${converted} WHERE c${target.index} IS NULL`);
  return count;
}

/**
 * Sets the bits `repeated` of the rows that equal an earlier one, where there are any. A hash finds the few candidates, and only those are
 * compared: by their values, or in wide tables by a hash of 64 bits for each of their blocks, of which there are two or more.
 * @param rows of the stage
 * @param where which of them count
 * @returns how many there are
 */
export async function findDuplicates(
  database: DuckDBConnection,
  stage: Stage,
  rows: number,
  where: string,
  columns: Column[],
): Promise<number> {
  const { relation, keys } = await rowKeys(database, stage, columns);
  const list = keys.join(', ');
  const scanned = stage.hashes && columns.every(isScannedAlike) ? equalHashes(stage.hashes, mostSuspects) : undefined;
  if (stage.hashes) release(stage.hashes);
  delete stage.hashes;
  let suspicious: string;
  if (scanned === undefined) {
    await database.run(
      `CREATE TEMP TABLE candidates AS SELECT h FROM (SELECT hash(${list}) AS h FROM ${relation} WHERE ${where}) GROUP BY h HAVING count(*) > 1`,
    );
    if ((await rowsOf(database, 'FROM candidates LIMIT 1')).length === 0) return 0;
    suspicious = `hash(${list}) IN (FROM candidates)`;
  } else {
    if (scanned.length === 0) return 0;
    await setBits(database, 'suspected', rows, `(SELECT unnest([${scanned.join(', ')}]) AS file_row_number)`);
    suspicious = `NOT (${without('suspected')})`;
  }
  await database.run(`CREATE TEMP TABLE suspects AS SELECT file_row_number, ${list} FROM ${relation} WHERE ${where} AND ${suspicious}`);
  await database.run(
    `CREATE TEMP TABLE repeats AS SELECT file_row_number FROM suspects
     ANTI JOIN (SELECT min(file_row_number) AS first FROM suspects GROUP BY ${list}) ON file_row_number = first`,
  );
  const count = Number((await rowsOf(database, 'SELECT count(*) FROM repeats'))[0]![0]);
  if (count > 0) await setBits(database, 'repeated', rows, 'repeats');
  return count;
}

/** Of more rows than these, SQL finds which are equal. */
const mostSuspects = 100_000;

/** Whether cells of a column that are equal once converted were so to the scan: it took a stray for missing among numbers alone. */
const isScannedAlike = ({ type, look, strays, missingTokens }: Column) =>
  type === 'number'
    ? look.form.as === 'number'
    : type === 'boolean'
      ? [...look.counts.keys()].every((value) => missingTokens.has(value) || booleanOf(value, false) !== undefined)
      : strays.size === 0;

/** A FROM item with `file_row_number` and what rows are compared by. */
async function rowKeys(database: DuckDBConnection, { blocks }: Stage, columns: Column[]): Promise<{ relation: string; keys: string[] }> {
  const named = (block: Block) => within(block, columns).map(({ index }) => `c${index}`);
  const [only, ...others] = blocks;
  if (others.length === 0) return { relation: convertedSql(only!, columns), keys: named(only!) };
  const hashed = blocks.filter((block) => named(block).length > 0);
  for (const [index, block] of hashed.entries()) {
    await database.run(
      `CREATE TEMP TABLE hashes${index} AS SELECT ${index === 0 ? 'file_row_number, ' : ''}hash(${named(block).join(', ')}) AS h${index} FROM ${convertedSql(block, columns)}`,
    );
  }
  return { relation: hashed.map((_, index) => `hashes${index}`).join(' POSITIONAL JOIN '), keys: hashed.map((_, index) => `h${index}`) };
}

/** In tables with fewer rows than these, 1, 2, 3 … may well be a measurement. */
const fewestKeys = 20;
const keyName = /(^|[^a-z])(id|uuid|guid|key|index|idx|rowid|row)$|Id$|ID$/;

/** Why columns are to be ignored, by index. */
export async function findUseless(
  database: DuckDBConnection,
  stage: Stage,
  where: string,
  rows: number,
  columns: Column[],
  target: Column,
  guesses: Guess[],
  spec: DatasetSpec,
): Promise<Map<number, string>> {
  const why = new Map<number, string>();
  // What rows are split by stays, even where it would be useless as a feature.
  const key = keyColumn(spec)?.name;
  const judged = columns.filter((column) => {
    const role = column === target ? 'target' : column.name === key ? 'feature' : specOf(spec, column.name).role;
    if (role === 'ignore') why.set(column.index, 'dataset.json says so');
    else if (column.useless !== undefined && (role === undefined || column.look.plain + column.look.counts.size === 0))
      why.set(column.index, column.useless);
    return role === undefined && !why.has(column.index) && guesses[column.index]!.mayBeUseless;
  });
  const suspects: { column: Column; converted: string }[] = [];
  for (const block of stage.blocks) {
    const some = within(block, judged);
    if (some.length === 0) continue;
    const tests = some.map(({ index, type }) =>
      [
        `count(c${index}), min(c${index}) = max(c${index})`,
        type === 'number' ? `bool_and(c${index} = trunc(c${index})) AND max(c${index}) - min(c${index}) >= ${rows - 1}` : 'false',
      ].join(', '),
    );
    const [row = []] = await rowsOf(database, `SELECT ${tests.join(', ')} FROM ${convertedSql(block, some)} WHERE ${where}`);
    for (const [place, column] of some.entries()) {
      const [count, constant, sequence] = row.slice(3 * place, 3 * place + 3);
      if (Number(count) === 0) why.set(column.index, 'all its values are missing');
      else if (constant === true) why.set(column.index, 'it has a single value');
      else if (sequence === true && Number(count) === rows && rows >= fewestKeys)
        suspects.push({ column, converted: convertedSql(block, [column]) });
    }
  }
  for (const {
    column: { index, name },
    converted,
  } of suspects) {
    const [row = []] = await rowsOf(
      database,
      `SELECT bool_and(v > before) FROM (SELECT c${index} AS v, lag(c${index}) OVER () AS before FROM ${converted} WHERE ${where})`,
    );
    if (row[0] === true) why.set(index, 'it numbers the rows: integers that only grow');
    else if (keyName.test(name.trim())) {
      const [distinct = []] = await rowsOf(database, `SELECT count(DISTINCT c${index}) FROM ${converted} WHERE ${where}`);
      if (Number(distinct[0]) === rows) why.set(index, 'it is a key: an integer of its own for each row');
    }
  }
  return why;
}
