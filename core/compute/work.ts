/**
 * How much work a plan is, before it is done: processor time and memory by family, from the size of the data and the parameters.
 * A family of the spec without an estimator is a type error here.
 */
import type { Params } from '../models/model.ts';
import type { DatasetSpec } from '../spec.ts';
import { boostingWork } from './boosting-work.ts';
import { extraTreesWork, forestWork } from './forest-work.ts';
import { linearWork } from './linear-work.ts';
import { networkWork } from './network-work.ts';
import type { Probe } from './probe.ts';
import { svmWork } from './svm-work.ts';

export type FamilyName = NonNullable<DatasetSpec['families']>[number];

/** The size of a training set. */
export interface Shape {
  rows: number;
  features: number;
  /** Of the features, the 0/1 ones of categories that some candidates see as numbers alone (models/view/ordered.ts). */
  flags?: number;
  /** 0 for a regression. */
  classes: number;
  /** How hard the table is; without it, as most are. */
  probe?: Probe;
}

/** Beyond so many bytes a table is read from a file, column by column. */
const mostInMemory = 2 ** 26;

/** Bytes of the float32 table, where it is in memory: as it is, as a family sees it, and of a fold's rows. */
export const tableInMemory = ({ rows, features }: Shape): number => 3 * Math.min(mostInMemory, rows * features * 4);

/** What is expected, and between which bounds nine in ten lie. */
export interface Interval {
  low: number;
  point: number;
  high: number;
}

export interface Estimator {
  /**
   * Processor seconds to fit all the candidates on one training set and predict `validRows` rows, at the cost of the distinct work among
   * them; on one core of the machine that bench/estimate.ts was calibrated on.
   */
  coreSeconds(shape: Shape, candidates: Params[], validRows: number): number;
  /** Bytes beside the process itself, on one thread. */
  memory(shape: Shape, candidates: Params[], validRows: number): number;
  /** Bytes of it that all threads share, of which there are 4 GiB at most, whatever the machine. */
  shared?(shape: Shape, params: Params, validRows: number): number;
  /** Values that a fitted model keeps (a tree's nodes, a line's weights): what exporting and checking it take grows with them. */
  modelSize(shape: Shape, params: Params): number;
  /** What nine in ten runs take, as multiples of the estimate. */
  spread: { low: number; high: number };
  /** The parameter that counts nested parts (trees, rounds): a model of fewer is contained in one of more. */
  steps?: string;
  /** How many of those parts a fold's fit is expected to grow, where it stops early. */
  earlySteps?(params: Params, shape: Shape): number;
}

export const estimators: Record<FamilyName, Estimator> = {
  boosting: boostingWork,
  extraTrees: extraTreesWork,
  forest: forestWork,
  linear: linearWork,
  network: networkWork,
  svm: svmWork,
};

/** @throws RangeError for a name that is none of a family */
export function estimatorOf(family: string): Estimator {
  if (Object.hasOwn(estimators, family)) return estimators[family as FamilyName];
  throw new RangeError(`nothing estimates the work of the family '${family}'`);
}

/** Processor seconds, with their interval. */
export function coreSecondsOf(family: string, shape: Shape, candidates: Params[], validRows = 0): Interval {
  const { coreSeconds, spread } = estimatorOf(family);
  const point = coreSeconds(shape, candidates, validRows);
  return { low: point * spread.low, point, high: point * spread.high };
}

/**
 * Core seconds to fit one candidate on some rows and to predict others, stopping early where it can.
 * @param pace how many times as many nested parts as expected it has before it stops, where that was seen
 */
export function foldCoreSeconds(family: string, shape: Shape, params: Params, validRows: number, pace = 1): number {
  const { steps, earlySteps, coreSeconds } = estimatorOf(family);
  const seen = params['categories'] === 'ordered' ? { ...shape, features: shape.features - (shape.flags ?? 0) } : shape;
  const most = steps === undefined ? 1 : Number(params[steps]);
  const expected = steps && earlySteps ? { ...params, [steps]: Math.min(most, Math.ceil(pace * earlySteps(params, shape))) } : params;
  return coreSeconds(seen, [expected], validRows);
}

export const exactly = (value: number): Interval => ({ low: value, point: value, high: value });

export const scale = ({ low, point, high }: Interval, factor: number): Interval => ({
  low: low * factor,
  point: point * factor,
  high: high * factor,
});

export function sum(intervals: Interval[]): Interval {
  return intervals.reduce(
    (total, { low, point, high }) => ({ low: total.low + low, point: total.point + point, high: total.high + high }),
    exactly(0),
  );
}
