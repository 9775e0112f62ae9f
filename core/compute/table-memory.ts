/** Bytes that a table takes in memory while it is cleaned, and while it becomes features: not all of it is there at a time. */
import { mostValues } from '../features/one-hot.ts';
import type { CleanReport } from '../table/report.ts';
import { processBytes } from './memory.ts';

/**
 * Of cleaning, whatever the upload: the process, the threads that scan, and DuckDB's buffers, as it spills what is more. And of each byte of the upload:
 * what tells rows that are left out is a bit for each, of rows of eight bytes at least, and each part of the stage has its place in a list.
 */
const cleaning = { least: 2 ** 30, each: 1 / 16 };

/** @param uploaded bytes */
export const cleaningBytes = (uploaded: number): number => cleaning.least + cleaning.each * uploaded;

/** Bytes of a row: its hash and the first that equals it, its target, fold and side, and its value of one column. */
const rowBytes = 56;
/** Values of a table that are in memory at a time where that is little, and bytes of each while it becomes a feature or is asked. */
const atATime = { values: 2 ** 22, bytes: 24 };
/** Of a byte of text: itself, and its words and runs of characters as they are counted. Of a file that is packed, each byte is several of text. */
const text = { bytes: 16, packed: 4 };
/** Of each value of a category that has many: itself, in lists and by its place, and what the target was like. */
const valueBytes = 400;
/** Rows that are held out to test on, at most, and cells of them: more say no more of a model, and would be missed in training. */
const held = { rows: 250_000, cells: 10_000_000, least: 5000 };

export const mostTestRows = (columns: number): number => Math.min(held.rows, Math.max(held.least, Math.floor(held.cells / columns)));

/** While it becomes features, or is held against them, where its columns are numbers or have few values. */
export function tableBytes(rows: number, columns: number): number {
  const values = Math.min(rows * columns, atATime.values + mostTestRows(columns) * columns);
  return processBytes + rows * rowBytes + values * atATime.bytes;
}

/** While a clean table becomes features. */
export function featureBytes({ rows, columns, files }: Pick<CleanReport, 'rows' | 'columns' | 'files'>): number {
  const features = columns.filter(({ role }) => role === 'feature');
  const counts = features.map(({ type, distinct = 0 }) => (type === 'category' ? distinct : 0));
  const values = counts.reduce((sum, count) => sum + (count > mostValues ? count : 0), 0);
  const uploaded = files.reduce(
    (sum, { bytes, format, compression }) => sum + bytes * (format === 'parquet' || compression === 'gzip' ? text.packed : 1),
    0,
  );
  const ofText = features.some(({ type }) => type === 'text') ? uploaded * text.bytes : 0;
  return tableBytes(rows.kept, columns.length) + values * valueBytes + ofText;
}
