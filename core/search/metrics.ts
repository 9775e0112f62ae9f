/**
 * The scores of predictions, each equal to scikit-learn's function of that name (1.9), edge cases included.
 * A score that is not defined (ROC AUC where a class is absent, R² of one row) is NaN.
 */
import { IngotError } from '../errors.ts';
import type { Predictions, Target } from '../models/model.ts';
import type { MetricName } from '../spec.ts';

export type Scores = Partial<Record<MetricName, number>>;

type Task = Target['task'];

/** Which task a metric is for, and whether more or less of it is better. */
export const metrics: Record<MetricName, { task: Task; better: 'higher' | 'lower' }> = {
  accuracy: { task: 'classification', better: 'higher' },
  balancedAccuracy: { task: 'classification', better: 'higher' },
  precisionMacro: { task: 'classification', better: 'higher' },
  precisionWeighted: { task: 'classification', better: 'higher' },
  recallMacro: { task: 'classification', better: 'higher' },
  recallWeighted: { task: 'classification', better: 'higher' },
  f1Macro: { task: 'classification', better: 'higher' },
  f1Weighted: { task: 'classification', better: 'higher' },
  rocAuc: { task: 'classification', better: 'higher' },
  logLoss: { task: 'classification', better: 'lower' },
  mcc: { task: 'classification', better: 'higher' },
  r2: { task: 'regression', better: 'higher' },
  rmse: { task: 'regression', better: 'lower' },
  mae: { task: 'regression', better: 'lower' },
};

/**
 * The metric to select by. Where none is asked for, a grid's is the task's plainest; an automatic search, which mixes models, goes by the
 * answers' whole distribution.
 * @throws IngotError InvalidSpec where the metric asked for is not one of the task's
 */
export function metricFor(task: Task, asked: MetricName | undefined, search: 'auto' | 'grid' = 'grid'): MetricName {
  const metric = asked ?? (task === 'regression' ? 'r2' : search === 'auto' ? 'logLoss' : 'accuracy');
  if (metrics[metric].task === task) return metric;
  const fitting = Object.entries(metrics).filter(([, { task: of }]) => of === task);
  throw new IngotError('InvalidSpec', `The metric '${metric}' is not one for ${task}.`, {
    where: 'dataset.json, field metric',
    fix: `Use one of ${fitting.map(([name]) => name).join(', ')}, or set task to ${metrics[metric].task}.`,
  });
}

/**
 * All scores of the task that are defined. Both arguments have the same rows, at least one.
 * @param labels the classes that are answered; by default the likeliest ones
 */
export function score(truth: Target, predictions: Predictions, labels?: Int32Array): Scores {
  let scores: Scores;
  if (truth.task === 'classification' && predictions.task === 'classification') {
    const { classes, probabilities } = predictions;
    scores = {
      ...labelScores(confusionMatrix(truth.labels, labels ?? argmax(probabilities, classes), classes)),
      rocAuc: rocAuc(truth.labels, probabilities, classes),
      logLoss: logLoss(truth.labels, probabilities, classes),
    };
  } else if (truth.task === 'regression' && predictions.task === 'regression') {
    scores = regressionScores(truth.values, predictions.values);
  } else throw new TypeError('truth and predictions are of different tasks');
  return Object.fromEntries(Object.entries(scores).filter(([, value]) => Number.isFinite(value)));
}

/** One score alone, at the cost of that one; NaN where it is not defined. */
export function scoreBy(metric: MetricName, truth: Target, predictions: Predictions): number {
  if (truth.task === 'classification' && predictions.task === 'classification') {
    const { classes, probabilities } = predictions;
    if (metric === 'logLoss') return logLoss(truth.labels, probabilities, classes);
    if (metric === 'rocAuc') return rocAuc(truth.labels, probabilities, classes);
    const scores: Scores = labelScores(confusionMatrix(truth.labels, argmax(probabilities, classes), classes));
    return scores[metric] ?? Number.NaN;
  }
  return score(truth, predictions)[metric] ?? Number.NaN;
}

/** The class of the largest probability of each row, the first among equals, as ONNX ArgMax. */
export function argmax(probabilities: Float32Array, classes: number): Int32Array {
  return Int32Array.from({ length: probabilities.length / classes }, (_, row) => {
    let best = 0;
    for (let k = 1; k < classes; k++) if (probabilities[row * classes + k]! > probabilities[row * classes + best]!) best = k;
    return best;
  });
}

/** `matrix[truth][predicted]`: how many rows. */
export function confusionMatrix(truth: Int32Array, predicted: Int32Array, classes: number): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  truth.forEach((k, row) => {
    matrix[k]![predicted[row]!]! += 1;
  });
  return matrix;
}

/** What follows from the confusion matrix alone. Macro averages go over the classes that are among the true or the predicted labels. */
export function labelScores(matrix: number[][]) {
  const classes = matrix.map((row, k) => {
    const right = row[k]!;
    const actual = sum(row);
    const predicted = sum(matrix.map((other) => other[k]!));
    return {
      right,
      actual,
      predicted,
      precision: ratio(right, predicted),
      recall: ratio(right, actual),
      f1: ratio(2 * right, actual + predicted),
    };
  });
  const rows = sum(classes.map(({ actual }) => actual));
  const right = sum(classes.map((k) => k.right));
  const macro = (of: 'precision' | 'recall' | 'f1', among = classes.filter(({ actual, predicted }) => actual + predicted > 0)) =>
    sum(among.map((k) => k[of])) / among.length;
  const weighted = (of: 'precision' | 'recall' | 'f1') => sum(classes.map((k) => k[of] * k.actual)) / rows;
  // Gorodkin's multi-class form of Matthews' correlation: covariances of one-hot truth and prediction.
  const cross = right * rows - sum(classes.map(({ actual, predicted }) => actual * predicted));
  const spread = (rows ** 2 - sum(classes.map((k) => k.predicted ** 2))) * (rows ** 2 - sum(classes.map((k) => k.actual ** 2)));
  return {
    accuracy: right / rows,
    balancedAccuracy: macro(
      'recall',
      classes.filter(({ actual }) => actual > 0),
    ),
    precisionMacro: macro('precision'),
    precisionWeighted: weighted('precision'),
    recallMacro: macro('recall'),
    recallWeighted: weighted('recall'),
    f1Macro: macro('f1'),
    f1Weighted: weighted('f1'),
    mcc: spread === 0 ? 0 : cross / Math.sqrt(spread),
  };
}

/** Area under the ROC curve; for more than two classes the plain mean over "this class or another". NaN where a class is absent. */
export function rocAuc(truth: Int32Array, probabilities: Float32Array, classes: number): number {
  const column = (k: number) => Float32Array.from(truth, (_, row) => probabilities[row * classes + k]!);
  if (classes === 2) return binaryAuc(truth, 1, column(1));
  return sum(Array.from({ length: classes }, (_, k) => binaryAuc(truth, k, column(k)))) / classes;
}

/** The Mann-Whitney statistic by ranks; tied scores share their mean rank. */
function binaryAuc(truth: Int32Array, positive: number, scores: Float32Array): number {
  const sorted = scores.slice().sort();
  const positives = scores.filter((_, row) => truth[row] === positive).sort();
  const negatives = truth.length - positives.length;
  if (positives.length === 0 || negatives === 0) return Number.NaN;
  let ranks = 0;
  let start = 0;
  for (let i = 0; i < positives.length; ) {
    const value = positives[i]!;
    while (sorted[start]! < value) start++;
    let end = start;
    while (end < sorted.length && sorted[end] === value) end++;
    let tied = 0;
    while (i + tied < positives.length && positives[i + tied] === value) tied++;
    ranks += (tied * (start + 1 + end)) / 2;
    i += tied;
    start = end;
  }
  return (ranks - (positives.length * (positives.length + 1)) / 2) / (positives.length * negatives);
}

/** Probabilities are clipped by the machine epsilon of their type, float32. */
export function logLoss(truth: Int32Array, probabilities: Float32Array, classes: number): number {
  const epsilon = 2 ** -23;
  let total = 0;
  truth.forEach((k, row) => {
    total -= Math.log(Math.min(Math.max(probabilities[row * classes + k]!, epsilon), 1 - epsilon));
  });
  return total / truth.length;
}

export function regressionScores(truth: Float64Array, predicted: Float32Array): { r2: number; rmse: number; mae: number } {
  const rows = truth.length;
  const mean = sum(truth) / rows;
  let squares = 0;
  let absolutes = 0;
  let spread = 0;
  truth.forEach((value, row) => {
    const error = value - predicted[row]!;
    squares += error * error;
    absolutes += Math.abs(error);
    spread += (value - mean) ** 2;
  });
  const r2 = rows < 2 ? Number.NaN : spread > 0 ? 1 - squares / spread : squares === 0 ? 1 : 0;
  return { r2, rmse: Math.sqrt(squares / rows), mae: absolutes / rows };
}

const ratio = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);

function sum(values: readonly number[] | Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
