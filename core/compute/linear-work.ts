/**
 * The work of linear models. A squared loss takes one look at the rows for all candidates. Others take passes, whose number hardly differs between tables
 * of one sort of loss, and grows as the penalty falls. Gradient descent goes on as long as the loss falls, which differs by a factor of ten: its epochs are
 * counted on some rows beforehand (probe.ts). Seconds are fitted to runs of bench/estimate by least squares of logarithms, passes and epochs counted.
 */
import { resolve, type Solver } from '../models/linear/params.ts';
import type { Params } from '../models/model.ts';
import type { Estimator, Shape } from './estimator.ts';
import { besideTable } from './memory.ts';

/** A pass's seconds for a cell and an output, and for a row and an output. */
interface Pass {
  cell: number;
  row: number;
}

const squared: Pass = { cell: 1.17e-9, row: 5.5e-9 };
const logistic: Pass = { cell: 9.4e-10, row: 2.6e-8 };
const softmax: Pass = { cell: 7.8e-10, row: 1.51e-8 };
/** Passes over the rows, or over the sample of more, at an alpha of 1, 0.1, 0.01 …; with three classes, and the power of their number by which they grow. */
const passes = {
  l2: {
    squared: { counts: [9, 14, 18, 20, 20], classes: 0 },
    logistic: { counts: [2.7, 4, 6, 7.5, 7.7], classes: 0 },
    softmax: { counts: [5.4, 8.5, 10, 11.3, 9.6], classes: 0.5 },
  },
  l1: {
    squared: { counts: [1, 7, 14, 20, 25], classes: 0 },
    logistic: { counts: [1, 2.9, 7.2, 7.9, 8], classes: 0 },
    softmax: { counts: [1, 5, 27, 86, 350], classes: -0.7 },
  },
};
/** The classes that the power was seen up to; with more, each takes more passes until all have settled, by the other. */
const mostClasses = 8;
const settling = 0.4;
/** On a sample it suffices to come near, which takes so many passes at most; all rows then take some, a share of those, and what was left of the passes. */
const beyond = { near: 60, some: 3, share: 0.25 };
/** Of more rows, as many are a sample that curvature is measured on, and that is solved first (core/models/linear/newton.ts). */
const sampleRows = 8192;
/** Up to as many columns have their products made. Of more there are none, but passes take longer; they count all the same, as an estimate does not fall. */
const productColumns = 256;
/** A row and a pair of columns; three columns, to solve with them; a fit or a search; a candidate; and a cell, to look at it and to predict it. */
const productSeconds = 3.3e-11;
const cubeSeconds = { squared: 4.6e-10, logistic: 9e-10, softmax: 2.6e-9 };
const anySeconds = 3e-5;
const candidateSeconds = 2e-5;
const cellSeconds = 2.8e-9;
/** Less than this is no penalty to speak of. */
const leastAlpha = 1e-5;

/**
 * Of the epochs, where there are more rows than were probed: a factor, and powers of the probe's epochs, of how many times the rows, and of features; the
 * epochs of most tables. Passes of an epoch, the seconds of a batch beside them, and those for a cell to find how long steps may be.
 */
const descents = {
  gd: { factor: 0.46, power: 1.15, rows: 0, features: 0, usual: 65, passes: 1, batch: 0, curvature: 5.1e-8 },
  sgd: { factor: 3.7, power: 0.48, rows: -0.04, features: 0, usual: 16, passes: 2, batch: 6.1e-7, curvature: 5.1e-8 },
  adam: { factor: 1.03, power: 0.84, rows: -0.09, features: 0.2, usual: 24, passes: 2, batch: 2.7e-7, curvature: 0 },
};
/** To gather a batch: a row, and a cell of it; and to step, a coefficient. */
const gathering: Pass = { row: 3.6e-9, cell: 7.2e-10 };
const stepSeconds = 9.6e-9;
/** Until the loss has not fallen for some epochs there are at least so many. */
const fewestEpochs = 5;

/** What a probe's epochs are kept by. */
export const descentKey = ({ solver, penalty, alpha }: Params): string => [solver, penalty, alpha].join(' ');

export const linearWork: Estimator = {
  usesAllCores: false,
  spread: { low: 0.45, high: 2.2 },
  coreSeconds: (shape, candidates, validRows) => {
    const { rows, features } = shape;
    const cells = rows * features + candidates.length * validRows * features * outputsOf(shape);
    const isOnce = shape.classes === 0 && candidates.some((params) => resolve(params).solver === 'lbfgs');
    const once = anySeconds + cells * cellSeconds + (isOnce ? productsSeconds(rows, features) : 0);
    return candidates.reduce((total, params) => total + candidateSeconds + fitSeconds(shape, params), once);
  },
  // A design of the columns, beside what the family sees where that is in memory; targets and places; the columns of the rows to predict.
  memory(shape, _, validRows) {
    const { rows, features } = shape;
    const scores = 8 * outputsOf(shape);
    return besideTable(shape, rows * features * 4) + rows * (12 + scores) + validRows * (features * 4 + scores);
  },
  modelSize: (shape) => shape.features * outputsOf(shape),
};

const outputsOf = ({ classes }: Shape) => (classes > 2 ? classes : 1);
const lossOf = ({ classes }: Shape) => (classes === 0 ? 'squared' : classes > 2 ? 'softmax' : 'logistic');
const productsSeconds = (rows: number, features: number) => rows * (Math.min(features, productColumns) + 2) ** 2 * productSeconds;
const solveSeconds = (shape: Shape) => (Math.min(shape.features, productColumns) + 1) ** 3 * cubeSeconds[lossOf(shape)];

function fitSeconds(shape: Shape, params: Params): number {
  const { solver, l1 } = resolve(params);
  if (solver !== 'lbfgs') return descentSeconds(shape, params, solver);
  if (shape.classes === 0 && shape.features <= productColumns) return solveSeconds(shape);
  return newtonSeconds(shape, Math.max(leastAlpha, Number(params['alpha'])), l1 > 0 ? 'l1' : 'l2');
}

function newtonSeconds(shape: Shape, alpha: number, penalty: 'l1' | 'l2'): number {
  const { rows, features, classes } = shape;
  const loss = lossOf(shape);
  const { counts, classes: power } = passes[penalty][loss];
  const grown = (Math.min(mostClasses, Math.max(3, classes)) / 3) ** power * Math.max(1, classes / mostClasses) ** settling;
  const count = between(counts, Math.max(0, -Math.log10(alpha))) * grown;
  const sample = Math.min(rows, sampleRows);
  const near = Math.min(count, beyond.near);
  const passed = rows <= sample ? rows * count : sample * near + rows * (beyond.some + beyond.share * near + count - near);
  // Curvature is measured on the sample, and again where there are more rows; with absolute values only its diagonal is.
  const times = loss === 'squared' ? 1 : penalty === 'l1' ? 0 : rows > sample ? 2 : 1;
  const curvature = times * ((loss === 'squared' ? 0 : productsSeconds(sample, features)) + solveSeconds(shape));
  return passed * passSeconds(shape) + outputsOf(shape) * curvature;
}

/** Of a row, with all outputs. */
function passSeconds(shape: Shape): number {
  const { cell, row } = { squared, logistic, softmax }[lossOf(shape)];
  return outputsOf(shape) * (shape.features * cell + row);
}

/** Of numbers at 0, 1, 2 …, that at a place among them, evenly in their logarithms; beyond the last as it grew before. */
function between(counts: readonly number[], place: number): number {
  const at = Math.min(counts.length - 2, Math.floor(place));
  const [from, to] = [counts[at]!, counts[at + 1]!];
  return from * (to / from) ** (place - at);
}

function descentSeconds(shape: Shape, params: Params, solver: Exclude<Solver, 'lbfgs'>): number {
  const { rows, features } = shape;
  const { maxIter, batchSize } = resolve(params);
  const { factor, power, usual, batch, curvature, ...own } = descents[solver];
  const expected = () => {
    const { rows: probed = rows, epochs } = shape.probe?.descent ?? {};
    const counted = epochs?.[descentKey(params)];
    if (counted === undefined) return usual;
    return rows <= probed ? counted : factor * counted ** power * (rows / probed) ** own.rows * features ** own.features;
  };
  const batches = solver === 'gd' ? 0 : rows / batchSize;
  const gathered = solver === 'gd' ? 0 : rows * (gathering.row + features * gathering.cell);
  const epoch = own.passes * rows * passSeconds(shape) + gathered + batches * (outputsOf(shape) * (features + 1) * stepSeconds + batch);
  return Math.min(maxIter, Math.max(fewestEpochs, expected())) * epoch + rows * features * curvature;
}
