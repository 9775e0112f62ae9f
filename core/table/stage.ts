/**
 * The raw rows while they are looked at, and then converted. Thousands of columns would make one query's plan and buffers explode, so wide
 * tables are first staged as parquet in blocks of columns, a file each, and no query but the last sees more than one: columns that look like
 * numbers as numbers `c<i>`, with the cells that are none in `s<i>` beside them; the others as the text `c<i>` that they are. Other tables are
 * read twice: writing all their text as parquet would cost more.
 */
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Column } from './columns.ts';
import { literal } from './database.ts';
import { type Form, numberCell } from './values.ts';

export interface Block {
  /** Indices of its columns. */
  columns: number[];
  /** A FROM item with the columns as they are looked at. */
  sql: string;
  /** Where they lie as parquet while they are looked at, in wide tables. */
  path?: string;
  /** Where they lie as parquet once they are converted. */
  converted: string;
}

export interface Stage {
  /** All have the same rows, in the order of the files. */
  blocks: Block[];
  /** As what each column is staged. */
  forms: Form[];
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

/** Makes the view `raw` a stage; its files lie in `directory`. */
export async function stageRaw(database: DuckDBConnection, directory: string, forms: Form[]): Promise<Stage> {
  const blocks = blocksOf(forms.length);
  const isWide = blocks.length > 1;
  const stage: Stage = { blocks: [], forms: isWide ? [...forms] : forms.map(() => ({ as: 'text' })) };
  for (const [index, columns] of blocks.entries()) {
    const converted = join(directory, `converted-${index}.parquet`);
    const path = join(directory, `stage-${index}.parquet`);
    const block: Block = isWide ? { columns, converted, path, sql: `read_parquet(${literal(path)})` } : { columns, converted, sql: 'raw' };
    stage.blocks.push(block);
    await write(database, block, stage.forms);
  }
  return stage;
}

/** Reads columns again, as text: they are no numbers after all. */
export async function restage(database: DuckDBConnection, stage: Stage, columns: number[]): Promise<void> {
  for (const column of columns) stage.forms[column] = { as: 'text' };
  for (const block of stage.blocks) {
    if (block.columns.some((column) => columns.includes(column))) await write(database, block, stage.forms);
  }
}

async function write(database: DuckDBConnection, { path, columns }: Block, forms: Form[]): Promise<void> {
  if (path === undefined) return;
  const numbers = columns.flatMap((column) => {
    const form = forms[column]!;
    return form.as === 'number' ? [{ column, sql: numberCell(`c${column}`, form.notation) }] : [];
  });
  const isNumber = new Set(numbers.map(({ column }) => column));
  const items = columns.map((column) =>
    isNumber.has(column)
      ? `n${column} AS c${column}, CASE WHEN n${column} IS NULL THEN coalesce(c${column}, '') END AS s${column}`
      : `c${column}`,
  );
  const cells = [...columns.map((column) => `c${column}`), ...numbers.map(({ column, sql }) => `${sql} AS n${column}`)];
  await database.run(
    `COPY (SELECT ${items.join(', ')} FROM (SELECT ${cells.join(', ')} FROM raw)) TO ${literal(path)} (FORMAT parquet, COMPRESSION snappy, ${rowGroups(columns)})`,
  );
}

/** Row groups of 122,880 rows, as is usual, or of fewer where many columns would make them large in memory. */
export const rowGroups = (columns: readonly unknown[]) =>
  `ROW_GROUP_SIZE ${Math.min(122_880, Math.max(2048, Math.floor(4_000_000 / columns.length / 2048) * 2048))}`;

/** Converts the columns of every block. */
export async function convert(database: DuckDBConnection, { blocks }: Stage, columns: Column[]): Promise<void> {
  for (const block of blocks) {
    const items = within(block, columns).map(({ index, sql }) => `${sql} AS c${index}`);
    await database.run(
      `COPY (SELECT ${items.join(', ')} FROM ${block.sql}) TO ${literal(block.converted)} (FORMAT parquet, COMPRESSION snappy, ${rowGroups(items)})`,
    );
  }
}

/** A FROM item with the converted columns of a block, and `file_row_number`. */
export const convertedSql = ({ converted }: Block) => `read_parquet(${literal(converted)}, file_row_number = true)`;

/** Those of the columns that a block has. */
export function within(block: Block, columns: Column[]): Column[] {
  const indices = new Set(block.columns);
  return columns.filter(({ index }) => indices.has(index));
}
