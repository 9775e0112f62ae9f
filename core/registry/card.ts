/** The shape of a version's `card.json`: what the model is, what it was made of, and how good it is. Immutable. */
import type { Estimate, Spent } from '../compute/cost.ts';
import type { Params } from '../models/model.ts';
import type { Leaderboard, Scores } from '../search/plan.ts';
import type { ColumnType, MetricName } from '../spec.ts';
import type { DataSource } from './datasets.ts';

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
  leaderboard: Leaderboard;
  /** On the rows that were split off before anything was fitted. */
  heldOut: HeldOut;
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
    inferred: { what: string; value: string; why: string }[];
    changes: { column?: string; reason: string; count: number }[];
  };
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

export interface HeldOut {
  rows: number;
  scores: Scores;
  /** Classification: `[actual][predicted]` counts in class order. */
  confusion?: number[][];
}
