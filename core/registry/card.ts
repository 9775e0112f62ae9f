/** The shape of a version's `card.json`: what the model is, what it was made of, and how good it is. Immutable. */
import type { AnswersCard } from '../answers/answers-card.ts';
import type { Spent } from '../compute/cost.ts';
import type { Expected } from '../compute/estimate.ts';
import type { HeldOut } from '../evaluation/evaluate.ts';
import type { IterationCurve } from '../evaluation/iterations.ts';
import type { Params } from '../models/model.ts';
import type { Assembly } from '../search/auto/assemble.ts';
import type { Failed, Leaderboard } from '../search/plan.ts';
import type { TrainingSize } from '../search/training-sizes.ts';
import type { ColumnType, MetricName } from '../spec.ts';
import type { DataSource } from './datasets.ts';
import type { Reproduction } from './reproduce.ts';

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
  inputs: { name: string; type: ColumnType }[];
  family: string;
  params: Params;
  /** The metric that chose the model, and its mean over the folds. */
  metric: MetricName;
  /** Null where the metric is not defined on some fold. */
  score: number | null;
  folds: number;
  /** Of an automatic search: what the model is made of, and why. */
  ensemble?: Assembly;
  leaderboard: Leaderboard;
  /** Of a grid: candidates that are better by their score and could not be fitted on all rows, and why; the model is the best of the others. */
  passedOver?: Failed[];
  /** On the rows that were split off before anything was fitted. */
  heldOut: HeldOut;
  /** What makes the graph's answers honest, found out of fold. */
  answers: AnswersCard;
  learningCurves: {
    /** The metric on the first fold by the rows that were learned from; of a mixture, that of the member alone that weighs most. */
    trainingSizes?: { metric: MetricName; points: TrainingSize[]; member?: { candidate: number; family: string } };
    /** Held-out loss by trees or rounds. */
    iterations?: IterationCurve;
    /** The training objective by iteration. */
    objective?: [iteration: number, value: number][];
  };
  /** How many rows the trained model and the graph were compared on, bit for bit. */
  parity: { testRows: number; edgeRows: number };
  data: {
    rows: {
      read: number;
      kept: number;
      rejected: number;
      duplicates: number;
      missingTarget: number;
      train: number;
      test: number;
      together?: number;
    };
    /** Where not all train rows were trained on: how many were, and why, in a sentence. */
    sample?: { rows: number; of: number; why: string };
    inferred: { what: string; value: string; why: string }[];
    changes: { column?: string; reason: string; count: number }[];
  };
  reproduce: Reproduction;
  /** Bytes of the graph, and of the graph before it was made smaller; number of features. */
  sizes: { graph: number; plainGraph: number; features: number };
  /** Wall time of the stages' work, in seconds; trials that ran side by side are added up. */
  seconds: Record<string, number>;
  /** What the run was predicted to take, and what it had cost when it was registered, by its stages' own times. */
  estimate?: Expected;
  spent?: Spent;
  /** Where dataset.json limits the run: the limits, and what was left out because of them, in sentences. */
  budget?: { minutes?: number | undefined; dollars?: number | undefined; leftOut: string[] };
}
