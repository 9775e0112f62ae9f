/**
 * The raw rows, read once and kept as parquet while they are looked at and converted. Columns that look like numbers are staged as numbers
 * `c<i>`, and beside them in `s<i>` the cells that are none; the others as the text `c<i>` that they are. Thousands of columns would make
 * one query's plan and buffers explode, so they are staged in blocks, a file each, and no query but the last sees more than one.
 */
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Column } from './columns.ts';
import { literal } from './database.ts';
import { type Form, numberCell } from './values.ts';

export interface Block {
  path: string;
  /** Indices of its columns. */
  columns: number[];
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

/** Reads the view `raw` into a stage; its files lie in `directory`. */
export async function stageRaw(database: DuckDBConnection, directory: string, forms: Form[]): Promise<Stage> {
  const stage: Stage = { blocks: [], forms };
  for (const [index, columns] of blocksOf(forms.length).entries()) {
    const block = { path: join(directory, `stage-${index}.parquet`), columns };
    stage.blocks.push(block);
    await write(database, block, forms);
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

export const scanOf = ({ path }: Block) => `read_parquet(${literal(path)}, file_row_number = true)`;

/** The converted columns of a block among `columns`, and `file_row_number`: a FROM item. */
export function convertedSql(block: Block, columns: Column[]): string {
  const inside = new Set(block.columns);
  const items = columns.filter(({ index }) => inside.has(index)).map(({ index, sql }) => `${sql} AS c${index}`);
  return `(SELECT ${['file_row_number', ...items].join(', ')} FROM ${scanOf(block)})`;
}
