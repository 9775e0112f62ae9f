/** All that the held-out rows tell of a model: how good its answers are, how sure one can be of that, and what they depend on. */
import type { Answered } from '../answers/answers.ts';
import { takeTarget } from '../features/split.ts';
import type { Target } from '../models/model.ts';
import type { Scores } from '../search/metrics.ts';
import { confusionMatrix, score } from '../search/metrics.ts';
import type { RawRows } from '../serving/rows.ts';
import type { MetricName } from '../spec.ts';
import { bootstrapIntervals } from './bootstrap.ts';
import { type Coverage, coverageOf } from './coverage.ts';
import { type ClassCurves, classCurves, scatter } from './curves.ts';
import { type Dependence, mostPoints, partialDependence } from './dependence.ts';
import { type Importance, importanceLoss, permutationImportance } from './importance.ts';
import { drawRows, rowsOf, takeRaw } from './rows.ts';

export interface HeldOut {
  rows: number;
  scores: Scores;
  /** Bootstrap intervals of the scores at 95 %. */
  intervals?: Partial<Record<MetricName, [number, number]>>;
  /** Classification: `[actual][predicted]` counts in class order. */
  confusion?: number[][];
  /** Of the sets or intervals. */
  coverage?: Coverage;
  /** Classification. */
  curves?: ClassCurves[];
  /** Regression: [true, answered] of up to 200 rows. */
  scatter?: [number, number][];
  importance?: { loss: MetricName; rows: number; repeats: number; columns: Importance[] };
  /** Of the most important columns. */
  dependence?: Dependence[];
  /** What there was no time for, in sentences. */
  skipped?: string[];
}

/** Rows that are answered anew for importance and dependence: fewer of a large graph, which takes longer. */
const work = { bytes: 3e10, least: 2000, most: 100_000 };
const importanceRows = 1000;
const repeats = { least: 1, most: 5 };
const dependenceColumns = 8;
const dependenceRows = { least: 20, most: 100 };

/**
 * @param run answers rows, as the graph does
 * @param question.rows the test rows, `answered` what the graph answered to them, `truth` their target
 * @param question.graphBytes size of the graph
 * @param question.isOver whether the time is over: what is not done then is left out, and said to be
 */
export function evaluate(
  run: (rows: RawRows) => Answered,
  question: {
    rows: RawRows;
    answered: Answered;
    truth: Target;
    columns: readonly string[];
    classes: readonly string[];
    seed: number;
    graphBytes: number;
    isOver?: () => boolean;
  },
): HeldOut {
  const { rows, answered, truth, columns, classes, seed, isOver = () => false } = question;
  const skipped: string[] = [];
  const intervals = bootstrapIntervals(truth, answered, seed, isOver);
  if (!intervals) skipped.push('The scores have no intervals: the time was over.');
  const coverage = coverageOf(truth, answered, classes);
  const most = Math.max(work.least, Math.min(work.most, work.bytes / question.graphBytes));
  const times = Math.max(repeats.least, Math.min(repeats.most, Math.floor(most / (columns.length * Math.min(rows.rows, importanceRows)))));
  const some = drawRows(rows.rows, Math.max(20, Math.min(importanceRows, Math.floor(most / (columns.length * times)))), seed);
  const sample = takeRaw(rows, some);
  const importance = isOver()
    ? { repeats: 0, columns: [] }
    : permutationImportance(run, columns, sample, takeTarget(truth, some), { repeats: times, seed, isOver });
  const found = importance.columns;
  const fewRows = Math.max(dependenceRows.least, Math.min(dependenceRows.most, Math.floor(most / (dependenceColumns * mostPoints))));
  const few = takeRaw(rows, drawRows(rows.rows, fewRows, seed));
  const top = found.slice(0, dependenceColumns).filter(({ mean }) => mean > 0);
  const dependence = top.flatMap(({ column }) => (isOver() ? [] : [partialDependence(run, column, columns.indexOf(column), few)]));
  if (importance.repeats === 0) skipped.push('There is neither importance of columns nor what answers depend on: the time was over.');
  else if (dependence.length < top.length)
    skipped.push(`What answers depend on is shown of ${dependence.length} of ${top.length} columns: the time was over.`);
  return {
    rows: rowsOf(truth),
    scores: score(truth, answered, answered.task === 'classification' ? answered.labels : undefined),
    ...(intervals && { intervals }),
    ...(coverage && { coverage }),
    ...(truth.task === 'classification' &&
      answered.task === 'classification' && {
        confusion: confusionMatrix(truth.labels, answered.labels, answered.classes),
        curves: classCurves(truth.labels, answered.probabilities, classes),
      }),
    ...(truth.task === 'regression' && answered.task === 'regression' && { scatter: scatter(truth, answered, seed) }),
    ...(importance.repeats > 0 && { importance: { loss: importanceLoss[truth.task], rows: some.length, ...importance }, dependence }),
    ...(skipped.length > 0 && { skipped }),
  };
}
