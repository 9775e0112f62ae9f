/**
 * The raw rows as parquet, written in the one pass over the files, and what everything else is read from: columns that look like numbers as
 * numbers `c<i>`, the others as the text `c<i>` that they are; what is no number stands in one list `s` beside them, so that clean columns cost
 * nothing (a scan has counted it, and writes no list). Thousands of columns would make one query's plan and buffers explode, so wide tables are
 * staged in blocks of columns, a file each, and no query but the last sees more than one.
 */
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { literal } from './database.ts';
import { type Form, numberCell } from './values.ts';

export interface Block {
  /** Indices of its columns. */
  columns: number[];
  path: string;
  /** A FROM item with the columns as they are staged, `s`, and `file_row_number`. */
  sql: string;
}

export interface Stage {
  /** All have the same rows, in the order of the files. */
  blocks: Block[];
  /** As what each column is staged. */
  forms: Form[];
  /** Of a scanned file: 64 bits for each row, low half first, equal where rows may be equal in a clean table. */
  hashes?: Uint32Array;
}

/** Columns in a block; tables of more are wide. */
export const blockColumns = 1000;

/** Columns 0 … `width` − 1 in blocks. */
export function blocksOf(width: number): number[][] {
  const size = blockColumns;
  return Array.from({ length: Math.ceil(width / size) }, (_, block) =>
    Array.from({ length: Math.min(size, width - block * size) }, (_, place) => block * size + place),
  );
}

/** A stage of such columns, yet to be written; its files lie in `directory`. */
export function openStage(directory: string, forms: Form[]): Stage {
  const blocks = blocksOf(forms.length).map((columns, index): Block => {
    const path = join(directory, `stage-${index}.parquet`);
    return { columns, path, sql: `read_parquet(${literal(path)}, file_row_number = true)` };
  });
  return { blocks, forms: [...forms] };
}

/** Stages the view `raw`. */
export async function stageRaw(database: DuckDBConnection, stage: Stage): Promise<void> {
  for (const block of stage.blocks) await write(database, block, stage.forms);
}

/** Those of a block's columns that are staged as numbers, in the order in which the lists `s` have their other cells. */
export const numbersOf = ({ columns }: Block, forms: Form[]) =>
  columns.flatMap((column) => {
    const form = forms[column]!;
    return form.as === 'number' ? [{ column, sql: numberCell(`c${column}`, form.written) }] : [];
  });

/** Reads columns again, as text: they are no numbers after all. */
export async function restage(database: DuckDBConnection, stage: Stage, columns: number[]): Promise<void> {
  for (const column of columns) stage.forms[column] = { as: 'text' };
  delete stage.hashes;
  for (const block of stage.blocks) {
    if (block.columns.some((column) => columns.includes(column))) await write(database, block, stage.forms);
  }
}

async function write(database: DuckDBConnection, block: Block, forms: Form[]): Promise<void> {
  const { columns, path } = block;
  const numbers = numbersOf(block, forms);
  const isNumber = new Set(numbers.map(({ column }) => column));
  const items = columns.map((column) => (isNumber.has(column) ? `n${column} AS c${column}` : `c${column}`));
  if (numbers.length > 0) {
    const others = numbers.map(({ column }) => `CASE WHEN n${column} IS NULL THEN coalesce(c${column}, '') END`);
    items.push(`CASE WHEN ${numbers.map(({ column }) => `n${column} IS NULL`).join(' OR ')} THEN [${others.join(', ')}] END AS s`);
  }
  const cells = [...columns.map((column) => `c${column}`), ...numbers.map(({ column, sql }) => `${sql} AS n${column}`)];
  await database.run(
    `COPY (SELECT ${items.join(', ')} FROM (SELECT ${cells.join(', ')} FROM raw)) TO ${literal(path)} (FORMAT parquet, COMPRESSION snappy, ${rowGroups(columns)})`,
  );
}

/**
 * Row groups of 122,880 rows, as is usual, or of fewer where many columns would make them large in memory. A dictionary is given up soon: looking
 * for repeated numbers where there are few is most of what writing them costs.
 */
export function rowGroups(columns: readonly unknown[]): string {
  const rows = Math.min(122_880, Math.max(2048, Math.floor(4_000_000 / columns.length / 2048) * 2048));
  return `ROW_GROUP_SIZE ${rows}, DICTIONARY_SIZE_LIMIT ${rows / 16}`;
}

/** A staged column, `c<index>`, and the SQL that converts it. */
interface Converted {
  index: number;
  sql: string;
}

/** A FROM item with those of the columns that a block has, converted, as `c<i>`, and `file_row_number`. */
export function convertedSql(block: Block, columns: Converted[]): string {
  const items = within(block, columns).map(({ index, sql }) => `${sql} AS c${index}`);
  return `(SELECT ${[...items, 'file_row_number'].join(', ')} FROM ${block.sql})`;
}

/** Those of the columns that a block has. */
export function within<C extends { index: number }>(block: Block, columns: C[]): C[] {
  const indices = new Set(block.columns);
  return columns.filter(({ index }) => indices.has(index));
}
