import { targetConstraint } from '../log-target.ts';
import type { Params } from '../model.ts';
import { type Constraints, integer } from '../params.ts';

const within = (value: Params[string], low: number, high: number) =>
  typeof value === 'number' && Number.isFinite(value) && value >= low && value <= high;

export const networkConstraints: Constraints = {
  epochs: {
    default: 40,
    allowed: 'an integer from 1 to 1000',
    accepts: (value) => integer(value, 1, 1000),
    meaning: 'How often all rows are gone through. A network of fewer epochs is one that training passes through on its way to more.',
  },
  depth: {
    default: 2,
    allowed: 'an integer from 1 to 8',
    accepts: (value) => integer(value, 1, 8),
    meaning: 'Hidden layers.',
  },
  width: {
    default: 128,
    allowed: 'a multiple of 8 from 8 to 1024',
    accepts: (value) => integer(value, 8, 1024) && Number(value) % 8 === 0,
    meaning: 'Units of a hidden layer.',
  },
  bins: {
    default: 8,
    allowed: 'an integer from 0 to 64',
    accepts: (value) => integer(value, 0, 64),
    meaning:
      'Into how many ranges, of as many rows each, a number is taken apart (piecewise linear encoding) beside being taken as it is; fewer where there are very many columns.',
  },
  learningRate: {
    default: 0.003,
    allowed: 'a number above 0 and up to 1',
    accepts: (value) => within(value, 0, 1) && value !== 0,
    meaning: "Adam's first step for a weight. It falls with the epochs.",
  },
  batchSize: {
    default: null,
    allowed: 'a multiple of 4 from 4 to 4096, or null',
    accepts: (value) => value === null || (integer(value, 4, 4096) && Number(value) % 4 === 0),
    meaning: 'Rows in a step; null is 32 to 256, by the number of rows.',
  },
  dropout: {
    default: 0.2,
    allowed: 'a number from 0 to 0.9',
    accepts: (value) => within(value, 0, 0.9),
    meaning: 'The share of hidden units that are left out of a step.',
  },
  weightDecay: {
    default: 1,
    allowed: 'a number from 0 to 10',
    accepts: (value) => within(value, 0, 10),
    meaning: 'Times the step, what a weight loses of itself in a step.',
  },
  normalisation: {
    default: 'batch',
    allowed: "'none' or 'batch'",
    accepts: (value) => value === 'none' || value === 'batch',
    meaning: "Batch brings each hidden unit to mean 0 and deviation 1 over a step's rows.",
  },
  labelSmoothing: {
    default: 0,
    allowed: 'a number from 0 to 0.5',
    accepts: (value) => within(value, 0, 0.5),
    meaning: 'What of a label is spread over all classes.',
  },
  classWeight: {
    default: null,
    allowed: "'balanced' or null",
    accepts: (value) => value === null || value === 'balanced',
    meaning: 'Balanced weighs the rows of each class so that all classes weigh the same.',
  },
  earlyStopping: {
    default: false,
    allowed: 'true or false',
    accepts: (value) => typeof value === 'boolean',
    meaning: 'Keeps the epoch that is best on rows that are held back, and stops when there has been no better one for nIterNoChange.',
  },
  nIterNoChange: {
    default: 10,
    allowed: 'an integer of at least 1',
    accepts: (value) => integer(value, 1, 2 ** 30),
    meaning: 'How many epochs early stopping waits for a better one.',
  },
  validationFraction: {
    default: 0.1,
    allowed: 'a number above 0 and below 1',
    accepts: (value) => within(value, 0, 1) && value !== 0 && value !== 1,
    meaning: 'The share of the rows that early stopping holds back.',
  },
  target: targetConstraint,
};

export interface NetworkParams {
  epochs: number;
  depth: number;
  width: number;
  bins: number;
  learningRate: number;
  batchSize: number | null;
  dropout: number;
  weightDecay: number;
  normalisation: 'none' | 'batch';
  labelSmoothing: number;
  classWeight: 'balanced' | null;
  earlyStopping: boolean;
  nIterNoChange: number;
  validationFraction: number;
}

/** Checked parameters, typed. */
export const resolve = (params: Params): NetworkParams => params as unknown as NetworkParams;

/** Fewer weights are cheaper to ask; of equals, fewer epochs to train. */
export function compareCost(a: Params, b: Params): number {
  const [one, other] = [resolve(a), resolve(b)];
  const size = ({ depth, width }: NetworkParams) => depth * width;
  return size(one) - size(other) || one.bins - other.bins || one.epochs - other.epochs;
}

/** Rows in a step at least and at most, and about how many steps make an epoch between. */
export const [leastBatch, mostBatch, batches] = [32, 256, 40] as const;

/** Rows in a step: enough steps in an epoch where there are few rows, large matrices where there are many. */
export function batchRows({ batchSize }: NetworkParams, rows: number): number {
  return batchSize ?? Math.max(leastBatch, Math.min(mostBatch, 2 ** Math.round(Math.log2(Math.max(1, rows) / batches))));
}
