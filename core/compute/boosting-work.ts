/**
 * The work of boosting. A tree of L leaves passes over all its rows once, and then at each split over those of the smaller side: at most half
 * of them a level. Candidates that differ only in the number of rounds are one run (core/models/boosting).
 *
 * Where rounds may stop early, that they do not is assumed: the estimate is then what is spent at most.
 */
import { type BoostingParams, resolve } from '../models/boosting/params.ts';
import type { Params } from '../models/model.ts';
import type { Estimator, Shape } from './estimator.ts';
import { binsInMemory, orderedInMemory, usualThreads } from './memory.ts';

/** Seconds, fitted by bench/estimate.ts. */
const seconds = {
  /** Finding a value's bin. */
  bin: 3.61e-8,
  /** A row, a feature, a pass: adding to the bins. */
  cell: 4.64e-10,
  /** A row, a pass: to one side or the other, and the gradient. */
  move: 3.75e-9,
  /** A leaf, a feature: subtracting and scanning its bins. */
  scan: 6e-7,
  tree: 2.5e-5,
  /** A row that is predicted or left out of a bag, a level, a tree. */
  step: 1.53e-8,
  /** A row kept back, an output, a round: its loss. */
  loss: 3e-8,
  /** A row and a level of the sorted residuals of a quantile's leaves. */
  sort: 1.79e-8,
};

/** Rounds times rate at which the loss of other rows is mostly at its least; with more rows, more of them are worth growing. */
const stopping = { reach: 12, rows: 2000, growth: 0.4 };
const histogramBytes = 2048;

export const boostingWork: Estimator = {
  steps: 'nEstimators',
  usesAllCores: true,
  spread: { low: 0.6, high: 1.8 },
  earlySteps(params, { rows }) {
    const { nEstimators, learningRate, nIterNoChange } = resolve(params);
    const reach = stopping.reach * Math.max(1, rows / stopping.rows) ** stopping.growth;
    return Math.min(nEstimators, Math.ceil(reach / learningRate) + nIterNoChange);
  },

  coreSeconds(shape, candidates, validRows) {
    const outputs = outputsOf(shape);
    return runsOf(candidates).reduce((total, { rounds, params }) => {
      const leaves = leavesOf(shape, params);
      const levels = Math.log2(leaves);
      const passes = 1 + levels / 2;
      const used = shape.rows * params.subsample;
      const tree =
        seconds.tree +
        used * (passes * shape.features * params.colsample * seconds.cell + (1 + levels) * seconds.move) +
        leaves * shape.features * seconds.scan +
        (shape.rows - used + validRows) * levels * seconds.step +
        (params.loss === 'quantile' ? used * Math.log2(Math.max(2, used / leaves)) * seconds.sort : 0);
      const stopping = params.earlyStopping ? shape.rows * params.validationFraction * seconds.loss : 0;
      return total + (shape.rows + validRows) * shape.features * seconds.bin + rounds * outputs * (tree + stopping);
    }, 0);
  },

  // Bins by row and by column, and the run.
  shared(shape, params, validRows) {
    const rows = shape.rows + validRows;
    return (
      rows * shape.features * 2 +
      rows * (32 + 16 * outputsOf(shape)) +
      (leavesOf(shape, resolve(params)) + 16) * shape.features * histogramBytes
    );
  },

  memory(shape, candidates, validRows, threads = usualThreads) {
    const rows = shape.rows + validRows;
    const outputs = outputsOf(shape);
    const { bins, binning } = binsInMemory(shape, validRows, threads);
    // Of JavaScript: places and targets; scores of the rows that are not trained on.
    const beside = shape.rows * 16 + validRows * outputs * 24 + orderedInMemory(shape);
    const runs = runsOf(candidates).map(({ rounds, params }) => {
      const leaves = leavesOf(shape, params);
      return rows * (32 + 16 * outputs) + (leaves + 1) * shape.features * histogramBytes + rounds * outputs * leaves * 96;
    });
    // Bins by row and by column, and the raw columns, whose place the run takes then.
    return bins + Math.max(binning, ...runs) + beside;
  },

  modelSize(shape, params) {
    const resolved = resolve(params);
    return resolved.nEstimators * outputsOf(shape) * leavesOf(shape, resolved) * 2.5;
  },
};

const outputsOf = ({ classes }: Shape) => (classes > 2 ? classes : 1);

function leavesOf({ rows }: Shape, { maxLeaves, maxDepth, minSamplesLeaf, subsample }: BoostingParams): number {
  return Math.max(1, Math.min(maxLeaves, 2 ** Math.min(maxDepth, 40), (rows * subsample) / minSamplesLeaf));
}

/** The runs that the candidates are parts of, each of as many rounds as the longest. */
function runsOf(candidates: Params[]) {
  const runs = Map.groupBy(candidates.map(resolve), (params) => JSON.stringify({ ...params, nEstimators: 0 }));
  return [...runs.values()].map((members) => ({
    rounds: Math.max(...members.map(({ nEstimators }) => nEstimators)),
    params: members[0]!,
  }));
}
