/** Made data for the models' tests: seeded, with ties, a constant column and a column of noise. */
import { LazyMatrix } from '../../core/models/lazy-matrix.ts';
import type { Matrix, Target } from '../../core/models/model.ts';
import { Random } from '../../core/random.ts';

export interface Sample {
  x: Matrix;
  y: Target;
}

/** @param classes of a classification; 0 makes a regression */
export function makeSample(rows: number, columns: number, classes: number, seed: number): Sample {
  const random = new Random(seed);
  const data = new Float32Array(rows * columns);
  for (let column = 0; column < columns; column++)
    for (let row = 0; row < rows; row++) {
      const value = random.uniform() + random.uniform() + random.uniform() - 1.5;
      // Every third column has few distinct values; the last is constant.
      data[column * rows + row] = column === columns - 1 && columns > 1 ? 7 : column % 3 === 2 ? Math.round(value * 2) : value;
    }
  const x = { rows, columns, names: Array.from({ length: columns }, (_, i) => `c${i}`), data };
  const signal = Float64Array.from({ length: rows }, (_, row) => {
    const at = (column: number) => data[(column % columns) * rows + row]!;
    return at(0) - at(1) + at(0) * at(2) + 0.2 * (random.uniform() - 0.5);
  });
  if (classes === 0) return { x, y: { task: 'regression', values: signal.map((value) => 100 + 10 * value) } };
  const sorted = signal.slice().sort();
  const edges = Array.from({ length: classes - 1 }, (_, k) => sorted[Math.floor(((k + 1) * rows) / classes)]!);
  const labels = Int32Array.from(signal, (value) => edges.filter((edge) => value >= edge).length);
  return { x, y: { task: 'classification', classes, labels } };
}

export function pickRows({ x, y }: Sample, rows: Int32Array): Sample {
  const data = new Float32Array(rows.length * x.columns);
  for (let column = 0; column < x.columns; column++)
    rows.forEach((row, i) => {
      data[column * rows.length + i] = x.data[column * x.rows + row]!;
    });
  return {
    x: { ...x, rows: rows.length, data },
    y:
      y.task === 'classification'
        ? { ...y, labels: rows.map((row) => y.labels[row]!) }
        : { ...y, values: Float64Array.from(rows, (row) => y.values[row]!) },
  };
}

/** The same, read column by column as from a file. */
export const lazy = ({ rows, names, data, traits }: Matrix): LazyMatrix =>
  new LazyMatrix({ rows, names, ...(traits && { traits }) }, (feature) => data.slice(feature * rows, (feature + 1) * rows));

/** The numbers of a prediction, whatever the task. */
export function numbersOf(predictions: { probabilities: Float32Array } | { values: Float32Array }): Float32Array {
  return 'probabilities' in predictions ? predictions.probabilities : predictions.values;
}
