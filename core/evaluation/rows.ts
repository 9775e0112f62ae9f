/** Some rows of answers and of tables. */
import type { Answered } from '../answers/answers.ts';
import type { Target } from '../models/model.ts';
import { Random } from '../random.ts';
import type { RawRows } from '../serving/rows.ts';

export function rowsOf(target: Target): number {
  return target.task === 'classification' ? target.labels.length : target.values.length;
}

/** Up to `most` row numbers, drawn by seed, ascending. */
export function drawRows(rows: number, most: number, seed: number): Int32Array {
  const all = Int32Array.from({ length: rows }, (_, row) => row);
  return rows <= most ? all : new Random(seed).shuffle(all).slice(0, most).sort();
}

export function takeAnswers(answered: Answered, rows: Int32Array): Answered {
  if (answered.task === 'regression') {
    const { values, interval } = answered;
    return { task: 'regression', values: take(values, rows, 1), ...(interval && { interval: take(interval, rows, 2) }) };
  }
  const { classes, probabilities, labels, set } = answered;
  return {
    task: 'classification',
    classes,
    probabilities: take(probabilities, rows, classes),
    labels: take(labels, rows, 1),
    ...(set && { set: take(set, rows, classes) }),
  };
}

function take<T extends Float32Array | Float64Array | Int32Array | Uint8Array>(from: T, rows: Int32Array, width: number): T {
  const into = new (from.constructor as new (length: number) => T)(rows.length * width);
  for (let i = 0; i < rows.length; i++) for (let k = 0; k < width; k++) into[i * width + k] = from[rows[i]! * width + k]!;
  return into;
}

export function takeRaw({ columns }: RawRows, rows: Int32Array): RawRows {
  return {
    rows: rows.length,
    columns: columns.map((column) => (Array.isArray(column) ? Array.from(rows, (row) => column[row]!) : take(column, rows, 1))),
  };
}
