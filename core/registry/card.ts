/** The shape of a version's `card.json`: what the model is, what it was made of, and how good it is. Immutable. */
import type { CalibrationKind } from '../answers/calibration.ts';
import type { FoundAnswers } from '../answers/find-answers.ts';
import type { Estimate, Spent } from '../compute/cost.ts';
import type { HeldOut } from '../evaluation/evaluate.ts';
import type { IterationCurve } from '../evaluation/iterations.ts';
import type { ClassWeights } from '../models/class-weights.ts';
import type { Params } from '../models/model.ts';
import type { Leaderboard, Scores } from '../search/plan.ts';
import type { TrainingSize } from '../search/training-sizes.ts';
import type { MetricName } from '../spec.ts';
import type { DataSource } from './datasets.ts';
import type { Reproduction } from './reproduce.ts';

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

export interface ModelCard {
  model: string;
  version: number;
  createdAt: string;
  run: string;
  dataset: string;
  revision: string;
  /** The upload that the revision was made of. */
  source: DataSource;
  /** Ingot's version. */
  ingot: string;
  seed: number;
  task: 'classification' | 'regression';
  target: string;
  classes?: string[];
  /** The raw columns in the order of a row of `input_data`. */
  inputs: { name: string; type: 'number' | 'boolean' | 'category' }[];
  family: string;
  params: Params;
  /** The metric that chose the model, and its mean over the folds. */
  metric: MetricName;
  /** Null where the metric is not defined on some fold. */
  score: number | null;
  folds: number;
  leaderboard: Leaderboard;
  /** On the rows that were split off before anything was fitted. */
  heldOut: HeldOut;
  /** What makes the graph's answers honest, found out of fold. */
  answers: AnswersCard;
  learningCurves: {
    /** The metric on the first fold by the rows that were learned from. */
    trainingSizes?: { metric: MetricName; points: TrainingSize[] };
    /** Held-out loss by trees or rounds. */
    iterations?: IterationCurve;
    /** The training objective by iteration. */
    objective?: [iteration: number, value: number][];
  };
  /** How many rows the trained model and the graph were compared on, bit for bit. */
  parity: { testRows: number; edgeRows: number };
  data: {
    rows: { read: number; kept: number; rejected: number; duplicates: number; missingTarget: number; train: number; test: number };
    inferred: { what: string; value: string; why: string }[];
    changes: { column?: string; reason: string; count: number }[];
  };
  reproduce: Reproduction;
  /** Bytes of the graph, and of the graph before it was made smaller; number of features. */
  sizes: { graph: number; plainGraph: number; features: number };
  /** Wall time of the stages' work, in seconds; trials that ran side by side are added up. */
  seconds: Record<string, number>;
  /** What the run was predicted to take, and what it had cost when it was registered, by its stages' own times. */
  estimate?: Pick<Estimate, 'coreSeconds' | 'memory' | 'seconds' | 'dollars'>;
  spent?: Spent;
  /** Where dataset.json limits the run: the limits, and what was left out because of them, in sentences. */
  budget?: { minutes?: number | undefined; dollars?: number | undefined; leftOut: string[] };
}
