/** The shape of `clean/<dataset>/<revision>/report.json`: what was read, what was inferred and every change, counted. */
import type { DateFormat } from '../features/date-formats.ts';
import type { NumberFormat } from '../features/number-formats.ts';
import type { ColumnType } from '../spec.ts';

export interface SourceFile {
  name: string;
  bytes: number;
  format: 'csv' | 'tsv' | 'json' | 'jsonl' | 'parquet';
  compression: 'none' | 'gzip';
  encoding?: string;
  delimiter?: string;
  quote?: string;
  header?: boolean;
}

export const personalKinds = ['email', 'phone', 'card', 'account', 'national id', 'person name', 'ip address', 'declared'] as const;
/** `declared`: dataset.json says that it is personal. */
export type PersonalKind = (typeof personalKinds)[number];

export interface ColumnReport {
  name: string;
  type: ColumnType;
  role: 'feature' | 'target' | 'ignored';
  /** Why the type or the role is what it is, in a sentence. */
  why: string;
  missing: number;
  /** How often each token stood for a missing value, e.g. {"": 3, "NA": 2}. */
  missingTokens: Record<string, number>;
  /** Numbers: what stood there and is none, and is missing therefore; the most frequent. In requests it is missing, too. */
  strays?: string[];
  /** How many different values; absent where they were not counted, as of a number or a date that is ignored. */
  distinct?: number;
  /** Numbers only. Quantiles of the values that are there. `low` and `high` are the robust bounds; values beyond are outliers, which lines and distances see at the bound. */
  number?: {
    min: number;
    max: number;
    mean: number;
    std: number;
    q25: number;
    median: number;
    q75: number;
    low: number;
    high: number;
    outliers: number;
  };
  /** Numbers: how they are written, where that is not as programs do. */
  written?: NumberFormat;
  /** Dates: how they are written. */
  date?: DateFormat;
  /** Booleans and categories: spelling in the clean table → every spelling in the file (itself included), where they differ. */
  spellings?: Record<string, string[]>;
  /** All but numbers and texts: the most frequent values of the clean table. */
  top?: { value: string; count: number }[];
  /**
   * Personal data in it, and what became of them: the column left out of the clean table, hashed with the installation's secret (in the clean
   * table, but no feature), the found parts of its texts masked, or all kept. `cells` hold any, of `of` that were looked at.
   */
  personal?: { kinds: PersonalKind[]; cells: number; of: number; treatment: 'dropped' | 'hashed' | 'masked' | 'kept' };
  /** Why it gives the target away, by which figure, and what became of it: quarantined columns are not in the clean table. */
  leak?: Leak & { treatment: 'quarantined' | 'kept' };
  /** An earlier feature that it equals in every row that was looked at, up to other names for its values; one with the same values in all rows is left out. */
  sameAs?: string;
}

export interface Leak {
  /** A copy of the target under whatever names, numbers in the target's order or the reverse, or what is known only with the target. */
  kind: 'copy' | 'monotone' | 'afterwards';
  measure: 'agreement' | 'Spearman correlation' | 'balanced accuracy' | 'R² of ranks';
  /** By the column alone, out of sample. */
  score: number;
  /** The same of the best column beside the leaks. */
  next?: number;
  /** How many rows were looked at. */
  rows: number;
}

export interface CleanReport {
  dataset: string;
  revision: string;
  version: string;
  files: SourceFile[];
  rows: { read: number; kept: number; rejected: number; duplicates: number; missingTarget: number };
  target: string;
  task: 'classification' | 'regression';
  /** Classification: the labels in class order (numbers ascending, strings by code unit). */
  classes?: string[];
  /** How labels are written in answers: integers as JSON numbers, booleans as JSON booleans. */
  classType?: 'string' | 'integer' | 'boolean';
  inferred: { what: string; value: string; why: string }[];
  /** In the order of the clean table's columns (a hashed one is there, but ignored); the other ignored ones, which it does not have, last. */
  columns: ColumnReport[];
  /** Every change to the data: `count` rows or cells in `column` (or the whole table), and why. */
  changes: { column?: string; reason: string; count: number }[];
}
