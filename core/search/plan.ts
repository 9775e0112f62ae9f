/** What a run does, decided before it starts and written to `runs/<run>/plan.json`; trials are its independent pieces of work. */

import type { Estimate } from '../compute/estimate.ts';
import type { Shape } from '../compute/estimator.ts';
import type { LaneName } from '../compute/lane.ts';
import type { Budget } from '../compute/limits.ts';
import type { ClassWeights } from '../models/class-weights.ts';
import type { Params } from '../models/model.ts';
import type { MetricName } from '../spec.ts';
import type { Scores } from './metrics.ts';

export interface RunRecord {
  run: string;
  dataset: string;
  revision: string;
  createdAt: string;
  /** Of the file that it began with, where functions have prepared it. */
  uploadedAt?: string;
}

/** Seconds that functions took from the upload to the start of the run. */
export function preparedSeconds(record: RunRecord | undefined): number {
  return record?.uploadedAt === undefined ? 0 : Math.max(0, Date.parse(record.createdAt) - Date.parse(record.uploadedAt)) / 1000;
}

export interface Candidate {
  id: number;
  family: string;
  params: Params;
}

/** A piece of a search: what shares work stays together. */
export interface Trial {
  id: string;
  /** Whose candidates it tries: of a grid search, the family; of an automatic one, which lists them, `any`. */
  family: string;
  fold: number;
  candidates?: number[];
  /** Of an automatic search: which rung it belongs to. */
  rung?: number;
  /**
   * Under a budget: the seconds that it may take from its first attempt on; and those of the run by which the search is over, and its share of what
   * is left until then when it begins.
   */
  seconds?: number;
  until?: number;
  share?: number;
}

/** A rung of an automatic search: candidates that are tried on ever more of the data, ever fewer of them. */
export interface Rung {
  folds: number[];
  /** Rows to train on and to validate on, drawn by seed, where the fold has more. */
  trainRows: number;
  validRows: number;
  /** Core seconds, by estimate, that the candidates may take which come here. */
  work: number;
  /** Trials at most, unless one would take too long. */
  trials: number;
  /**
   * Under a budget: seconds that its trials have, side by side and one after the other, where dollars are limited; and where minutes are, those of
   * the run by which the search is over, and its share of what is left until then.
   */
  seconds?: number;
  until?: number;
  share?: number;
}

/** `runs/<run>/rungs/<n>.json`: who has come to a rung, the best first. */
export interface RungTrials {
  rung: number;
  candidates: number[];
  trials: Trial[];
}

export interface Plan {
  run: string;
  dataset: string;
  revision: string;
  version: string;
  lane: LaneName;
  /** Why that lane, and whether functions can do the work too; plans of older runs do not say. */
  laneReason?: string;
  fallback?: boolean;
  /** 0 to 100, by which the run's jobs are queued. */
  priority?: number;
  task: 'classification' | 'regression';
  metric: MetricName;
  /** How often sets and intervals are to hold the truth. */
  coverage: number;
  classWeights?: ClassWeights;
  seed: number;
  folds: number;
  /** Without it, a grid. */
  search?: 'auto';
  candidates: Candidate[];
  /** Of a grid search, one family's candidates on one fold each; of an automatic one, those of the first rung. */
  trials: Trial[];
  /** Of an automatic search. */
  rungs?: Rung[];
  /** Rows that are trained on, drawn by the seed, the classes in proportion, where there is no memory for all of them. */
  sample?: { rows: number; of: number };
  /** Of an automatic search: which candidates are left out, because the rows would take them more memory than there is, in a sentence. */
  noRoom?: string;
  /** Rows, features and classes (0 of a regression) that the search works with. */
  shape?: Shape;
  /** What it will take; plans of older runs have none. */
  estimate?: Estimate;
  /** Where dataset.json limits the run. */
  budget?: Budget;
}

export interface TrialResult {
  trial: string;
  fold: number;
  seconds: number;
  scores: { candidate: number; scores: Scores /** Nested parts that were kept. */; steps?: number; trees?: number; seconds?: number }[];
  /** The budget's time was over before all candidates had been tried. */
  stopped?: true;
  /** What went wrong with some of them, which the others are not to suffer for. */
  failed?: Failed[];
}

/** Candidates that could not be fitted, and why. */
export interface Failed {
  candidates: number[];
  message: string;
}

export interface LeaderboardEntry {
  rank: number;
  candidate: number;
  family: string;
  params: Params;
  /** Mean over the folds of every metric, and its standard deviation (population, as scikit-learn's std_test_score). */
  mean: Scores;
  std: Scores;
  perFold: number[];
  /** Of an automatic search: the last rung that it was tried on. */
  rung?: number;
}

export interface Leaderboard {
  metric: MetricName;
  entries: LeaderboardEntry[];
  best: number;
  /** Candidates that some trial could not fit, and why. */
  failed?: Failed[];
}
