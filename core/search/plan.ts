/** What a run does, decided before it starts and written to `runs/<run>/plan.json`; trials are its independent pieces of work. */
import type { Budget } from '../compute/budget.ts';
import type { Estimate } from '../compute/cost.ts';
import type { LaneName } from '../compute/lane.ts';
import type { Params } from '../models/model.ts';
import type { MetricName } from '../spec.ts';

export interface RunRecord {
  run: string;
  dataset: string;
  revision: string;
  createdAt: string;
}

export interface Candidate {
  id: number;
  family: string;
  params: Params;
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
  seed: number;
  folds: number;
  candidates: Candidate[];
  /** One family's candidates on one fold: what shares work stays together. */
  trials: { id: string; family: string; fold: number }[];
  /** What it will take; plans of older runs have none. */
  estimate?: Estimate;
  /** Where dataset.json limits the run. */
  budget?: Budget;
}

export type Scores = Partial<Record<MetricName, number>>;

export interface TrialResult {
  trial: string;
  fold: number;
  seconds: number;
  scores: { candidate: number; scores: Scores }[];
  /** The budget's time was over before all candidates had been tried. */
  stopped?: true;
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
}

export interface Leaderboard {
  metric: MetricName;
  entries: LeaderboardEntry[];
  best: number;
}
