/** What a model's raw output is a sum of: exact contributions of its features follow from that. */
import type { View } from '../models/view/view.ts';

/** What the raw output is: the value; the probability of a class before calibration; log-odds of the second of two classes; or what softmax takes. */
export type RawKind = 'value' | 'probability' | 'log-odds' | 'score';

/** Of a model that sees a table's features in its own way: what it is a sum of are the features that it sees. */
interface Seen {
  view?: View;
}

export interface AdditiveTrees extends Seen {
  kind: 'trees';
  is: RawKind;
  features: number;
  /** 1, or the classes. */
  outputs: number;
  /** Raw output k = offsets[k] + scale × the sum of the leaves that a row ends in. */
  offsets: number[];
  scale: number;
  /** The first node of each tree; trees lie one behind the other, each in preorder. */
  roots: Uint32Array;
  /** By node: the feature that it asks for, -1 for a leaf. */
  splits: Int32Array;
  /** At most this goes left. */
  thresholds: Float32Array;
  /** By node: 1 where a missing value goes left. */
  missingLeft: Uint8Array;
  /** The right child of a split, or which of the leaves a leaf is. */
  rights: Uint32Array;
  /** [leaves × width]: of width 1 tree t adds to output t mod outputs, else a leaf has a number for each output. */
  leaves: Int32Array;
  width: number;
}

export interface AdditiveLinear extends Seen {
  kind: 'linear';
  is: RawKind;
  outputs: number;
  /** [features × outputs] */
  weights: number[];
  intercepts: number[];
  /** By feature: a value beyond ± this counts as it, NaN as 0. */
  bounds: number[];
}

export type AdditivePart = AdditiveTrees | AdditiveLinear;

/** Of a mixture: raw output k = offset + the sum of weight × the part's raw output k. */
export interface AdditiveSum {
  kind: 'sum';
  /** Each part has its own. */
  view?: undefined;
  is: RawKind;
  outputs: number;
  offset: number;
  parts: { weight: number; part: AdditivePart }[];
}

export type Additive = AdditivePart | AdditiveSum;
