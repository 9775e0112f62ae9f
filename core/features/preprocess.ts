/** The shape of `features/<dataset>/<revision>/preprocess.json`: all that was fitted on the train rows, enough to transform any row. */

import type { Probe } from '../compute/hardness.ts';
import type { FittedDate } from './date-parts.ts';
import type { FittedCross } from './fitted-cross.ts';
import type { FittedText } from './fitted-text.ts';
import type { NumberFormat } from './number-formats.ts';
import type { Standard } from './standard.ts';
import type { FittedEncoding } from './target-encoding.ts';
import type { FittedWide } from './wide-number.ts';

export interface FittedNumber extends Standard {
  type: 'number';
  name: string;
  /** Raw strings that mean missing; where the graph takes numbers, NaN stands for them. */
  missing: string[];
  /** How it is written, where the graph takes it as text. */
  written?: NumberFormat;
}

export interface FittedCategory {
  type: 'category' | 'boolean';
  name: string;
  /** The values that have a one-hot feature, in order; others (and unseen ones) give zeros. A boolean's are false and true, and one feature says 'true'. */
  values: string[];
  /** Raw spelling → index into `values`; every spelling of the file and its case variants. */
  spellings: Record<string, number>;
  /** Raw strings that mean missing. */
  missing: string[];
  indicator: boolean;
  /** Whether the code is a feature too, for those families that put the values in order. */
  ordered?: true;
}

export type FittedDerived = FittedDate | FittedEncoding | FittedText | FittedWide;
export type FittedColumn = FittedNumber | FittedCategory | FittedDerived;

export interface Preprocess {
  dataset: string;
  revision: string;
  version: string;
  task: 'classification' | 'regression';
  target: string;
  classes?: string[];
  classType?: 'string' | 'integer' | 'boolean';
  /** Of a regression: whether the target's logarithms are worth learning, too. */
  skewed?: true;
  /** In the order of the raw feature columns, which is the order of a row in `input_data`. */
  columns: FittedColumn[];
  /** Two columns made one, by operation; absent where none pays for itself. */
  crosses?: FittedCross[];
  /** Names of the columns of the feature matrix. */
  features: string[];
  /** Columns of the file that the model does not use; a row may have them, and they are passed over. */
  ignored: string[];
  /** `together` rows equal an earlier one in all features, and were put on its side. */
  rows: { train: number; test: number; together?: number };
  /** What a short run on some train rows tells of the table, for the estimates of the search. */
  probe?: Probe;
  /** Where rows were split by what ties them together. */
  splitBy?: 'groups' | 'time';
  /** What there was no time for under the budget, in sentences. */
  leftOut?: string[];
}
