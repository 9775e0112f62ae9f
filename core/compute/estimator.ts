/** What estimates a family's work. */
import type { Params } from '../models/model.ts';
import type { Probe } from './hardness.ts';

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

export interface Estimator {
  /**
   * Processor seconds to fit all the candidates on one training set and predict `validRows` rows, at the cost of the distinct work among
   * them; on one core of the machine that bench/estimate.ts was calibrated on.
   */
  coreSeconds(shape: Shape, candidates: Params[], validRows: number): number;
  /** Whether its fits share the cores that there are; the others take one each. */
  usesAllCores: boolean;
  /** Bytes beside the process and the table. @param threads that each have some of their own; by default as many as the smallest job has */
  memory(shape: Shape, candidates: Params[], validRows: number, threads?: number): number;
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
