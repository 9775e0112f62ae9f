/** Feature files: the matrix and, as its last column, the target, in one parquet file a part. */
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { mostTestRows } from '../../core/compute/table-memory.ts';
import { rowsOf } from '../../core/evaluation/rows.ts';
import { instantsOf } from '../../core/features/date.ts';
import type { Preprocess } from '../../core/features/preprocess.ts';
import { keyColumn, type RowKeys, rowKeys, takeKeys } from '../../core/features/row-keys.ts';
import { sampleRows, splitRows, takeTarget } from '../../core/features/split.ts';
import { equalRowsOf, type Sides } from '../../core/features/table-features.ts';
import type { Learning } from '../../core/features/target-encoding.ts';
import { traitsOf } from '../../core/features/traits.ts';
import { exactIntegers } from '../../core/features/wide-number.ts';
import { dataKeys } from '../../core/keys.ts';
import type { Matrix, Target } from '../../core/models/model.ts';
import { areFew } from '../../core/models/take-matrix.ts';
import { collectMemory } from '../../core/models/wasm-memory.ts';
import { getJson, needJson, type ObjectStore, putJson } from '../../core/object-store.ts';
import { mix32 } from '../../core/random.ts';
import { foldCount, foldsOf } from '../../core/search/folds.ts';
import type { Plan } from '../../core/search/plan.ts';
import type { DatasetSpec } from '../../core/spec.ts';
import type { DatabaseOptions } from '../../core/table/database.ts';
import { readFrame, readTarget } from '../../core/table/frame-file.ts';
import { MatrixWriter, readMatrix, storeMatrix } from '../../core/table/matrix-file.ts';
import type { CleanReport } from '../../core/table/report.ts';
import { StoredTable } from '../../core/table/stored-table.ts';
import { readingLimits, valuesAtATime } from './environment.ts';
import { missing, readPreprocess } from './preprocess.ts';
import { withScratch } from './scratch.ts';

const defaultTestFraction = 0.2;

/**
 * The same rows in every stage that asks.
 * @param table the feature columns: rows that are equal in all of them stay on one side
 * @param by what ties rows together, where the spec says so: then equal rows go where it puts them
 * @returns `together` is how many rows equal an earlier one, and stay with it
 */
export async function splitOf(target: Target, table: StoredTable, spec: DatasetSpec, by?: RowKeys): Promise<Sides & { together: number }> {
  const together = by ? undefined : await equalRowsOf(table);
  const fraction = Math.min(spec.testFraction ?? defaultTestFraction, mostTestRows(table.columnCount) / table.rows);
  const rows = splitRows(target, fraction, spec.seed ?? 0, { together, by });
  return { ...rows, together: together?.repeated ?? 0 };
}

/** For whoever asks the test rows later; written before the preprocess that says that there are any. */
export const writeTestRows = (data: ObjectStore, dataset: string, revision: string, { test }: Sides): Promise<string | undefined> =>
  putJson(data, dataKeys.testRows(dataset, revision), [...test]);

/**
 * The sides as they were written.
 * @param rows of the clean table
 * @throws IngotError NotFound where they have been deleted
 */
export async function readSides(data: ObjectStore, dataset: string, revision: string, rows: number): Promise<Sides> {
  const test = await needJson<number[]>(data, dataKeys.testRows(dataset, revision));
  const train = new Int32Array(rows - test.length);
  for (let row = 0, held = 0; row < rows; row++)
    if (row === test[held]) held++;
    else train[row - held] = row;
  return { train, test: Int32Array.from(test) };
}

/** A clean table that has been downloaded, by the columns that features are made of. */
export function storedTable(path: string, report: CleanReport, columns: string[], wide: readonly string[]): StoredTable {
  return new StoredTable(path, columns, report.rows.kept, { wide, within: readingWithin(path), values: valuesAtATime() });
}

/** What DuckDB may use to read a file. */
const readingWithin = (path: string): DatabaseOptions => ({ ...readingLimits(), directory: dirname(path) });

/** What ties the rows of a clean table together, where the spec says so. */
export async function readKeys(table: string, spec: DatasetSpec, report: CleanReport): Promise<RowKeys | undefined> {
  const key = keyColumn(spec);
  if (key === undefined) return undefined;
  const column = (await readFrame(table, { columns: [key.name], wide: [key.name], within: readingWithin(table) })).columns[0]!;
  const date = report.columns.find(({ name }) => name === key.name)?.date;
  return rowKeys(key.by, date !== undefined && column.type !== 'number' ? instantsOf(column, date) : column);
}

/** The target of a table that has been downloaded. */
export const readTableTarget = (table: string, report: CleanReport): Promise<Target> => readTarget(table, report, readingWithin(table));

/** Of the train rows; written before the preprocess that says that there are any. */
export function writeTrainKeys(data: ObjectStore, dataset: string, revision: string, { by, keys }: RowKeys): Promise<string | undefined> {
  return putJson(data, dataKeys.trainKeys(dataset, revision), { by, keys: [...keys] });
}

/** The number columns with values beyond which float32 skips integers: to be read in double precision, and looked at whether that matters. */
export const wideIn = ({ columns }: CleanReport) =>
  columns.filter(({ number }) => number !== undefined && Math.max(-number.min, number.max) > exactIntegers).map(({ name }) => name);

/** What the train rows teach those columns that are fitted on the target: fold by fold, as a search of as many folds splits them, so that no score is flattered. */
export function learningOf(train: Target, spec: DatasetSpec, by?: RowKeys): Learning {
  const rows = train.task === 'classification' ? train.labels.length : train.values.length;
  return { target: train, foldOf: foldsOf(train, foldCount(spec, rows), spec.seed ?? 0, by) };
}

/** A name that no feature has, as Parquet readers tell names apart: regardless of case. */
function targetColumn({ target, features }: Preprocess): string {
  const taken = new Set(features.map((name) => name.toLowerCase()));
  let name = target;
  while (taken.has(name.toLowerCase())) name += ' (target)';
  return name;
}

/** Writes a side's features part by part. */
export class FeatureWriter {
  private readonly preprocess: Preprocess;
  private readonly matrix: MatrixWriter;

  constructor(path: string, preprocess: Preprocess) {
    this.preprocess = preprocess;
    this.matrix = new MatrixWriter(path, readingWithin(path));
  }

  async add(x: Matrix, y: Target): Promise<void> {
    const columns = x.names.map((name, i) => ({ name, values: x.data.subarray(i * x.rows, (i + 1) * x.rows) }));
    await this.matrix.add([...columns, { name: targetColumn(this.preprocess), values: y.task === 'classification' ? y.labels : y.values }]);
  }

  close(): Promise<void> {
    return this.matrix.close();
  }
}

export interface TrainRows {
  /** Of all rows, or of `rows`. */
  x: Matrix;
  y: Target;
  by?: RowKeys;
  rows?: Int32Array;
}

/**
 * Works on the rows to train on, which are in memory where they are few for it, and else in a file, from which columns are read as they are asked for.
 * @param plan of the run: where it has a sample, that alone is read
 * @param needed which rows' features the work needs, ascending: where they are few, no others are read
 * @throws IngotError NotFound where the features have not been made
 */
export async function withTrain<T>(
  data: ObjectStore,
  { dataset, revision, sample, seed }: Pick<Plan, 'dataset' | 'revision' | 'sample' | 'seed'>,
  work: (train: TrainRows) => Promise<T>,
  needed?: (y: Target, by: RowKeys | undefined) => Int32Array,
): Promise<T> {
  const preprocess = await readPreprocess(data, dataset, revision);
  const { features } = preprocess;
  return withScratch(async (directory) => {
    const path = join(directory, 'train.parquet');
    if (!(await data.download(dataKeys.train(dataset, revision), path))) throw missing(dataset, revision);
    const target = targetColumn(preprocess);
    const classes = preprocess.classes?.map((_, index) => String(index));
    const columns = [{ name: target, type: 'number' as const }];
    const all = await readTarget(path, { target, task: preprocess.task, ...(classes && { classes }), columns }, readingWithin(path));
    const rows = sample && sampleRows(all, sample.rows, mix32(seed, sampleSeed));
    const y = rows ? takeTarget(all, rows) : all;
    const kept = preprocess.splitBy && (await getJson<{ keys: number[] }>(data, dataKeys.trainKeys(dataset, revision)));
    const keys = kept && preprocess.splitBy && { by: preprocess.splitBy, keys: Int32Array.from(kept.keys) };
    const by = keys && { by: rows ? takeKeys(keys, rows) : keys };
    const options = { within: readingWithin(path), rows };
    const traits = traitsOf(preprocess);
    const few = needed?.(y, by?.by);
    if (few && few.length < rowsOf(y) && areFew(few.length, { columns: features.length })) {
      const read = { ...options, rows: rows ? few.map((place) => rows[place]!) : few };
      return work({ x: { ...(await readMatrix(path, features, read)), traits }, y, ...by, rows: few });
    }
    if (rowsOf(y) * features.length <= valuesAtATime())
      return work({ x: { ...(await readMatrix(path, features, options)), traits }, y, ...by });
    const file = await storeMatrix(path, features, join(directory, 'train.columns'), options);
    await rm(path);
    try {
      return await work({ x: file.matrix(traits), y, ...by });
    } finally {
      file.close();
      // What comes next in the same process has need of it.
      collectMemory();
    }
  });
}

/** Told apart in the seed: the rows that are trained on. */
const sampleSeed = 0x5a3;
