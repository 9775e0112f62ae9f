/**
 * Raw files → clean table. DuckDB passes over the rows and never holds them all:
 *
 *     raw files ──guess──▶ stage ──look──▶ what each column holds ──decide──▶ types
 *                            └──leave out, convert──▶ table.parquet
 *                                              └────▶ statistics ──▶ report
 *
 * The files are read once, a plain large one by a scan that is faster than SQL (scan/scan.ts); only columns that turn out to be no numbers after all
 * are staged again.
 *
 * Rows keep the order of the files, and the same files give the same bytes whatever the threads.
 */
import { mkdir, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { IngotError } from '../errors.ts';
import { keyColumn } from '../features/row-keys.ts';
import { version } from '../names.ts';
import type { DatasetSpec } from '../spec.ts';
import { type Column, checkSpecColumns, decide, naming } from './columns.ts';
import { identifier, literal, together, withDatabase } from './database.ts';
import { detect } from './detect/detect.ts';
import { discreetRows } from './detect/discreet.ts';
import { findDuplicates, findTargetless, findUseless, useBits, without } from './leave-out.ts';
import { writeLeftOut } from './left-out-rows.ts';
import { type Look, look } from './look.ts';
import { namesOf, type Raw, readRaw } from './raw.ts';
import { Rejects } from './rejects.ts';
import type { CleanReport, ColumnReport } from './report.ts';
import { type Change, changesOf, describe, rawStatistics, reportOf } from './report-columns.ts';
import { convertedSql, restage, rowGroups, type Stage, within } from './stage.ts';
import { distinctNumbers } from './statistics.ts';
import { chooseTarget, decideTask, type Inferred } from './target.ts';
import { withoutName } from './unique-names.ts';
import { byCodeUnit, type Form, missingTokensOf } from './values.ts';

/** Written beside the table where it has fewer rows than could be read; see left-out-rows.ts. */
export const leftOutFile = 'left-out.parquet';

export interface CleanInput {
  dataset: string;
  revision: string;
  /** The files of the dataset in order; `name` is what the user called it, `path` where it lies. */
  files: { name: string; path: string }[];
  spec: DatasetSpec;
  /** Where `table.parquet` and `rejects.csv` are written; holds temporary files meanwhile. */
  directory: string;
  /**
   * DuckDB's buffers; by default 320 MB, and more from 1,000 columns on. The process takes some 200 MB more.
   * Parquet is written by two threads where half of it holds 4 MiB a column for each; with less they wait for each other, busily.
   */
  memoryLimit?: string;
  threads?: number;
  /** Bytes from which on a plain file is scanned (scan/scan.ts) rather than read by SQL, 16 MB by default. */
  scanFrom?: number;
  /** What personal data are hashed with, where the spec asks for that. */
  secret?: () => Promise<Uint8Array>;
  /** Whether a budget's time for preparation is over: leaks are then looked for in fewer rows. */
  isHurried?: () => boolean;
}

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
    return await withDatabase({ directory: work, memoryLimit: input.memoryLimit ?? '320MB', threads }, (database, second) =>
      clean(database, second, input, work),
    );
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function clean(database: DuckDBConnection, second: DuckDBConnection, input: CleanInput, work: string): Promise<CleanReport> {
  const { spec } = input;
  const rejects = new Rejects(work);
  const missing = missingTokensOf(spec);
  const raw = await readRaw(database, input, work, rejects, missing);
  const rejected = await rejects.close();
  const rejectedRows = rejected.reduce((sum, [, count]) => sum + count, 0);
  const { columns, targetColumn, inferred } = await decideColumns(database, raw, missing, spec);
  const read = targetColumn.look.rows + rejectedRows;

  const { stage } = raw;
  const { rows } = targetColumn.look;
  await createEnums(database, columns);
  const missingTarget = await findTargetless(database, stage, targetColumn, rows);
  const withTarget = rows - missingTarget;
  if (withTarget === 0) {
    throw new IngotError('UnusableTarget', `The target '${targetColumn.name}' is missing in all ${missingTarget} rows.`, {
      where: `column '${targetColumn.name}'`,
      fix: 'Name another column as "target" in dataset.json, or fill it in.',
    });
  }
  const hasTarget = missingTarget > 0 ? without('targetless') : without();
  const equal = spec.duplicates === 'keep' ? 0 : await findDuplicates(database, stage, rows, hasTarget, columns);
  const accidents = spec.duplicates === 'drop' || equal <= withTarget / 2;
  const duplicates = accidents ? equal : 0;
  const kept = withTarget - duplicates;
  const why = await findUseless(database, stage, hasTarget, withTarget, columns, targetColumn, raw.guesses, spec);

  const used = columns.filter(({ index }) => index === targetColumn.index || !why.has(index));
  const ignored = columns.filter(({ index }) => index !== targetColumn.index && why.has(index));
  if (kept < 2) {
    throw new IngotError('EmptyDataset', `After cleaning there is one row in ${namesOf(input)}: nothing can be learned from that.`, {
      where: namesOf(input),
      fix:
        rejectedRows > 0
          ? `${rejectedRows} rows were rejected, as rejects.csv says; the first line of a file has to name the columns, or be a row like the others.`
          : 'Upload more rows; a few dozen are the least that makes sense.',
    });
  }
  const table = join(input.directory, 'table.parquet');
  const stays = duplicates > 0 ? `${hasTarget} AND ${without('repeated')}` : hasTarget;
  if (missingTarget > 0) await useBits(second, 'targetless');
  if (duplicates > 0) await useBits(second, 'repeated');
  const [, statistics] = await together(writeTable(second, stage, used, stays, table, work), describe(database, stage, used, stays, kept));
  if (kept < rows) await writeLeftOut(database, stage.blocks[0]!.sql, stays, join(input.directory, leftOutFile));
  const target = statistics.get(targetColumn.name)!;
  const task = decideTask(spec, {
    name: targetColumn.name,
    type: targetColumn.type === 'number' || targetColumn.type === 'boolean' ? targetColumn.type : 'category',
    rows: kept,
    distinct: target.distinct,
    values:
      target.distinct > 50_000 || targetColumn.useless !== undefined
        ? undefined
        : targetColumn.type === 'number'
          ? await distinctNumbers(database, table, targetColumn.name)
          : target.values?.map(({ value }) => value).sort(byCodeUnit),
  });
  const key = keyColumn(spec);
  if (used.length < (key ? 3 : 2)) {
    throw new IngotError('NoFeatures', `No column besides the target '${targetColumn.name}' has anything to learn from.`, {
      where: namesOf(input),
      fix: `Add columns, or give one the role "feature" in dataset.json. ${ignored
        .slice(0, 5)
        .map((column) => `'${column.name}' is ignored: ${why.get(column.index)}.`)
        .join(' ')}`,
    });
  }
  const { inferred: taskInferred, ...taskFields } = task;
  const report: CleanReport = {
    dataset: input.dataset,
    revision: input.revision,
    version,
    files: raw.sources.map(({ file }) => file),
    rows: { read, kept, rejected: rejectedRows, duplicates, missingTarget },
    target: targetColumn.name,
    ...taskFields,
    inferred: [...raw.inferred, inferred, taskInferred, ...(accidents ? [] : [keptDuplicates(equal, withTarget)])],
    columns: [
      ...used.map((column): ColumnReport => {
        const role = column === targetColumn ? 'target' : 'feature';
        // In the table, but no feature.
        if (column.name === key?.name) return reportOf(column, 'ignored', `rows are split by it: ${key.by}`, statistics.get(column.name)!);
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
  const detected = await detect(database, {
    table,
    report,
    spec,
    countedOf: (name) => {
      const { values, distinct = 0 } = statistics.get(name) ?? {};
      return values !== undefined && values.length >= distinct ? values : undefined;
    },
    ignoredSql: (name) => {
      const column = ignored.find((each) => each.name === name)!;
      const block = stage.blocks.find(({ columns: indices }) => indices.includes(column.index))!;
      return `(SELECT c${column.index} AS v FROM ${convertedSql(block, [column])} WHERE ${stays})`;
    },
    isHurried: input.isHurried ?? (() => false),
    secret: input.secret ?? (() => Promise.reject(new IngotError('Internal', 'There is no secret to hash personal data with.'))),
  });
  await rejects.write(join(input.directory, 'rejects.csv'), discreetRows(detected, raw.sources, spec.pii?.policy === 'keep'));
  return detected;
}

/** Rows that mostly equal earlier ones are no accidents: few columns of few values repeat by nature, and dropping them would change how often. */
const keptDuplicates = (equal: number, rows: number): Inferred => ({
  what: 'duplicates',
  value: 'kept',
  why: `${equal} of ${rows} rows equal an earlier one, as they do where few columns have few values`,
});

async function decideColumns(
  database: DuckDBConnection,
  raw: Raw,
  missing: Set<string>,
  spec: DatasetSpec,
): Promise<{ columns: Column[]; targetColumn: Column; inferred: Inferred }> {
  checkSpecColumns(spec, raw.names);
  const nameless = new Set(raw.changes.flatMap(({ column = '', reason }) => (reason === withoutName ? [column] : [])));
  const isBlank = ({ plain, counts }: Look) => plain === 0 && counts.size > 0 && [...counts.keys()].every((value) => value.trim() === '');
  const blank = raw.names.filter((name, index) => nameless.has(name) && isBlank(raw.looks[index]!));
  const { target, inferred } = chooseTarget(spec, raw.names, blank);
  const forms: Form[] = raw.looks.map(({ form }) => form);
  const tried = forms.map(({ as }) => new Set([as]));
  const columns: Column[] = [];
  let open = raw.names.map((_, index) => index);
  for (let looks = new Map(raw.looks.entries()); open.length > 0; looks = await look(database, raw.stage, open, forms, missing)) {
    const again: number[] = [];
    for (const index of open) {
      const name = raw.names[index]!;
      const decided = decide(index, name, looks.get(index)!, {
        missing,
        spec,
        isTarget: name === target,
        isStaged: raw.stage.forms[index]!.as === 'number',
        tried: tried[index]!,
        guess: raw.guesses[index]!,
      });
      if ('as' in decided) {
        forms[index] = decided;
        tried[index]!.add(decided.as);
        again.push(index);
      } else columns[index] = decided;
    }
    open = again;
    if (open.length === 0) break;
    const misread = open.filter((index) => raw.stage.forms[index]!.as === 'number');
    if (misread.length > 0) await restage(database, raw.stage, misread);
  }
  const targetColumn = columns.find(({ name }) => name === target)!;
  if (
    targetColumn.type === 'category' &&
    targetColumn.useless !== undefined &&
    (targetColumn.enums.length > 0 || targetColumn.look.form.as === 'text')
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

async function writeTable(
  database: DuckDBConnection,
  { blocks }: Stage,
  columns: Column[],
  where: string,
  path: string,
  work: string,
): Promise<void> {
  const parts = blocks.map((block) => ({ block, own: within(block, columns) })).filter(({ own }) => own.length > 0);
  const paths = parts.map((_, index) => (parts.length === 1 ? path : join(work, `part-${index}.parquet`)));
  for (const [index, { block, own }] of parts.entries()) {
    await database.run(
      `COPY (SELECT ${naming(own)} FROM ${convertedSql(block, own)} WHERE ${where}) TO ${literal(paths[index]!)} (FORMAT parquet, COMPRESSION snappy, ${rowGroups(columns)})`,
    );
  }
  if (parts.length === 1) return;
  const joined = paths.map((part) => `read_parquet(${literal(part)})`).join(' POSITIONAL JOIN ');
  // Text would take a block of 256 KB a column: it becomes ENUM again.
  const items = columns.map(
    ({ index, name, enums }) => `${identifier(name)}${enums.length > 0 ? `::k${index}` : ''} AS ${identifier(name)}`,
  );
  await database.run(
    `COPY (SELECT ${items.join(', ')} FROM ${joined}) TO ${literal(path)} (FORMAT parquet, COMPRESSION snappy, ${rowGroups(columns)})`,
  );
}
