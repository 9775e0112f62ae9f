/** What a handler works with. Handlers take it as an argument, so that a test or a benchmark runs them on stores of its own. */
import type { Jobs } from '../../core/compute/batch.ts';
import type { metricNames } from '../../core/names.ts';
import type { ObjectStore } from '../../core/object-store.ts';
import type { Checkpoints } from '../../core/registry/checkpoints.ts';
import type { Executions } from '../../core/registry/runs.ts';

export type MetricName = (typeof metricNames)[keyof typeof metricNames];

export interface Services {
  /** The data bucket and the model bucket. */
  data: ObjectStore;
  models: ObjectStore;
  executions: Executions;
  /** Batch's; connected where it is asked for, as most calls have no need of it. */
  jobs(): Promise<Jobs>;
  now(): Date;
  /**
   * Ends the process (of a job, the thread that it trains on) after so many milliseconds, however busy it is, unless it is released before: for work that may
   * never come to an end by itself. Left out where that does other work too.
   */
  endBy?: (milliseconds: number) => () => void;
  /** Told of each piece of work that may never come to its end, before it begins; a job ends one that takes too long. */
  begin?: (piece: string) => void;
  /** Where fits keep what they have; a job has one, whose machine may be taken away. */
  checkpoints?: Checkpoints;
  /** Adds to a metric; no dimensions. */
  count(metric: MetricName, value?: number): void;
  /** Never rows or payloads. */
  log(message: string, details?: Record<string, unknown>): void;
  /** A message to the people who watch the alarms. */
  notify(subject: string, message: string): Promise<void>;
}
