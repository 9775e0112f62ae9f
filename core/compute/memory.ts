/** Bytes that a piece of work holds beside what its family needs for itself; what that is, is the families' own (*-work.ts). Measured by test/compute/memory.test.ts. */
import type { Shape } from './estimator.ts';

/** Of the process before there is any data: the runtime, DuckDB and what it reads by, onnxruntime. */
export const processBytes = 250 * 2 ** 20;
/** Beyond so many bytes a table is read from a file, column by column; as much is read before what is no longer needed is given back. */
const mostInMemory = 2 ** 26;
/** Of a row: its target, weight, fold and place. */
const rowBytes = 24;
/** The cores of the smallest jobs. Larger ones have more memory than threads can share, whatever the table. */
export const usualThreads = 4;

/** Bytes that the threads of a fit may share: of the 4 GiB that there can be, some are for what is not estimated. */
export const mostShared = 3.75 * 2 ** 30;

/** Of the float32 table, as it is or as a family sees it. */
export const tableInMemory = ({ rows, features }: Shape): number => Math.min(mostInMemory, rows * features * 4);

/** Of a family that makes a table of its own: that, or, where the table is in memory, what the family sees of it and the same again. */
export const besideTable = (shape: Shape, own: number): number => Math.max(own, 2 * tableInMemory(shape));

/** Of what trees see, which differs from the table where there are categories whose values they take in an order. */
export const orderedInMemory = (shape: Shape): number => (shape.flags ? tableInMemory(shape) : 0);

/** Raw columns that trees have in shared memory at a time while they find bins; of a row, a column that is being read, and what each thread sorts one by. */
const batchBytes = 2 ** 27;
const columnBytes = 8;
const sortBytes = 24;

/** Of trees: the bins, by row and by column, and what it takes to find them, whose place is free then. */
export function binsInMemory({ rows, features }: Shape, validRows: number, threads: number): { bins: number; binning: number } {
  const all = rows + validRows;
  return { bins: (rows + all) * features, binning: Math.min(all * features * 4, batchBytes) + all * (columnBytes + threads * sortBytes) };
}

/** @param pieces what the largest of the fits need, of which there is one at a time */
export const memoryWith = (shape: Shape, pieces: readonly number[]): number =>
  processBytes + tableInMemory(shape) + rowBytes * shape.rows + Math.max(...pieces);
