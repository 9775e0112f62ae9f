/** What the clean table leaves out: rows that equal an earlier one, columns with nothing to learn from. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { DatasetSpec } from '../spec.ts';
import { type Column, specOf } from './columns.ts';
import { rowsOf } from './database.ts';
import type { Guess } from './look.ts';

/**
 * Sets in the variable `drops` the bits of the rows that equal an earlier one. A hash finds the few candidates, and only those are compared.
 * @param rows of the stage
 * @returns how many there are
 */
export async function findDuplicates(
  database: DuckDBConnection,
  stage: string,
  rows: number,
  where: string,
  columns: Column[],
): Promise<number> {
  const list = columns.map(({ index }) => `c${index}`).join(', ');
  await database.run(
    `CREATE TEMP TABLE candidates AS SELECT h FROM (SELECT hash(${list}) AS h FROM ${stage} WHERE ${where}) GROUP BY h HAVING count(*) > 1`,
  );
  if ((await rowsOf(database, 'FROM candidates LIMIT 1')).length === 0) return 0;
  await database.run(
    `CREATE TEMP TABLE suspects AS SELECT file_row_number AS rn, ${list} FROM ${stage} WHERE ${where} AND hash(${list}) IN (FROM candidates)`,
  );
  await database.run(
    `CREATE TEMP TABLE drops AS SELECT rn FROM suspects ANTI JOIN (SELECT min(rn) AS first FROM suspects GROUP BY ${list}) ON rn = first`,
  );
  // A bit a row, and not a join: a join does not keep the rows' order.
  await database.run(`SET VARIABLE drops = (SELECT bitstring_agg(rn, 0, ${rows - 1}) FROM drops)`);
  return Number((await rowsOf(database, 'SELECT count(*) FROM drops'))[0]![0]);
}

/** In tables with fewer rows than these, 1, 2, 3 … may well be a measurement. */
const fewestKeys = 20;
const keyName = /(^|[^a-z])(id|uuid|guid|key|index|idx|rowid|row)$|Id$|ID$/;

/** Why columns are to be ignored, by index. */
export async function findUseless(
  database: DuckDBConnection,
  stage: string,
  where: string,
  rows: number,
  columns: Column[],
  target: Column,
  guesses: Guess[],
  spec: DatasetSpec,
): Promise<Map<number, string>> {
  const why = new Map<number, string>();
  const judged = columns.filter((column) => {
    const role = column === target ? 'target' : specOf(spec, column.name).role;
    if (role === 'ignore') why.set(column.index, 'dataset.json says so');
    else if (column.useless !== undefined && (role === undefined || column.look.plain + column.look.counts.size === 0))
      why.set(column.index, column.useless);
    return role === undefined && !why.has(column.index) && guesses[column.index]!.mayBeUseless;
  });
  const suspects: Column[] = [];
  for (let from = 0; from < judged.length; from += 500) {
    const some = judged.slice(from, from + 500);
    const tests = some.map(({ index, type }) =>
      [
        `count(c${index}), min(c${index}) = max(c${index})`,
        type === 'number' ? `bool_and(c${index} = trunc(c${index})) AND max(c${index}) - min(c${index}) >= ${rows - 1}` : 'false',
      ].join(', '),
    );
    const [row = []] = await rowsOf(database, `SELECT ${tests.join(', ')} FROM ${stage} WHERE ${where}`);
    for (const [place, column] of some.entries()) {
      const [count, constant, sequence] = row.slice(3 * place, 3 * place + 3);
      if (Number(count) === 0) why.set(column.index, 'all its values are missing');
      else if (constant === true) why.set(column.index, 'it has a single value');
      else if (sequence === true && Number(count) === rows && rows >= fewestKeys) suspects.push(column);
    }
  }
  for (const { index, name } of suspects) {
    const [row = []] = await rowsOf(
      database,
      `SELECT bool_and(v > before) FROM (SELECT c${index} AS v, lag(c${index}) OVER () AS before FROM ${stage} WHERE ${where})`,
    );
    if (row[0] === true) why.set(index, 'it numbers the rows: integers that only grow');
    else if (keyName.test(name.trim())) {
      const [distinct = []] = await rowsOf(database, `SELECT count(DISTINCT c${index}) FROM ${stage} WHERE ${where}`);
      if (Number(distinct[0]) === rows) why.set(index, 'it is a key: an integer of its own for each row');
    }
  }
  return why;
}
