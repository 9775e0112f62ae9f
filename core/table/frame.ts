/** A table in memory, column by column: what features are fitted on and what a request to predict becomes. */

export interface NumberColumn {
  type: 'number';
  name: string;
  /** NaN is missing. In double precision where it was read so. */
  values: Float32Array | Float64Array;
}

export interface CategoryColumn {
  /** A boolean is a category of 'false' and 'true'. */
  type: 'boolean' | 'category';
  name: string;
  /** Index into `dictionary`; -1 is missing. */
  codes: Int32Array;
  dictionary: string[];
}

export type FrameColumn = NumberColumn | CategoryColumn;

export interface Frame {
  rows: number;
  columns: FrameColumn[];
}
