/** The project's datasets as features: the examples, and made ones that are hard in some way. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Matrix, Target } from '../../core/models/model.ts';
import { Random } from '../../core/random.ts';
import { makeSample, type Sample } from '../models/data.ts';

const examples = resolve(import.meta.dirname, '../../examples');

export function exampleData(): Record<string, Sample> {
  return {
    'breast-cancer': fromRows(csvRows(`${examples}/breast-cancer/breast-cancer.csv`), 'classification'),
    penguins: penguins(),
    'auto-mpg': fromRows(
      readFileSync(`${examples}/auto-mpg/auto-mpg.jsonl`, 'utf8')
        .trim()
        .split('\n')
        .map((line) => Object.values(JSON.parse(line) as Record<string, unknown>).map((value) => value ?? '')),
      'regression',
    ),
  };
}

/** Amounts: skewed, and the more uncertain the larger they are. */
export function amounts(rows: number, seed: number): Sample {
  const random = new Random(seed);
  const x = uniform(rows, 5, random);
  const at = (row: number, column: number) => x.data[column * rows + row]!;
  const values = Float64Array.from({ length: rows }, (_, row) =>
    Math.exp(2 * at(row, 0) + at(row, 1) + 0.3 * (random.uniform() + random.uniform() + random.uniform() - 1.5)),
  );
  return { x, y: { task: 'regression', values } };
}

/** Classes that overlap, of unequal shares: even the best model is often wrong. */
export function overlapping(rows: number, shares: readonly number[], seed: number): Sample {
  const random = new Random(seed);
  const ends = shares.map((_, k) => shares.slice(0, k + 1).reduce((a, b) => a + b, 0));
  const labels = Int32Array.from({ length: rows }, () => {
    const drawn = random.uniform();
    return Math.max(
      0,
      ends.findIndex((end) => end > drawn),
    );
  });
  const x = uniform(rows, 4, random);
  labels.forEach((label, row) => {
    x.data[(label % 4) * rows + row]! += 0.4 + 0.1 * label;
  });
  return { x, y: { task: 'classification', classes: shares.length, labels } };
}

export function madeData(rows: number, seed: number): Record<string, Sample> {
  return {
    'two classes': makeSample(rows, 6, 2, seed),
    'five classes': makeSample(rows, 6, 5, seed),
    'overlapping classes': overlapping(rows, [0.5, 0.3, 0.15, 0.05], seed),
    'one in ten': overlapping(rows, [0.9, 0.1], seed),
    'a smooth value': makeSample(rows, 6, 0, seed),
    amounts: amounts(rows, seed),
  };
}

function uniform(rows: number, columns: number, random: Random): Matrix {
  const data = Float32Array.from({ length: rows * columns }, () => random.uniform());
  return { rows, columns, names: Array.from({ length: columns }, (_, i) => `c${i}`), data };
}

function csvRows(path: string): string[][] {
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(','));
}

/** The columns that are numbers; the target is the last one. */
function fromRows(rows: unknown[][], task: Target['task']): Sample {
  const width = rows[0]!.length - 1;
  const numbers = Array.from({ length: width }, (_, column) => column).filter((column) =>
    rows.every((row) => row[column] === '' || Number.isFinite(Number(row[column]))),
  );
  const data = Float32Array.from(numbers.flatMap((column) => rows.map((row) => Number(row[column] === '' ? 0 : row[column]))));
  const x = { rows: rows.length, columns: numbers.length, names: numbers.map(String), data };
  const last = rows.map((row) => row.at(-1));
  if (task === 'regression') return { x, y: { task, values: Float64Array.from(last, Number) } };
  const classes = [...new Set(last)].sort();
  return { x, y: { task, classes: classes.length, labels: Int32Array.from(last, (value) => classes.indexOf(value)) } };
}

function penguins(): Sample {
  const [header, ...rows] = readFileSync(`${examples}/penguins/penguins.csv`, 'utf8').trim().split('\n');
  const species = header!.split(',').findIndex((name) => name.trim() === 'Species');
  const numbers = ['Culmen Length (mm)', 'Culmen Depth (mm)', 'Flipper Length (mm)', 'Body Mass (g)'];
  const places = numbers.map((name) => header!.split(',').indexOf(name));
  const cells = rows.map((row) => row.match(/("[^"]*"|[^,]*)(,|$)/g)!.map((cell) => cell.replace(/,$/, '')));
  return fromRows(
    cells.map((row) => [...places.map((place) => (Number.isFinite(Number(row[place])) ? row[place] : '')), row[species]]),
    'classification',
  );
}
