/** A kind of column whose raw value becomes some numbers, each then imputed and scaled as a number of the table is. */
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { CategoryColumn, FrameColumn, NumberColumn } from '../table/frame.ts';
import type { Standard } from './standard.ts';

/** What is fitted of such a column. */
export interface Derived {
  name: string;
  /** Raw strings that mean missing. */
  missing: string[];
  /** The features, in order. */
  numbers: (Standard & { name: string })[];
}

export interface Derivation<F extends Derived, Column extends FrameColumn = CategoryColumn> {
  /** The names of the features that it makes, in order. */
  names(fitted: F): string[];
  /** The numbers of each row, one array a feature; NaN where the raw value is missing. */
  derive(fitted: F, column: Column): Float32Array[];
  /**
   * @param input string [N, 1], or float64 [N, 1] of a number column
   * @returns float32 [N, features], the same numbers bit for bit
   */
  toOnnx(graph: GraphBuilder, fitted: F, input: string): string;
  /** Raw values on which the graph is to be tried. */
  probes(fitted: F): Column extends NumberColumn ? number[] : string[];
}
