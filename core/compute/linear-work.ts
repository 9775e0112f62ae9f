/**
 * The work of linear models. How many iterations L-BFGS needs hardly differs between tables, and less penalty means more of them. Gradient descent goes on
 * as long as the loss falls, which differs by a factor of ten: its epochs are counted on a few rows beforehand (probe.ts). The limit of
 * iterations of L-BFGS is left out: it is seldom reached.
 */
import { resolve, type Solver } from '../models/linear/params.ts';
import type { Params } from '../models/model.ts';
import type { Estimator, Shape } from './work.ts';

/** A fit's seconds for a row of the sample, an output and a feature, at alpha 1; the power of alpha with which they fall; and how many times as many a row beyond takes. */
interface Fitted {
  seconds: number;
  alpha: number;
  beyond: number;
}

/** Of L-BFGS; fitted by least squares of logarithms to runs of bench/estimate, as all below. */
const fitted: Record<string, Fitted> = {
  'l2 squared': { seconds: 2.4e-9, alpha: 0.13, beyond: 12.2 },
  'l1 squared': { seconds: 5.92e-10, alpha: 0.39, beyond: 12.2 },
  'l2 logistic': { seconds: 6.21e-9, alpha: 0.14, beyond: 1.62 },
  'l1 logistic': { seconds: 7.3e-9, alpha: 0.09, beyond: 4.39 },
  'l2 softmax': { seconds: 6.85e-9, alpha: 0.13, beyond: 2.16 },
  'l1 softmax': { seconds: 1.08e-9, alpha: 0.62, beyond: 1.24 },
};
/** Classes of the runs that were measured, at most; with more, each takes more passes until all have settled, by that power. */
const settling = { classes: 6, power: 0.4 };
/** Of more rows, as many are a sample that curvature is measured on, and that is solved first (core/models/linear/newton.ts). */
const sampleRows = 8192;
/** What goes with a row (its exponential, say) is as much as so many features. */
const rowFeatures = 11.6;
/** A row of the sample, a pair of features, an output; a candidate; and a cell of the table, to make columns of it. */
const productSeconds = 2.23e-10;
const candidateSeconds = 1.12e-5;
const cellSeconds = 1.8e-9;
/** Squares with absolute values take steps on a parabola: for a pair of features, at alpha 1; what goes with the steps is as much as so many pairs. */
const parabola = { seconds: 6.63e-9, pairs: 200, alpha: 0.37 };
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
  const { seconds, beyond, ...falling } = fitted[`${isSparse ? 'l1' : 'l2'} ${loss}`]!;
  const sample = Math.min(rows, sampleRows);
  const passes = (sample + (rows - sample) * beyond) * (features + rowFeatures) * seconds * alpha ** -falling.alpha;
  // Curvature is measured on the sample, and again where there are more rows; with absolute values only its diagonal is.
  const times = loss === 'squared' ? 1 : isSparse ? 0 : rows > sampleRows ? 2 : 1;
  const products = times * sample * features ** 2 * productSeconds;
  const steps = loss === 'squared' && isSparse ? (features ** 2 + parabola.pairs) * alpha ** -parabola.alpha * parabola.seconds : 0;
  const settled = Math.max(1, outputsOf(shape) / settling.classes) ** settling.power;
  return outputsOf(shape) * (passes * settled + products) + steps;
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
