/**
 * How much work a plan is, before it is done: processor time and memory by family, from the size of the data and the parameters.
 * A family of the spec without an estimator is a type error here.
 */
import type { Params } from '../models/model.ts';
import type { DatasetSpec } from '../spec.ts';
import { boostingWork } from './boosting-work.ts';
import type { Estimator, Shape } from './estimator.ts';
import { extraTreesWork, forestWork } from './forest-work.ts';
import type { Interval } from './interval.ts';
import { coresOf } from './lane.ts';
import { linearWork } from './linear-work.ts';
import { networkWork } from './network-work.ts';
import { svmWork } from './svm-work.ts';

export type FamilyName = NonNullable<DatasetSpec['families']>[number];

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

/** Of a place's cores, those that a fit of the family uses. */
export const coresFor = (family: string, place: Parameters<typeof coresOf>[0]): number =>
  estimatorOf(family).usesAllCores ? coresOf(place) : 1;

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
