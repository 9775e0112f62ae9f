/**
 * The work of networks: the products of its matrices, three times a row and epoch (there, and back for units and weights), and what goes with a unit.
 * Candidates that differ only in the number of epochs are one run (core/models/network).
 */
import { batchRows, type NetworkParams, resolve } from '../models/network/params.ts';
import type { Estimator, Shape } from './work.ts';

/** Seconds, fitted to runs of bench/estimate by least squares of logarithms. */
const seconds = {
  /** A row, a weight, there and back. */
  product: 6e-10,
  /** A row and a unit or input: its activation. */
  unit: 4e-9,
  /** A row: its class, its place in the batch. */
  row: 2e-7,
  /** A step and a weight: Adam's. */
  weight: 2e-9,
  /** A row and a weight, of rows that are answered. */
  answer: 4e-10,
  /** A value that is looked at for the quantiles. */
  value: 2e-7,
  run: 2e-3,
};
/** Epochs after which other rows are mostly predicted best, of a table of so many rows; with more rows, fewer are enough. */
const stopping = { epochs: 25, rows: 2000, growth: 0.25 };
const mostInputs = 1024;

export const networkWork: Estimator = {
  steps: 'epochs',
  spread: { low: 0.5, high: 2 },
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
      const row = weights * seconds.product + unitsOf(shape, params) * seconds.unit + seconds.row;
      const step = weights * seconds.weight;
      const steps = Math.ceil(shape.rows / batchRows(params, shape.rows));
      const answers = members.length * validRows * weights * seconds.answer;
      return (
        total +
        seconds.run +
        Math.min(shape.rows, 20_000) * shape.features * seconds.value +
        epochs * (shape.rows * row + steps * step) +
        answers
      );
    }, 0);
  },

  // The table row by row, beside the one by column; the weights with their gradients and moments; and a batch of activations.
  memory(shape, candidates, validRows) {
    const most = Math.max(...candidates.map((params) => weightsOf(shape, resolve(params)) * 40 + unitsOf(shape, resolve(params)) * 4096));
    return (shape.rows + validRows) * (shape.features * 12 + 16) + most;
  },

  modelSize: (shape, params) => weightsOf(shape, resolve(params)),
};

const inputsOf = ({ features }: Shape, { bins }: NetworkParams) =>
  features * (1 + (bins > 1 ? Math.min(bins, Math.floor(mostInputs / features)) : 0));

function weightsOf(shape: Shape, params: NetworkParams): number {
  const { width, depth } = params;
  return inputsOf(shape, params) * width + (depth - 1) * width ** 2 + width * Math.max(8, shape.classes);
}

const unitsOf = (shape: Shape, params: NetworkParams) => inputsOf(shape, params) + params.width * params.depth + Math.max(8, shape.classes);
