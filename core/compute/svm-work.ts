/**
 * The work of support vector machines. With the rbf every pair of rows has a kernel, made once for all C; how many steps a machine takes is seen only
 * when they are done, so they are counted on a few rows beforehand (probe.ts), and grow from there with rows and C. A line is a few passes over all rows.
 */
import type { Params } from '../models/model.ts';
import { resolve } from '../models/svm/params.ts';
import type { Estimator, Shape } from './estimator.ts';
import type { Machines } from './hardness.ts';
import { besideTable, tableInMemory } from './memory.ts';

/** Seconds, fitted to runs of bench/estimate by least squares of logarithms. */
const seconds = {
  /** A kernel of two rows, for a column. */
  kernel: 3.7e-10,
  /** A kernel that a step goes over, in steps that go over as many as the probe's. */
  passed: 1.9e-9,
  /** A row to predict, a support vector, a column; and a class. */
  predict: 1.65e-9,
  predictClass: 2.7e-9,
  /** A row, of a line, and a column of it; and a product of two columns. */
  line: 3.45e-7,
  lineColumn: 7e-9,
  product: 1.9e-10,
  /** A fit of a line. */
  fit: 1.2e-5,
  /** A candidate of the rbf, and each of its pairs of classes. */
  candidate: 1.13e-3,
  pair: 3.1e-4,
};
/** What the steps grow with: rows; and C above 1 where the probe's own do not grow with it, and the more they do. */
const powers = { rows: 1.91, C: -0.81, steeper: 2.28 };
/** A machine for a larger C begins with that of a tenth of it (core/models/svm/train-rbf.ts). */
const pathStep = 10;
/** A table of middling hardness. Of more classes there are more machines, of fewer rows each. */
const usual = { rows: 300, passed: 140_000, passedTen: 500_000, vectors: 0.8 };
const classPower = 0.45;
/** With fewer rows a column than this, a pair of classes is fitted thrice more, on two thirds of them. */
const manyRows = 20;
/** What a row of a regression's line takes of a classification's, whose decisions become probabilities. */
const regressionShare = 0.32;
/** Rows that a line's curvature is measured on. */
const sampleRows = 8192;
const cacheBytes = 2 ** 28;

export const svmWork: Estimator = {
  usesAllCores: false,
  spread: { low: 0.45, high: 2.2 },

  coreSeconds(shape, candidates, validRows) {
    const resolved = candidates.map((params) => resolve(params));
    const lines = resolved.filter(({ kernel }) => kernel === 'linear').length * lineSeconds(shape);
    const groups = Map.groupBy(
      resolved.filter(({ kernel }) => kernel === 'rbf'),
      ({ gamma, epsilon, balanced, maxRows }) => [gamma, epsilon, balanced, maxRows].join(),
    );
    const { vectors: vectorShare } = probeOf(shape);
    return [...groups.values()].reduce((total, members) => {
      const rows = Math.min(shape.rows, members[0]!.maxRows);
      const kernels = rows * rows * shape.features * seconds.kernel;
      const steps = [...pathOf(members.map(({ C }) => C))].reduce((sum, C) => sum + stepSeconds(shape, rows, C), 0);
      const asked = validRows * rows * vectorShare;
      const predicting = asked * (shape.features * seconds.predict + members.length * rivalsOf(shape) * seconds.predictClass);
      return total + members.length * (seconds.candidate + pairsOf(shape) * seconds.pair) + kernels + steps + predicting;
    }, lines);
  },

  memory(shape, candidates, validRows) {
    const { features, classes } = shape;
    const rows = Math.max(...candidates.map((params) => rowsOf(shape, params)));
    const kept = Math.min(cacheBytes, 4 * rows * rows) + Math.min(cacheBytes, 4 * rows * validRows);
    // A line's design; of the rbf, its sample, and the rows to predict as points.
    const isLine = candidates.some((params) => resolve(params).kernel === 'linear');
    const line = (shape.rows + validRows) * features * 4;
    const machine = rows === 0 ? 0 : kept + rows * features * 12 + validRows * (features * 8 + 16);
    const largest = Math.max(isLine ? besideTable(shape, line) : 0, tableInMemory(shape) + machine);
    return largest + shape.rows * 48 + (shape.rows + validRows) * 8 * Math.max(1, classes);
  },

  modelSize(shape, params) {
    if (resolve(params).kernel === 'linear') return shape.features * pairsOf(shape);
    return rowsOf(shape, params) * probeOf(shape).vectors * (shape.features + 2 * rivalsOf(shape));
  },
};

function lineSeconds(shape: Shape): number {
  const { rows, features, classes } = shape;
  const pairs = pairsOf(shape);
  const own = classes === 0 ? rows : (2 * rows) / Math.max(2, classes);
  // Thrice as much, or not, on one side and on the other of a threshold: between them their mean, as an estimate does not fall with rows.
  const few = manyRows * features;
  const fits = pairs * (classes > 0 ? 2 : 1);
  const fitted = pairs * (classes === 0 ? own : Math.max(own, Math.min(3 * own, Math.sqrt(3) * few)));
  const products = Math.min(fitted, fits * sampleRows) * features * features * seconds.product;
  const share = classes === 0 ? regressionShare : 1;
  return fits * seconds.fit + share * fitted * (seconds.line + features * seconds.lineColumn) + products;
}

/** The C of the machines that are trained, each once. */
function pathOf(wanted: readonly number[]): Set<number> {
  const path = new Set<number>();
  for (let C of wanted) for (path.add(C); C > 1; path.add(C)) C /= pathStep;
  return path;
}

function stepSeconds(shape: Shape, rows: number, C: number): number {
  const { rows: probed, passed, passedTen } = probeOf(shape);
  const steeper = powers.C + powers.steeper * Math.log10(passedTen / passed);
  return seconds.passed * passed * (rows / probed) ** powers.rows * Math.max(1, C) ** steeper;
}

function probeOf(shape: Shape): Machines {
  if (shape.probe?.svm) return shape.probe.svm;
  const more = rivalsOf(shape) ** classPower;
  return { ...usual, passed: usual.passed * more, passedTen: usual.passedTen * more };
}

/** Classes that a class is told from. */
const rivalsOf = ({ classes }: Shape) => Math.max(1, classes - 1);
const pairsOf = ({ classes }: Shape) => Math.max(1, (classes * (classes - 1)) / 2);

/** That the rbf trains on; none of a line. */
function rowsOf(shape: Shape, params: Params): number {
  const { kernel, maxRows } = resolve(params);
  return kernel === 'linear' ? 0 : Math.min(shape.rows, maxRows);
}
