/**
 * The work of support vector machines. With the rbf every pair of rows has a kernel, made once for all C, and the steps grow with more than
 * the square of the rows, up to the limit at which they are sampled, and with C. How many there are is seen only when they are done, so
 * the interval is wide. A line is a few passes over all rows.
 */
import type { Params } from '../models/model.ts';
import { resolve } from '../models/svm/params.ts';
import type { Estimator, Shape } from './work.ts';

/** Seconds, fitted to runs of bench/estimate by least squares of logarithms. */
const seconds = {
  /** A kernel of two rows, and what a column adds. */
  kernel: 1.5e-9,
  kernelColumn: 2e-10,
  /** The steps of a machine for two classes, of 1,000 rows, at a C of 1, with those of its calibration. */
  steps: 4.4e-4,
  /** A kernel of a row to predict and a support vector, what a column adds, and a class. */
  predict: 2e-8,
  predictColumn: 7e-10,
  predictClass: 2e-9,
  /** A row, of a line: its columns, and their products. */
  line: 2e-8,
  product: 6e-10,
  /** A candidate, and each of its pairs of classes. */
  candidate: 1e-3,
  pair: 1.5e-4,
};
const powers = { rows: 2.3, classes: 0.8, C: 0.8 };
/** A regression has errors of two signs, and few of them are equal. */
const regressionFactor = 6;
/** Of the rows, how many are support vectors, about. */
const vectorShare = 0.5;
/** What goes with a row is as much as so many columns. */
const rowColumns = 10;
/** With fewer rows a column than this, a pair of classes is fitted thrice more on parts of them: as if twice more on all. */
const manyRows = 20;
const cacheBytes = 2 ** 28;

export const svmWork: Estimator = {
  spread: { low: 0.25, high: 4 },

  coreSeconds(shape, candidates, validRows) {
    const kernels = new Map<string, number>();
    const own = candidates.reduce((total, params) => {
      const { kernel, C, gamma, epsilon, balanced, maxRows } = resolve(params);
      const fixed = seconds.candidate + pairsOf(shape) * seconds.pair;
      if (kernel === 'linear') return total + fixed + lineSeconds(shape);
      const rows = rowsOf(shape, params);
      const vectors = rows * vectorShare;
      const kernelSeconds = rows * rows * (seconds.kernel + shape.features * seconds.kernelColumn);
      const validSeconds = validRows * vectors * (seconds.predict + shape.features * seconds.predictColumn);
      kernels.set([gamma, epsilon, balanced, maxRows].join(), kernelSeconds + validSeconds);
      const kind = shape.classes === 0 ? regressionFactor : rivalsOf(shape) ** powers.classes;
      const steps = seconds.steps * (rows / 1000) ** powers.rows * Math.max(1, C) ** powers.C * kind;
      return total + fixed + steps + validRows * vectors * rivalsOf(shape) * seconds.predictClass;
    }, 0);
    return [...kernels.values()].reduce((a, b) => a + b, own);
  },

  memory(shape, candidates, validRows) {
    const rows = Math.max(...candidates.map((params) => rowsOf(shape, params)));
    const kept = Math.min(cacheBytes, 4 * rows * rows) + Math.min(cacheBytes, 4 * rows * validRows);
    return (shape.rows + validRows) * (shape.features * 12 + 16 + 8 * Math.max(1, shape.classes)) + kept + rows * shape.features * 12;
  },

  modelSize(shape, params) {
    if (resolve(params).kernel === 'linear') return shape.features * pairsOf(shape);
    return rowsOf(shape, params) * vectorShare * (shape.features + 2 * rivalsOf(shape));
  },
};

function lineSeconds(shape: Shape): number {
  const { rows, features } = shape;
  const again = shape.classes === 0 ? 0 : 2 * Math.min(rows, (manyRows * features * shape.classes) / 2);
  const perRow = (features + rowColumns) * seconds.line + features * features * seconds.product;
  return (rows + again) * rivalsOf(shape) * perRow;
}

/** Classes that a class is told from. */
const rivalsOf = ({ classes }: Shape) => Math.max(1, classes - 1);
const pairsOf = ({ classes }: Shape) => Math.max(1, (classes * (classes - 1)) / 2);

/** That the rbf trains on; none of a line. */
function rowsOf(shape: Shape, params: Params): number {
  const { kernel, maxRows } = resolve(params);
  return kernel === 'linear' ? 0 : Math.min(shape.rows, maxRows);
}
