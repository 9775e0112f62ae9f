/** Partial dependence (Friedman 2001): the mean answer over some rows, were a raw column the same value in all of them. */
import type { Answered } from '../answers/answers.ts';
import type { RawRows } from '../serving/rows.ts';
import { withColumn } from './importance.ts';

export interface Dependence {
  column: string;
  /** Numbers ascending, or the most frequent categories; null is missing. */
  grid: (number | string | null)[];
  /** For each of the grid: the mean value; or the mean probability of the second of two classes, or of each class. */
  answers: number[] | number[][];
}

/** Of a grid. */
export const mostPoints = 11;
const mostClasses = 10;

/** @param run answers rows, as the graph does */
export function partialDependence(run: (rows: RawRows) => Answered, column: string, at: number, rows: RawRows): Dependence {
  const values = gridOf(rows.columns[at]!);
  const means = values.map((value) => {
    const own = rows.columns[at]!;
    const filled = Array.isArray(own) ? new Array<string>(rows.rows).fill(String(value)) : own.slice().fill(Number(value));
    return meanAnswer(run(withColumn(rows, at, filled)));
  });
  const grid = values.map((value) => (value === '' || Number.isNaN(value) ? null : value));
  return { column, grid, answers: means.some((mean) => mean.length > 1) ? means : means.map(([mean]) => mean!) };
}

/** Quantiles of the numbers, or the most frequent strings; a string of one row is nobody else's business. */
function gridOf(column: RawRows['columns'][number]): number[] | string[] {
  if (!Array.isArray(column)) {
    const sorted = column.filter((value) => Number.isFinite(value)).sort();
    if (sorted.length === 0) return [Number.NaN];
    const last = sorted.length - 1;
    return [...new Set(Array.from({ length: mostPoints }, (_, i) => sorted[Math.round((i / (mostPoints - 1)) * last)]!))];
  }
  const counts = new Map<string, number>();
  for (const value of column) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count > 1)
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .slice(0, mostPoints)
    .map(([value]) => value);
}

function meanAnswer(answered: Answered): number[] {
  if (answered.task === 'regression') return [round(answered.values.reduce((a, b) => a + b, 0) / answered.values.length)];
  const { classes, probabilities } = answered;
  const rows = probabilities.length / classes;
  const mean = (k: number) => {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += probabilities[row * classes + k]!;
    return round(sum / rows);
  };
  return classes === 2 ? [mean(1)] : Array.from({ length: Math.min(classes, mostClasses) }, (_, k) => mean(k));
}

function round(value: number): number {
  return Number(value.toPrecision(6));
}
