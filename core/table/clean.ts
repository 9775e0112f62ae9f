/** Raw files → clean table: types, missing values, duplicates, spellings; every change counted in the report. */
import { IngotError } from '../errors.ts';
import type { DatasetSpec } from '../spec.ts';
import type { CleanReport } from './report.ts';

export interface CleanInput {
  dataset: string;
  revision: string;
  /** The files of the dataset in order; `name` is what the user called it, `path` where it lies. */
  files: { name: string; path: string }[];
  spec: DatasetSpec;
  /** Where `table.parquet` and `rejects.csv` are written; holds temporary files meanwhile. */
  directory: string;
  /** DuckDB's buffers, e.g. '300MB'. */
  memoryLimit?: string;
  threads?: number;
}

/**
 * Cleans a dataset.
 * @throws IngotError EmptyDataset, UnreadableDataset, UnusableTarget, NoFeatures or InvalidSpec, with place and mend
 */
export function cleanTable(_input: CleanInput): Promise<CleanReport> {
  throw new IngotError('Unavailable', 'Not there yet.');
}
