/**
 * The work of linear models. How many iterations L-BFGS needs hardly differs between tables, and less penalty means more of them. Gradient descent goes on
 * as long as the loss falls, which differs by a factor of ten: its epochs are counted on a few rows beforehand (probe.ts). The limit of
 * iterations of L-BFGS is left out: it is seldom reached.
 */
import { resolve, type Solver } from '../models/linear/params.ts';
import type { Params } from '../models/model.ts';
import type { Estimator, Shape } from './work.ts';

/** A fit's seconds for a row, an output and a feature, at alpha 1 and 3,000 rows, and the powers of alpha and rows with which they fall. */
interface Fitted {
  seconds: number;
  alpha: number;
  rows: number;
}

/** Of L-BFGS; fitted by least squares of logarithms to runs of bench/estimate, as all below. */
const fitted: Record<string, Fitted> = {
  'l2 squared': { seconds: 9.1e-10, alpha: 0.1, rows: -1.72 },
  'l1 squared': { seconds: 1.58e-9, alpha: 0.21, rows: -1.05 },
  'l2 logistic': { seconds: 8.98e-10, alpha: 0.39, rows: 0.16 },
  'l1 logistic': { seconds: 2.85e-9, alpha: 0.17, rows: -0.64 },
  'l2 softmax': { seconds: 5.16e-9, alpha: 0.16, rows: -0.12 },
  'l1 softmax': { seconds: 7.73e-10, alpha: 0.64, rows: 0.01 },
};
/** What goes with a row (its exponential, say) is as much as so many features. */
const rowFeatures = 15.9;
/** A row of the sample that curvature is measured on, a pair of features, an output; a candidate; and a cell of the table, to make columns of it. */
const productSeconds = 2.82e-10;
const candidateSeconds = 4.07e-5;
const cellSeconds = 7.09e-9;
const sampleRows = 8192;
/** A pair of features in the steps that squares with absolute values take, at alpha 1; they rise with its root. */
const parabolaSeconds = 6.07e-9;
/** Less than this is no penalty to speak of. */
const leastAlpha = 1e-6;

/**
 * Epochs: a factor, a power of those of the probe, and how they fall with rows; seconds of an epoch for a cell, for a batch's cell, and for a batch; and
 * the epochs of a probe of most tables.
 */
const descents = {
  gd: { factor: 1.67, power: 0.89, rows: 0.02, cell: 7.79e-10, row: 32.5, batchCell: 0, batch: 0, usual: 70 },
  sgd: { factor: 1.49, power: 0.86, rows: 0.06, cell: 1.44e-9, row: 13.1, batchCell: 8.4e-8, batch: 3.28e-6, usual: 18 },
  adam: { factor: 1.39, power: 0.92, rows: 0.15, cell: 2.89e-9, row: 11.8, batchCell: 2.7e-9, batch: 6.26e-7, usual: 25 },
};
/** Until the loss has not fallen for some epochs there are at least so many. */
const fewestEpochs = 5;
const usualRows = 1000;

/** What a probe's epochs are kept by. */
export const descentKey = ({ solver, penalty, alpha }: Params): string => [solver, penalty, alpha].join(' ');

export const linearWork: Estimator = {
  spread: { low: 0.45, high: 2.2 },
  coreSeconds: (shape, candidates) =>
    candidates.reduce((total, params) => total + candidateSeconds + fitSeconds(shape, params), shape.rows * shape.features * cellSeconds),
  // A design of the columns that are not constant, and what becomes of one of them.
  memory: ({ rows, features, classes }, _, validRows) => (rows + validRows) * (features * 8 + 16 + 8 * Math.max(1, classes)),
  modelSize: (shape) => shape.features * outputsOf(shape),
};

const outputsOf = ({ classes }: Shape) => (classes > 2 ? classes : 1);

function fitSeconds(shape: Shape, params: Params): number {
  const { solver, l1 } = resolve(params);
  const alpha = Math.max(leastAlpha, Number(params['alpha']));
  return solver === 'lbfgs' ? newtonSeconds(shape, alpha, l1 > 0) : descentSeconds(shape, params, solver);
}

function newtonSeconds(shape: Shape, alpha: number, isSparse: boolean): number {
  const { rows, features, classes } = shape;
  const loss = classes === 0 ? 'squared' : classes > 2 ? 'softmax' : 'logistic';
  const { seconds, ...powers } = fitted[`${isSparse ? 'l1' : 'l2'} ${loss}`]!;
  const passes = rows * (features + rowFeatures) * seconds * alpha ** -powers.alpha * (rows / 3000) ** -powers.rows;
  // Curvature is measured on the sample, and again where there are more rows; with absolute values only its diagonal is.
  const times = loss === 'squared' ? 1 : isSparse ? 0 : rows > sampleRows ? 2 : 1;
  const products = times * Math.min(rows, sampleRows) * features ** 2 * productSeconds;
  const parabola = loss === 'squared' && isSparse ? features ** 2 * alpha ** -0.5 * parabolaSeconds : 0;
  return outputsOf(shape) * (passes + products) + parabola;
}

function descentSeconds(shape: Shape, params: Params, solver: Exclude<Solver, 'lbfgs'>): number {
  const { rows, features } = shape;
  const { maxIter, batchSize } = resolve(params);
  const { factor, power, cell, row, batchCell, batch, usual, ...falling } = descents[solver];
  const { rows: probed, epochs } = shape.probe?.descent ?? { rows: usualRows, epochs: {} };
  const expected = factor * (epochs[descentKey(params)] ?? usual) ** power * (rows / Math.min(rows, probed)) ** -falling.rows;
  const outputs = outputsOf(shape);
  const batches = rows / batchSize;
  const epoch = rows * outputs * (features + row) * cell + batches * (outputs * (features + 1) * batchCell + batch);
  return Math.min(maxIter, Math.max(fewestEpochs, expected)) * epoch;
}
