/**
 * The work of linear models. How many iterations a solver needs is seen only when it runs: with less penalty mostly more. So it is
 * predicted less well than that of trees, and its interval is wider. The limit of iterations is left out: it is seldom reached.
 */
import { resolve } from '../models/linear/params.ts';
import type { Params } from '../models/model.ts';
import type { Estimator, Shape } from './work.ts';

/** A fit's seconds for a row, an output and a feature, at alpha 1 and 3,000 rows, and the powers of alpha and rows with which they fall. */
interface Fitted {
  seconds: number;
  alpha: number;
  rows: number;
}

/** Fitted by least squares of logarithms to runs of bench/estimate. */
const fitted: Record<string, Fitted> = {
  'l2 squared': { seconds: 3.57e-9, alpha: 0.09, rows: 0.13 },
  'l1 squared': { seconds: 1.11e-8, alpha: -0.03, rows: -0.46 },
  'l2 logistic': { seconds: 1.45e-8, alpha: 0.06, rows: -0.28 },
  'l1 logistic': { seconds: 9.03e-9, alpha: 0.04, rows: 0.04 },
  'l2 softmax': { seconds: 1.13e-8, alpha: 0.1, rows: -0.14 },
  'l1 softmax': { seconds: 5.29e-9, alpha: 0.43, rows: -0.02 },
  gd: { seconds: 5.56e-8, alpha: 0.16, rows: 0.01 },
  sgd: { seconds: 4.31e-8, alpha: 0.14, rows: 0.39 },
  adam: { seconds: 6.87e-8, alpha: 0.03, rows: 0.09 },
};
/** What goes with a row (its exponential, say) is as much as so many features. */
const rowFeatures = 9.9;
/** A row of the sample that curvature is measured on, a pair of features, an output; and a candidate. */
const productSeconds = 2.33e-10;
const candidateSeconds = 3.8e-5;
const sampleRows = 8192;
/** Less than this is no penalty to speak of. */
const leastAlpha = 1e-6;

export const linearWork: Estimator = {
  spread: { low: 0.35, high: 4 },
  coreSeconds: (shape, candidates) => candidates.reduce((total, params) => total + candidateSeconds + fitSeconds(shape, params), 0),
  // A design of the columns that are not constant, and what becomes of one of them.
  memory: ({ rows, features, classes }, _, validRows) => (rows + validRows) * (features * 8 + 16 + 8 * Math.max(1, classes)),
  modelSize: (shape) => shape.features * outputsOf(shape),
};

const outputsOf = ({ classes }: Shape) => (classes > 2 ? classes : 1);

function fitSeconds(shape: Shape, params: Params): number {
  const { rows, features, classes } = shape;
  const { solver, l1 } = resolve(params);
  const loss = classes === 0 ? 'squared' : classes > 2 ? 'softmax' : 'logistic';
  const { seconds, ...powers } = fitted[solver === 'lbfgs' ? `${l1 > 0 ? 'l1' : 'l2'} ${loss}` : solver]!;
  const alpha = Math.max(leastAlpha, Number(params['alpha']));
  const products = solver === 'lbfgs' ? Math.min(rows, sampleRows) * features ** 2 * productSeconds : 0;
  const passes = rows * (features + rowFeatures) * seconds * alpha ** -powers.alpha * (rows / 3000) ** -powers.rows;
  return outputsOf(shape) * (passes + products);
}
