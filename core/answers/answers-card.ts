/** What a version's card says of its answers. */
import type { ClassWeights } from '../models/class-weights.ts';
import type { Scores } from '../search/metrics.ts';
import type { CalibrationKind } from './calibration.ts';
import type { FoundAnswers } from './find-answers.ts';

export interface AnswersCard {
  /** How often sets or intervals are to hold the truth; what they did on the test rows is in `heldOut.coverage`. */
  coverage?: number;
  /** Of a classification. */
  calibration?: CalibrationKind | 'none';
  /** Of two classes: the probability of the second from which on it is the label. */
  threshold?: number;
  /** Of more: by what their probabilities are multiplied before the largest gives the label. */
  classFactors?: Record<string, number>;
  /** What rows of a class counted for in training. */
  classWeights?: 'balanced' | Record<string, number>;
  /** A class is in the set from this probability on. */
  setFrom?: number;
  /** Of values up to `upTo` (null: of all others), what is added to the value for the interval's ends. */
  intervals?: { upTo: number | null; low: number; high: number }[];
  /** Out-of-fold scores of the model's own answers, and of those. */
  outOfFold?: { before: Scores; after: Scores };
  /** Why there are none, in a sentence. */
  skipped?: string;
}

/** @param classes the labels of a classification */
export function answersCard(
  { answers, scores, skipped }: FoundAnswers,
  classWeights: ClassWeights | undefined,
  classes: readonly string[] = [],
): AnswersCard {
  const { calibration, decision, coverage, setFrom, intervals } = answers;
  const byClass = (numbers: readonly number[]) => Object.fromEntries(classes.map((label, k) => [label, numbers[k]!]));
  return {
    ...(coverage !== undefined && { coverage }),
    ...(classes.length > 0 && { calibration: calibration?.kind ?? ('none' as const) }),
    ...(classes.length === 2 && { threshold: decision ? decision[0]! / (decision[0]! + decision[1]!) : 0.5 }),
    ...(classes.length > 2 && decision && { classFactors: byClass(decision) }),
    ...(classWeights && { classWeights: classWeights === 'balanced' ? classWeights : byClass(classWeights) }),
    ...(setFrom !== undefined && { setFrom }),
    ...(intervals && {
      intervals: intervals.low.map((low, i) => ({ upTo: intervals.edges[i] ?? null, low, high: intervals.high[i]! })),
    }),
    ...(scores && { outOfFold: scores }),
    ...(skipped !== undefined && { skipped }),
  };
}
