/** What every family of models gives: fit / predict / toOnnx, under one contract suite (test/models/contract.ts). */
import type { Additive } from '../explain/additive.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { Checkpoint } from './checkpoint.ts';

/** Features as a model sees them: float32, column-major (`data[column * rows + row]`), NaN where missing. */
export interface Matrix {
  rows: number;
  columns: number;
  names: string[];
  readonly data: Float32Array;
  /** Of a matrix that is not in memory (lazy-matrix.ts): one of its columns. */
  column?(feature: number): Float32Array;
  /** Of a table's features; without them, all are numbers to be taken as they are. */
  traits?: Traits;
}

/** What a family may know of features, to take each in its own way: see view/. */
export interface Traits {
  /** By feature: what a missing number becomes, and where outliers are moved to, in families that want neither. */
  impute: number[];
  low: number[];
  high: number[];
  /** Categories of a few values: the feature that has the code (0 to values - 1, or missingCode or otherCode of features/one-hot.ts), and the 0/1 features. */
  categories: { code: number; values: number; flags: number[] }[];
}

export type Target =
  | {
      task: 'classification';
      classes: number;
      /** Class index of each row. */
      labels: Int32Array;
      /** What a row of each class counts for in a fit; 1 where there are none. Scores count all rows alike. */
      classWeights?: readonly number[];
    }
  | { task: 'regression'; values: Float64Array };

/** Probabilities row-major [rows × classes], or values [rows]; exactly what the ONNX graph answers in float32. */
export type Predictions =
  | { task: 'classification'; classes: number; probabilities: Float32Array }
  | { task: 'regression'; values: Float32Array };

export type Params = Record<string, number | string | boolean | null>;

export interface FitContext {
  seed: number;
  /** Worker threads to use; the result does not depend on it. */
  workers: number;
  /** Called now and then with the share that is done, 0 to 1. What it throws ends the work at once and comes out of the family's call. */
  onProgress?: (done: number) => void;
  /** Asked now and then: where it says yes, a fold's fit of nested parts ends with those that it has. */
  isOver?: () => boolean;
  /** Where a fit keeps what it has, for another attempt to go on from; the model is the same, byte for byte. */
  checkpoint?: Checkpoint | undefined;
}

/** A model that was fitted on the other folds, and what it says of the rows of its own. */
export interface FoldFit {
  model: FittedModel;
  predictions: Predictions;
  /** Of a family whose models are made of nested parts: how many were kept. */
  steps?: number;
}

export interface FittedModel {
  readonly family: string;
  readonly params: Params;
  /** How many trees a row is led through: most of what an answer costs. */
  readonly treeCount?: number | undefined;
  predict(x: Matrix): Promise<Predictions>;
  /**
   * Adds the model's nodes to the graph.
   * @param input name of the float32 [N, columns] tensor of features
   * @returns name of the float32 tensor [N, classes] of probabilities, or [N, 1] of values
   */
  toOnnx(graph: GraphBuilder, input: string): string;
  /**
   * Of a classifier whose answer is the softmax (exact/softmax.ts) of logits: adds the nodes up to these, so that an ensemble's softmax is one.
   * @returns name of the float64 tensor [N, classes]; undefined where the answer is another
   */
  logitsToOnnx?(graph: GraphBuilder, input: string): string | undefined;
  serialize(): Uint8Array;
  /** What the raw output is a sum of, for exact explanations; a model that is no sum of its features' parts has none. */
  additive?(): Additive | undefined;
  /** Nested parts (trees, rounds, epochs), and, where they are kept, the model that has the first so many of them. */
  readonly steps?: number | undefined;
  readonly first?: ((steps: number) => FittedModel) | undefined;
  /** The training objective before the first iteration and after each. */
  readonly learningCurve?: readonly number[] | undefined;
}

export interface Family {
  readonly name: string;
  /** The default grid: the values to try of each parameter. */
  readonly grid: Record<string, Params[string][]>;
  /** Good starting points, the best first: what an automatic search tries. By default the parameters' defaults alone. */
  readonly portfolio?: readonly Params[];
  /** Checks and completes parameters. @throws IngotError InvalidSpec that names the parameter, what was got and what is allowed. */
  parse(params: Params): Params;
  /** Orders two sets of (complete) parameters by what they cost to keep and to ask: negative where `a` is the cheaper. */
  compareCost(a: Params, b: Params): number;
  fit(x: Matrix, y: Target, params: Params, context: FitContext): Promise<FittedModel>;
  /**
   * Fits every candidate on one training set and predicts one validation set, at the cost of the distinct work among them.
   * Each candidate's predictions equal those of `fit` of that candidate alone.
   * @param rows the rows of x to train on; `validRows` those to predict
   */
  predictGrid(
    x: Matrix,
    y: Target,
    rows: Int32Array,
    validRows: Int32Array,
    candidates: Params[],
    context: FitContext,
  ): AsyncIterable<{ candidate: number; predictions: Predictions }>;
  /**
   * Fits on some rows and predicts others. A family whose models are made of nested parts keeps as many of them as predict those others best;
   * without this a fold's model is the whole one (core/search/auto/fold-fit.ts).
   */
  fitFold?(x: Matrix, y: Target, rows: Int32Array, validRows: Int32Array, params: Params, context: FitContext): Promise<FoldFit>;
  deserialize(bytes: Uint8Array): FittedModel;
}
