/** Collects the nodes of one ONNX graph. */
import type { View } from '../models/view/view.ts';

export type Attribute =
  | { int: number | bigint }
  | { float: number }
  | { string: string }
  | { ints: readonly number[] | Int32Array }
  | { floats: readonly number[] | Float32Array }
  | { strings: readonly string[] };

export interface NodeOptions {
  domain?: 'ai.onnx.ml' | 'com.microsoft';
  /** How many outputs the operator has; all but the first are used by nothing. By default one. */
  outputs?: number;
  /** The names of a string output's dimensions, of an operator whose types are not in ONNX's own list. */
  strings?: readonly (number | string)[];
}

export interface GraphBuilder {
  /** Of a graph that has its own way to features as a view has them: the name of that tensor; undefined where it has none. */
  seen?(view: View, input: string): string | undefined;
  /** Adds a node. @returns the name of its only (or first) output */
  node(opType: string, inputs: string[], attributes?: Record<string, Attribute>, options?: NodeOptions): string;
  /** Adds an initializer. @returns its name */
  floats(values: readonly number[] | Float32Array, dims?: number[]): string;
  doubles(values: readonly number[] | Float64Array, dims?: number[]): string;
  int64s(values: readonly (number | bigint)[], dims?: number[]): string;
  strings(values: readonly string[], dims?: number[]): string;
}
