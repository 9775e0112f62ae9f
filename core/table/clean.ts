/**
 * Raw files → clean table. DuckDB passes over the rows and never holds them all:
 *
 *     raw files ──look──▶ what each column holds ──decide──▶ types
 *         └──convert──▶ stage.parquet ──drop──▶ table.parquet ──statistics──▶ report
 *
 * Rows keep the order of the files, and the same files give the same bytes whatever the threads.
 */
import { mkdir, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { IngotError } from '../errors.ts';
import { version } from '../names.ts';
import type { DatasetSpec } from '../spec.ts';
import { type Column, checkSpecColumns, conversion, decide, naming, quotedList, specOf, uniqueNames } from './columns.ts';
import { literal, rowsOf, withDatabase } from './database.ts';
import { type Form, type Guess, guess, type Look, look } from './look.ts';
import { Rejects } from './rejects.ts';
import type { CleanReport, ColumnReport } from './report.ts';
import { openSource, type Source } from './source.ts';
import { distinctNumbers, numberStatistics, valueStatistics } from './statistics.ts';
import { chooseTarget, decideTask, type Inferred } from './target.ts';
import { byCodeUnit, missingTokensOf } from './values.ts';

export interface CleanInput {
  dataset: string;
  revision: string;
  /** The files of the dataset in order; `name` is what the user called it, `path` where it lies. */
  files: { name: string; path: string }[];
  spec: DatasetSpec;
  /** Where `table.parquet` and `rejects.csv` are written; holds temporary files meanwhile. */
  directory: string;
  /** DuckDB's buffers; by default 300 MB, and more from 1,000 columns on. The process takes some 200 MB more. */
  memoryLimit?: string;
  threads?: number;
}

type Change = CleanReport['changes'][number];

/**
 * Cleans a dataset.
 * @throws IngotError EmptyDataset, UnreadableDataset, UnusableTarget, NoFeatures or InvalidSpec, with place and mend
 */
export async function cleanTable(input: CleanInput): Promise<CleanReport> {
  const work = join(input.directory, '.cleaning');
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  try {
    // One thread would cut row groups at other places than two or more do, and the bytes would differ.
    const threads = Math.max(2, input.threads ?? availableParallelism());
    return await withDatabase({ directory: work, memoryLimit: input.memoryLimit ?? '300MB', threads }, (database) =>
      clean(database, input, work),
    );
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function clean(database: DuckDBConnection, input: CleanInput, work: string): Promise<CleanReport> {
  const { spec } = input;
  const rejects = new Rejects(work);
  const missing = missingTokensOf(spec);
  const raw = await readRaw(database, input, work, rejects, missing);
  const rejected = await rejects.write(join(input.directory, 'rejects.csv'));
  const rejectedRows = rejected.reduce((sum, [, count]) => sum + count, 0);
  const { columns, targetColumn, inferred } = await decideColumns(database, raw, missing, spec);
  const read = targetColumn.look.rows + rejectedRows;

  const stage = join(work, 'stage.parquet');
  const staged = columns.filter(({ look, useless }) => useless === undefined || (spec.duplicates !== 'keep' && look.rows > 0));
  await createEnums(database, columns);
  await database.run(
    `COPY (SELECT ${conversion(staged)} FROM raw) TO ${literal(stage)} (FORMAT parquet, COMPRESSION snappy, ${rowGroups(staged)})`,
  );
  const stageSql = `read_parquet(${literal(stage)}, file_row_number = true)`;
  const hasTarget = `c${targetColumn.index} IS NOT NULL`;
  const withTarget = Number((await rowsOf(database, `SELECT count(*) FROM ${stageSql} WHERE ${hasTarget}`))[0]![0]);
  const missingTarget = read - rejectedRows - withTarget;
  if (withTarget === 0) {
    throw new IngotError('UnusableTarget', `The target '${targetColumn.name}' is missing in all ${missingTarget} rows.`, {
      where: `column '${targetColumn.name}'`,
      fix: 'Name another column as "target" in dataset.json, or fill it in.',
    });
  }
  const duplicates = spec.duplicates === 'keep' ? 0 : await findDuplicates(database, stageSql, targetColumn.look.rows, hasTarget, staged);
  const kept = withTarget - duplicates;
  const why = await findUseless(database, stageSql, hasTarget, withTarget, columns, targetColumn, raw, spec);

  const used = columns.filter(({ index }) => index === targetColumn.index || !why.has(index));
  const ignored = columns.filter(({ index }) => index !== targetColumn.index && why.has(index));
  if (kept < 2) {
    throw new IngotError('EmptyDataset', `After cleaning there is one row in ${namesOf(input)}: nothing can be learned from that.`, {
      where: namesOf(input),
      fix: 'Upload more rows; a few dozen are the least that makes sense.',
    });
  }
  const table = join(input.directory, 'table.parquet');
  await database.run(
    `COPY (SELECT ${naming(used)} FROM ${stageSql} WHERE ${hasTarget}${duplicates > 0 ? " AND get_bit(getvariable('drops'), file_row_number::INTEGER) = 0" : ''})
     TO ${literal(table)} (FORMAT parquet, COMPRESSION snappy, ${rowGroups(used)})`,
  );
  const statistics = await describe(database, table, used, kept);
  const target = statistics.get(targetColumn.name)!;
  const task = decideTask(spec, {
    name: targetColumn.name,
    type: targetColumn.type,
    rows: kept,
    distinct: target.distinct,
    values:
      target.distinct > 50_000 || targetColumn.useless !== undefined
        ? undefined
        : targetColumn.type === 'number'
          ? await distinctNumbers(database, table, targetColumn.name)
          : target.values?.map(({ value }) => value).sort(byCodeUnit),
  });
  if (used.length < 2) {
    throw new IngotError('NoFeatures', `No column besides the target '${targetColumn.name}' has anything to learn from.`, {
      where: namesOf(input),
      fix: `Add columns, or give one the role "feature" in dataset.json. ${ignored
        .slice(0, 5)
        .map((column) => `'${column.name}' is ignored: ${why.get(column.index)}.`)
        .join(' ')}`,
    });
  }
  const { inferred: taskInferred, ...taskFields } = task;
  return {
    dataset: input.dataset,
    revision: input.revision,
    version,
    files: raw.sources.map(({ file }) => file),
    rows: { read, kept, rejected: rejectedRows, duplicates, missingTarget },
    target: targetColumn.name,
    ...taskFields,
    inferred: [...raw.inferred, inferred, taskInferred],
    columns: [
      ...used.map((column): ColumnReport => {
        const role = column === targetColumn ? 'target' : 'feature';
        return reportOf(column, role, column.why, statistics.get(column.name)!);
      }),
      ...ignored.map((column) => reportOf(column, 'ignored', why.get(column.index)!, rawStatistics(column))),
    ],
    changes: [
      ...rejected.map(([reason, count]): Change => ({ reason: `${reason}: row → rejects.csv`, count })),
      ...(missingTarget > 0 ? [{ column: targetColumn.name, reason: 'target missing: row dropped', count: missingTarget }] : []),
      ...(duplicates > 0 ? [{ reason: 'same as an earlier row in every column: row dropped', count: duplicates }] : []),
      ...raw.changes,
      ...columns.flatMap(changesOf),
      ...ignored.map(({ index, name }): Change => ({ column: name, reason: `column ignored: ${why.get(index)}`, count: kept })),
    ],
  };
}

interface Raw {
  sources: Source[];
  names: string[];
  changes: Change[];
  inferred: Inferred[];
  looks: Look[];
  guesses: Guess[];
}

/** Opens the files, makes them the view `raw` and looks at every cell; files that DuckDB can't read as they stand are repaired first. */
async function readRaw(database: DuckDBConnection, input: CleanInput, work: string, rejects: Rejects, missing: Set<string>): Promise<Raw> {
  let sources: Source[] = [];
  for (const [index, file] of input.files.entries()) {
    sources.push(await openSource(database, { ...file, directory: work, index, spec: input.spec, rejects }));
  }
  const width = Math.max(0, ...sources.map(({ names }) => names.length));
  if (width > 1000) {
    // Each thread has a few chunks of 2,048 rows of 16 bytes a column at a time; and looking for common subexpressions is quadratic in columns.
    if (input.memoryLimit === undefined) await database.run(`SET memory_limit = '${300 + Math.ceil(width * 0.4)}MB'`);
    await database.run("SET disabled_optimizers = 'common_subexpressions'");
  }
  const repairable = () => sources.some(({ repair }) => repair !== undefined);
  for (;;) {
    const { names, changes } = await createRaw(database, sources);
    try {
      const guesses = await guess(database, 'raw', names.length, missing);
      const forms = guesses.map(({ form }) => form);
      const looks = await look(database, 'raw', [...forms.keys()], forms, missing);
      const rows = looks.get(0)?.rows ?? 0;
      if (!repairable() || (rows > 0 && ![...looks.values()].some(({ suspicious }) => suspicious))) {
        if (rows === 0) throw noRows(input);
        const inferred = sources.flatMap(({ file }) => inferredOf(file));
        return {
          sources,
          names,
          changes: changes.map((change) => ({ ...change, count: rows })),
          inferred,
          looks: [...looks.values()],
          guesses,
        };
      }
    } catch (cause) {
      if (cause instanceof IngotError) throw cause;
      if (!repairable()) {
        throw new IngotError('UnreadableDataset', `${namesOf(input)} cannot be read: ${(cause as Error).message.split('\n')[0]}`, {
          where: namesOf(input),
          fix: 'Write the file again and upload it whole.',
          cause,
        });
      }
    }
    const repaired: Source[] = [];
    for (const source of sources) repaired.push(source.repair === undefined ? source : await source.repair());
    sources = repaired;
  }
}

const namesOf = ({ files }: CleanInput) => files.map(({ name }) => name).join(', ');

const noRows = (input: CleanInput) =>
  new IngotError('EmptyDataset', `${namesOf(input)} has a header and no rows.`, {
    where: namesOf(input),
    fix: 'Upload a file with a row for each example.',
  });

function inferredOf({ name, format, compression, encoding, delimiter, header }: Source['file']): Inferred[] {
  const details = [
    ...(delimiter === undefined ? [] : [`delimiter ${JSON.stringify(delimiter)}`]),
    ...(encoding === undefined ? [] : [encoding]),
    ...(header === undefined ? [] : [header ? 'first row names the columns' : 'no header']),
    ...(compression === 'gzip' ? ['gzip'] : []),
  ];
  return [{ what: `format of ${name}`, value: [format, ...details].join(', '), why: 'its content says so' }];
}

/** The view `raw` with columns c0, c1 …: the files one after the other, columns matched by name. */
async function createRaw(database: DuckDBConnection, sources: Source[]): Promise<{ names: string[]; changes: Omit<Change, 'count'>[] }> {
  const named = sources.map(({ names }) => uniqueNames(names));
  const places = new Map<string, { index: number; name: string }>();
  for (const name of named.flatMap(({ names }) => names)) {
    if (!places.has(name.toLowerCase())) places.set(name.toLowerCase(), { index: places.size, name });
  }
  const selects = sources.map(({ sql }, source) => {
    const own = new Map(named[source]!.names.map((name, index) => [name.toLowerCase(), index]));
    const items = [...places.keys()].map((name, index) => `${own.has(name) ? `f${own.get(name)}` : 'NULL::VARCHAR'} AS c${index}`);
    return `SELECT ${items.join(', ')} FROM ${sql} AS t(${named[source]!.names.map((_, index) => `f${index}`).join(', ')})`;
  });
  await database.run(`CREATE OR REPLACE TEMP VIEW raw AS ${selects.join(' UNION ALL ')}`);
  return { names: [...places.values()].map(({ name }) => name), changes: named.flatMap(({ changes }) => changes) };
}

async function decideColumns(
  database: DuckDBConnection,
  raw: Raw,
  missing: Set<string>,
  spec: DatasetSpec,
): Promise<{ columns: Column[]; targetColumn: Column; inferred: Inferred }> {
  checkSpecColumns(spec, raw.names);
  const { target, inferred } = chooseTarget(spec, raw.names);
  const forms: Form[] = raw.looks.map(({ form }) => form);
  const tried = forms.map(({ as }) => new Set([as]));
  const columns: Column[] = [];
  let open = raw.names.map((_, index) => index);
  for (let looks = new Map(raw.looks.entries()); open.length > 0; looks = await look(database, 'raw', open, forms, missing)) {
    const again: number[] = [];
    for (const index of open) {
      const name = raw.names[index]!;
      const decided = decide(index, name, looks.get(index)!, { missing, spec, isTarget: name === target, tried: tried[index]! });
      if ('as' in decided) {
        forms[index] = decided;
        tried[index]!.add(decided.as);
        again.push(index);
      } else columns[index] = decided;
    }
    open = again;
    if (open.length === 0) break;
  }
  const targetColumn = columns.find(({ name }) => name === target)!;
  if (
    targetColumn.type === 'category' &&
    targetColumn.useless !== undefined &&
    targetColumn.enums.length === 0 &&
    targetColumn.look.form.as === 'text'
  ) {
    throw new IngotError('UnusableTarget', `The target '${target}' cannot be predicted: ${targetColumn.useless}.`, {
      where: `column '${target}'`,
      fix: 'Name another column as "target" in dataset.json.',
    });
  }
  return { columns, targetColumn, inferred };
}

async function createEnums(database: DuckDBConnection, columns: Column[]): Promise<void> {
  for (const { name, values } of columns.flatMap(({ enums }) => enums)) {
    await database.run(`CREATE TYPE ${name} AS ENUM (${values.map(literal).join(', ')})`);
  }
}

/** Row groups of 122,880 rows, as is usual, or of fewer where many columns would make them large in memory. */
const rowGroups = (columns: Column[]) =>
  `ROW_GROUP_SIZE ${Math.min(122_880, Math.max(2048, Math.floor(4_000_000 / columns.length / 2048) * 2048))}`;

/**
 * Sets in the variable `drops` the bits of the rows that equal an earlier one. A hash finds the few candidates, and only those are compared.
 * @param rows of the stage
 * @returns how many there are
 */
async function findDuplicates(database: DuckDBConnection, stage: string, rows: number, where: string, columns: Column[]): Promise<number> {
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
async function findUseless(
  database: DuckDBConnection,
  stage: string,
  where: string,
  rows: number,
  columns: Column[],
  target: Column,
  raw: Raw,
  spec: DatasetSpec,
): Promise<Map<number, string>> {
  const why = new Map<number, string>();
  const judged = columns.filter((column) => {
    const role = column === target ? 'target' : specOf(spec, column.name).role;
    if (role === 'ignore') why.set(column.index, 'dataset.json says so');
    else if (column.useless !== undefined && (role === undefined || column.look.plain + column.look.counts.size === 0))
      why.set(column.index, column.useless);
    return role === undefined && !why.has(column.index) && raw.guesses[column.index]!.mayBeUseless;
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

type Statistics = {
  missing: number;
  distinct: number;
  number?: NonNullable<ColumnReport['number']>;
  values?: { value: string; count: number }[];
};

async function describe(database: DuckDBConnection, table: string, columns: Column[], rows: number): Promise<Map<string, Statistics>> {
  const names = (isNumber: boolean) => columns.filter(({ type }) => (type === 'number') === isNumber).map(({ name }) => name);
  const numbers = await numberStatistics(database, table, names(true), rows);
  return new Map<string, Statistics>([...numbers, ...(await valueStatistics(database, table, names(false)))]);
}

/** Of an ignored column only what was seen in the raw rows is known. */
function rawStatistics({ look, missingTokens, strays }: Column): Statistics {
  const count = (map: Map<string, number>) => [...map.values()].reduce((sum, n) => sum + n, 0);
  return { missing: count(missingTokens) + count(strays), distinct: Math.max(0, look.distinct - missingTokens.size) };
}

/** The most frequent values that a report lists. */
const mostTop = 50;

function reportOf(
  column: Column,
  role: ColumnReport['role'],
  why: string,
  { missing, distinct, number, values }: Statistics,
): ColumnReport {
  return {
    name: column.name,
    type: column.type,
    role,
    why,
    missing,
    // fromEntries makes own properties, so that a value may be '__proto__'.
    missingTokens: Object.fromEntries(column.missingTokens),
    distinct,
    ...(number && { number }),
    ...(column.spellings.size > 0 && { spellings: Object.fromEntries(column.spellings) }),
    ...(values && { top: values.slice(0, mostTop) }),
  };
}

function changesOf({ name, type, missingTokens, strays, spellings, look }: Column): Change[] {
  const total = (counts: Map<string, number>) => [...counts.values()].reduce((sum, count) => sum + count, 0);
  const tokens = new Map([...missingTokens].filter(([token]) => token.trim() !== ''));
  const respelled = [...spellings].flatMap(([canonical, members]) => members.filter((member) => member !== canonical));
  const changes: Change[] = [];
  if (tokens.size > 0)
    changes.push({ column: name, reason: `token for missing → missing (${quotedList([...tokens.keys()])})`, count: total(tokens) });
  if (strays.size > 0) {
    const what = type === 'number' ? 'not a number' : 'not a boolean';
    changes.push({ column: name, reason: `${what} → missing (${quotedList([...strays.keys()])})`, count: total(strays) });
  }
  if (respelled.length > 0 && type === 'category') {
    const count = respelled.reduce((sum, member) => sum + (look.counts.get(member) ?? 0), 0);
    changes.push({ column: name, reason: `spelling of a category → its most frequent one (${quotedList(respelled)})`, count });
  }
  return changes;
}
