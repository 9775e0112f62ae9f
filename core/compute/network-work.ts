/**
 * The work of networks: the products of their matrices, thrice a row and epoch (there, and back for units and weights), and a step for each batch.
 * Each column is taken for one of many values, though one of two (a category's) makes one input, not one for each range. Candidates that differ
 * only in the number of epochs are one run (core/models/network).
 */
import { mostInputs, quantileRows } from '../models/network/encoding.ts';
import { batches, leastBatch, mostBatch, type NetworkParams, resolve } from '../models/network/params.ts';
import type { Estimator, Shape } from './estimator.ts';
import { besideTable } from './memory.ts';

/** Seconds, fitted to runs of bench/estimate by least squares of logarithms. */
const seconds = {
  /** A row and a weight, there and back. */
  product: 1.2e-10,
  /** A row: its class, its place in the batch. */
  row: 3.2e-7,
  /** A step and a weight: Adam's. */
  weight: 2.1e-9,
  /** A row and a weight, of rows that are answered. */
  answer: 8.4e-10,
  /** A value that is looked at for the quantiles. */
  value: 1.35e-7,
  run: 1.3e-3,
};
/** Epochs after which other rows are mostly predicted best, of a table of so many rows; with more rows, fewer are enough. */
const stopping = { epochs: 25, rows: 2000, growth: 0.25 };

export const networkWork: Estimator = {
  steps: 'epochs',
  usesAllCores: false,
  spread: { low: 0.3, high: 1.6 },
  earlySteps(params, { rows }) {
    const { epochs, nIterNoChange } = resolve(params);
    return Math.min(epochs, Math.ceil(stopping.epochs * (stopping.rows / Math.max(1, rows)) ** stopping.growth) + nIterNoChange);
  },

  coreSeconds(shape, candidates, validRows) {
    const runs = Map.groupBy(candidates.map(resolve), (params) => JSON.stringify({ ...params, epochs: 0 }));
    return [...runs.values()].reduce((total, members) => {
      const params = members[0]!;
      const epochs = Math.max(...members.map((member) => member.epochs));
      const weights = weightsOf(shape, params);
      const steps = stepsOf(shape, params);
      const epoch = shape.rows * (weights * seconds.product + seconds.row) + steps * weights * seconds.weight;
      const values = Math.min(shape.rows, quantileRows) * shape.features;
      const answers = members.length * validRows * weights;
      return total + seconds.run + values * seconds.value + epochs * epoch + answers * seconds.answer;
    }, 0);
  },

  // The table row by row, and of each its truth and places; the rows to predict by column too; the weights with their gradients and moments; and a batch of activations.
  memory(shape, candidates, validRows) {
    const most = Math.max(...candidates.map((params) => weightsOf(shape, resolve(params)) * 40 + unitsOf(shape, resolve(params)) * 4096));
    const rows = shape.rows + validRows;
    return besideTable(shape, rows * shape.features * 4) + rows * 48 + validRows * shape.features * 8 + most;
  },

  modelSize: (shape, params) => weightsOf(shape, resolve(params)),
};

/** About batchRows of them, though never fewer of more rows. */
function stepsOf({ rows }: Shape, { batchSize }: NetworkParams): number {
  return batchSize === null ? Math.max(Math.min(rows / leastBatch, batches), rows / mostBatch) : rows / batchSize;
}

const inputsOf = ({ features }: Shape, { bins }: NetworkParams) => features + (bins > 1 ? Math.min(features * bins, mostInputs) : 0);

function weightsOf(shape: Shape, params: NetworkParams): number {
  const { width, depth } = params;
  return inputsOf(shape, params) * width + (depth - 1) * width ** 2 + width * Math.max(8, shape.classes);
}

const unitsOf = (shape: Shape, params: NetworkParams) => inputsOf(shape, params) + params.width * params.depth + Math.max(8, shape.classes);
