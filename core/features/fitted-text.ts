/** A column of free text, as `preprocess.json` has it, and the units that code and graph count in. */
import type { Derived } from './derivation.ts';
import type { Vocabulary } from './text-tokens.ts';

export interface FittedText extends Derived {
  type: 'text';
  vocabulary: Vocabulary;
  /** Of each term, in 2⁻¹⁶. */
  squares: number[];
  /** Of each feature the weight of every term, in 2⁻²⁰. */
  weights: number[][];
  /** What the first of them tell of: classes, as indices, or the value; and what those are called. */
  of: (number | 'value')[];
  labels: string[];
}

export const weightUnit = 2 ** -20;
export const squareUnit = 2 ** -16;
export const mostCount = 255;
