/**
 * The work of support vector machines. With the rbf every pair of rows has a kernel, made once for all C, and the steps grow with the
 * rows too: the square of the rows is what counts, up to the limit at which they are sampled. A line is a few passes over all rows.
 */
import type { Params } from '../models/model.ts';
import { resolve } from '../models/svm/params.ts';
import type { Estimator, Shape } from './work.ts';

/** Seconds, fitted to runs of bench/estimate. */
const seconds = {
  /** A kernel of two rows, and what a column adds. */
  kernel: 6e-9,
  kernelColumn: 7e-10,
  /** A pair of rows, of one C: the steps, and those of the calibration. */
  steps: 2e-8,
  /** A kernel of a row to predict with a support vector. */
  predict: 3e-8,
  /** A row, a column, a line. */
  line: 6e-8,
  candidate: 5e-4,
};
/** The steps grow with C. */
const stepsPower = 0.3;
/** Of the rows, how many are support vectors, about. */
const vectorShare = 0.5;
/** What goes with a row is as much as so many columns. */
const rowColumns = 10;
const cacheBytes = 2 ** 28;

export const svmWork: Estimator = {
  spread: { low: 0.2, high: 5 },

  coreSeconds(shape, candidates, validRows) {
    const kernels = new Map<string, number>();
    const own = candidates.reduce((total, params) => {
      const { kernel, C, gamma, epsilon, balanced, maxRows } = resolve(params);
      if (kernel === 'linear')
        return total + seconds.candidate * pairsOf(shape) + shape.rows * rivals(shape) * (shape.features + rowColumns) * seconds.line;
      const rows = Math.min(shape.rows, maxRows);
      kernels.set(
        [gamma, epsilon, balanced, maxRows].join(),
        rows * (rows + validRows * vectorShare) * (seconds.kernel + shape.features * seconds.kernelColumn),
      );
      // Machines of pairs have the fewer rows the more there are of them.
      const steps = rows * rows * seconds.steps * Math.max(1, C) ** stepsPower * (shape.classes === 0 ? 4 : 1);
      return (
        total +
        seconds.candidate * pairsOf(shape) +
        steps +
        validRows * rows * vectorShare * rivals(shape) * 2e-9 +
        validRows * rows * vectorShare * seconds.predict
      );
    }, 0);
    return [...kernels.values()].reduce((a, b) => a + b, own);
  },

  memory(shape, candidates, validRows) {
    const rows = Math.max(...candidates.map((params) => rowsOf(shape, params)));
    const kept = 2 * Math.min(cacheBytes, 4 * rows * Math.max(rows, validRows));
    return (shape.rows + validRows) * (shape.features * 12 + 16 + 8 * Math.max(1, shape.classes)) + kept + rows * shape.features * 8;
  },

  modelSize(shape, params) {
    if (resolve(params).kernel === 'linear') return shape.features * pairsOf(shape);
    return rowsOf(shape, params) * vectorShare * (shape.features + 2 * rivals(shape));
  },
};

/** Classes that a class is told from. */
const rivals = ({ classes }: Shape) => Math.max(1, classes - 1);
const pairsOf = ({ classes }: Shape) => Math.max(1, (classes * (classes - 1)) / 2);

function rowsOf(shape: Shape, params: Params): number {
  const { kernel, maxRows } = resolve(params);
  return kernel === 'linear' ? 0 : Math.min(shape.rows, maxRows);
}
