/**
 * What no clean table should hand on unasked: personal data, columns that give the target away, and columns that stand there twice. Looks at the
 * finished table, and writes it anew only where a column goes or changes.
 */

import { createHmac } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { type DuckDBConnection, DuckDBScalarFunction, VARCHAR } from '@duckdb/node-api';
import { IngotError } from '../../errors.ts';
import { keyColumn, type RowKeys } from '../../features/row-keys.ts';
import type { DatasetSpec } from '../../spec.ts';
import { specOf } from '../columns.ts';
import { identifier, literal } from '../database.ts';
import type { CleanReport, ColumnReport, Leak } from '../report.ts';
import { rowGroups } from '../stage.ts';
import { discreetChange, discreetStrays } from './discreet.ts';
import { findEqual } from './equal-columns.ts';
import { type Cells, findPersonal, type Personal } from './find-personal.ts';
import { fewestRows, findLeaks, findSame } from './leakage.ts';
import { mask } from './personal.ts';
import { codesOf, type Sampled, sampleRows } from './sample.ts';

export interface DetectInput {
  /** The clean table's file. */
  table: string;
  report: CleanReport;
  spec: DatasetSpec;
  /** All values of a category with their counts, where they were counted. */
  countedOf: (name: string) => Cells['counted'];
  /** A FROM item with the one column `v`: the cells of a column that the table does not have, for the table's rows in their order. */
  ignoredSql: (name: string) => string;
  /** For personal data that are to be hashed. */
  secret: () => Promise<Uint8Array>;
  /** Whether leaks are to be looked for in fewer rows. */
  isHurried: () => boolean;
}

/** @returns the report with what was found. @throws IngotError NoFeatures where all features are personal */
export async function detect(database: DuckDBConnection, input: DetectInput): Promise<CleanReport> {
  const { table, report, spec } = input;
  const key = keyColumn(spec);
  const inTable = ({ name, role }: ColumnReport) => role !== 'ignored' || name === key?.name;
  const cellsOf = (column: ColumnReport): Cells | undefined => {
    const { name, type } = column;
    if (inTable(column))
      return { counted: input.countedOf(name), sql: `(SELECT ${identifier(name)} AS v FROM read_parquet(${literal(table)}))` };
    return type === 'boolean' ? undefined : { sql: input.ignoredSql(name) };
  };
  const personal = await findPersonal(database, report.columns, cellsOf, spec);
  const keyed = key && personal.get(key.name);
  if (keyed && keyed.policy !== 'keep') personal.set(key.name, keyPolicy(key.by, keyed));
  const isFeature = ({ name, role }: ColumnReport) => {
    const found = personal.get(name);
    return role === 'feature' && (found === undefined || found.policy === 'keep' || found.inText !== undefined);
  };
  const features = report.columns.filter(isFeature);
  if (features.length === 0) {
    throw new IngotError(
      'NoFeatures',
      `All columns besides the target '${report.target}' hold personal data, which are not learned from.`,
      {
        where: report.files.map(({ name }) => name).join(', '),
        fix: 'Add columns, or keep some as they are: "pii": {"columns": {"<name>": "keep"}} in dataset.json.',
      },
    );
  }
  const hurried = input.isHurried();
  const { leaks, same, rows } = await lookForLeaks(database, table, report, features, hurried);
  const equal = await findEqual(database, table, features, same, spec);
  if (key) equal.delete(key.name);
  const isKept = (name: string) => specOf(spec, name).role === 'feature' || leaks.size === features.length;
  const columns = report.columns.map((column): ColumnReport => {
    const leak = leaks.get(column.name);
    const sameAs = same.get(column.name);
    const told = withPersonal(discreetStrays(column, spec), personal.get(column.name));
    return {
      ...told,
      ...(leak && !isKept(column.name) && { role: 'ignored', why: whyLeak(leak) }),
      ...(leak && { leak: { ...leak, treatment: isKept(column.name) ? 'kept' : 'quarantined' } }),
      ...(sameAs !== undefined && !leak && told.role === 'feature' && { sameAs }),
      ...(equal.has(column.name) && !leak && { role: 'ignored', why: whyEqual(sameAs!) }),
    };
  });
  const stays = (column: ColumnReport) => inTable(column) || column.personal?.treatment === 'hashed';
  const had = new Set(report.columns.filter(inTable).map(({ name }) => name));
  const staying = columns.filter(stays);
  if (
    staying.length !== had.size ||
    staying.some(({ personal: found }) => found?.treatment === 'hashed' || found?.treatment === 'masked')
  ) {
    await rewrite(database, input, staying, had, personal);
  }
  return {
    ...report,
    ...(hurried && rows < report.rows.kept && { inferred: [...report.inferred, hurry(rows)] }),
    columns: [...staying, ...columns.filter((column) => !stays(column))],
    changes: [
      ...report.changes.map((change) => discreetChange(change, columns, spec)),
      ...columns.flatMap((column) => changesOf(column, had, report.rows.kept)),
    ],
  };
}

/** What rows are split by has to stay: hashes tell groups apart as well as what they are made of, but do not keep an order. */
const keyPolicy = (by: RowKeys['by'], { inText: _whole, ...found }: Personal): Personal => ({
  ...found,
  policy: by === 'groups' ? 'hash' : 'keep',
});

/** Rows that are looked at, and where a class has few of those, that many times as many; and what part of that where there is no time. */
const sampledRows = 8192;
const more = 8;
const fewOfClass = 40;
const mostCells = 4_000_000;
const hurriedShare = 0.25;
const fewestSampled = 500;

/** Told where leaks were looked for in fewer rows. */
const hurry = (rows: number): CleanReport['inferred'][number] => ({
  what: 'leaks',
  value: `looked for in ${rows} rows`,
  why: 'preparation had used its share of the budget, so that fewer rows than usual were looked at',
});

async function lookForLeaks(
  database: DuckDBConnection,
  table: string,
  { task, target, rows, columns }: CleanReport,
  features: ColumnReport[],
  hurried: boolean,
): Promise<{ leaks: Map<string, Leak>; same: Map<string, string>; rows: number }> {
  if (rows.kept < fewestRows) return { leaks: new Map(), same: new Map(), rows: rows.kept };
  const share = hurried ? hurriedShare : 1;
  const wanted = [columns.find(({ name }) => name === target)!, ...features];
  const draw = async (most: number): Promise<[Sampled, ...Sampled[]]> => {
    const bound = Math.min(most * share, Math.max(fewestSampled, Math.floor((mostCells * share) / wanted.length)));
    return (await sampleRows(database, table, wanted, rows.kept, bound)) as [Sampled, ...Sampled[]];
  };
  let sample = await draw(sampledRows);
  if (task === 'classification' && rows.kept > sample[0].values.length && secondClass(sample[0]) < fewOfClass) {
    sample = await draw(sampledRows * more);
  }
  const [labels, ...sampled] = sample;
  return { leaks: findLeaks(task, labels, sampled), same: findSame(sampled), rows: labels.values.length };
}

/** How many rows the second most frequent value has. */
function secondClass({ values }: Sampled): number {
  const { codes, distinct } = codesOf(values);
  const counts = new Int32Array(distinct);
  for (const code of codes) if (code >= 0) counts[code]!++;
  return counts.sort().at(-2) ?? 0;
}

function withPersonal(column: ColumnReport, found: Personal | undefined): ColumnReport {
  if (found === undefined) return column;
  const { kinds, cells, of, policy, inText, isLeftOut } = found;
  const what = `personal data (${kinds.join(', ')})`;
  if (policy === 'keep' || column.role === 'target') return { ...column, personal: { kinds, cells, of, treatment: 'kept' } };
  const { top: _top, spellings: _spellings, number: _number, strays: _strays, ...discreetly } = column;
  if (inText !== undefined && column.role === 'feature') {
    const top = column.top?.map(({ value, count }) => ({ value: mask(value, inText), count }));
    return { ...discreetly, ...(top && { top }), personal: { kinds, cells, of, treatment: 'masked' } };
  }
  if (policy === 'hash' && inText === undefined) {
    return {
      ...discreetly,
      type: 'category',
      role: 'ignored',
      why: `it holds ${what}: a keyed hash of it is in the clean table, to join by, but is no feature`,
      personal: { kinds, cells, of, treatment: 'hashed' },
    };
  }
  const holds = inText !== undefined ? `${column.why}; ${what} in ${cells} of ${of} cells` : `it holds ${what}`;
  const why = isLeftOut ? column.why : holds;
  return { ...discreetly, role: 'ignored', why, personal: { kinds, cells, of, treatment: 'dropped' } };
}

const whyEqual = (first: string) => `it equals '${first}' in every row`;

function whyLeak({ kind, score, next, rows, measure }: Leak): string {
  if (kind === 'copy')
    return `it gives the target away: each of its values goes with one value of the target in all ${rows} rows looked at`;
  if (kind === 'monotone') return `it gives the target away in another scale: ${measure} ${figure(score)} in ${rows} rows looked at`;
  return `it gives the target away, as if it were known only afterwards: ${measure} ${figure(score)} by itself, the next best column ${figure(next!)}`;
}

/** Never rounded up to 1. */
const figure = (value: number) => String(Math.sign(value) * (Math.floor(Math.abs(value) * 10_000) / 10_000));

function changesOf({ name, role, sameAs, personal, leak, why }: ColumnReport, had: Set<string>, rows: number): CleanReport['changes'] {
  const changes: CleanReport['changes'] = [];
  if (leak?.treatment === 'quarantined') changes.push({ column: name, reason: `column quarantined: ${why}`, count: rows });
  if (sameAs !== undefined && role === 'ignored') changes.push({ column: name, reason: `column left out: ${why}`, count: rows });
  if (personal?.treatment === 'dropped' && had.has(name)) changes.push({ column: name, reason: `column left out: ${why}`, count: rows });
  if (personal?.treatment === 'hashed') changes.push({ column: name, reason: 'personal data → keyed hash', count: personal.cells || rows });
  if (personal?.treatment === 'masked') {
    changes.push({ column: name, reason: `personal data (${personal.kinds.join(', ')}) inside text → masked`, count: personal.cells });
  }
  return changes;
}

async function rewrite(
  database: DuckDBConnection,
  { table, report, ignoredSql, secret }: DetectInput,
  columns: ColumnReport[],
  had: Set<string>,
  personal: Map<string, Personal>,
): Promise<void> {
  const hashed = columns.filter((column) => column.personal?.treatment === 'hashed');
  if (hashed.length > 0) {
    const key = await secret();
    register(database, 'keyed_hash', (value) => createHmac('sha256', key).update(value.trim()).digest('hex'));
  }
  const isNumber = new Set(report.columns.filter(({ type }) => type === 'number').map(({ name }) => name));
  const items = columns.map(({ name, personal: told }, index) => {
    const own = had.has(name) ? `t.${identifier(name)}` : `x${index}.v`;
    if (told?.treatment === 'hashed') {
      const whole = isNumber.has(name) ? `CASE WHEN ${own} = trunc(${own}) THEN TRY_CAST(${own} AS HUGEINT)::VARCHAR END` : 'NULL';
      return `keyed_hash(coalesce(${whole}, ${own}::VARCHAR)) AS ${identifier(name)}`;
    }
    if (told?.treatment !== 'masked') return own;
    register(database, `mask_${index}`, (value) => mask(value, personal.get(name)!.inText));
    return `mask_${index}(${own}::VARCHAR) AS ${identifier(name)}`;
  });
  const sources = columns.flatMap(({ name }, index) => (had.has(name) ? [] : [`POSITIONAL JOIN ${ignoredSql(name)} AS x${index}`]));
  const to = `${table}.discreet`;
  await database.run(
    `COPY (SELECT ${items.join(', ')} FROM read_parquet(${literal(table)}) AS t ${sources.join(' ')}) TO ${literal(to)} (FORMAT parquet, COMPRESSION snappy, ${rowGroups(columns)})`,
  );
  await rename(to, table);
}

/** A function of text to text in SQL; NULL stays NULL. */
function register(database: DuckDBConnection, name: string, work: (value: string) => string): void {
  database.registerScalarFunction(
    DuckDBScalarFunction.create({
      name,
      parameterTypes: [VARCHAR],
      returnType: VARCHAR,
      mainFunction: (_, chunk, output) => {
        const cells = chunk.getColumnVector(0);
        for (let row = 0; row < chunk.rowCount; row++) {
          const value = cells.getItem(row);
          output.setItem(row, value === null ? null : work(String(value)));
        }
        output.flush();
      },
    }),
  );
}
