import { expect, test } from 'vitest';
import type { Matrix } from '../../core/models/model.ts';
import { Random } from '../../core/random.ts';
import { findSuspiciousLabels, mostRows, rowsToDoubt } from '../../core/search/suspicious-labels.ts';

/** Three clouds of points, a class each; every 25th row bears the label of the next cloud. */
function clouds(rows: number) {
  const random = new Random(5);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
  const truth = Int32Array.from({ length: rows }, () => random.below(3));
  const data = Float32Array.from({ length: 2 * rows }, (_, i) => [0, 6, 12][truth[i % rows]!]! + normal());
  const x: Matrix = { rows, columns: 2, names: ['a', 'b'], data };
  const wrong = Array.from({ length: Math.floor(rows / 25) }, (_, i) => i * 25);
  const labels = truth.map((label, row) => (row % 25 === 0 ? (label + 1) % 3 : label));
  return { x, y: { task: 'classification' as const, classes: 3, labels }, truth, wrong };
}

test('rows with another class’s label are listed, with the class they look like', async () => {
  const { x, y, truth, wrong } = clouds(500);
  const rows = Int32Array.from({ length: 500 }, (_, row) => row + 1000);
  const { labels, of } = await findSuspiciousLabels(x, y, rows, { seed: 0, workers: 1 });
  expect(of).toBe(500);
  expect(labels.map(({ row }) => row - 1000).sort((a, b) => a - b)).toEqual(wrong);
  for (const { row, given, suggested, confidence } of labels) {
    expect([given, suggested]).toEqual([y.labels[row - 1000], truth[row - 1000]]);
    expect(confidence).toBeGreaterThan(0.5);
  }
});

test('the list is the same whatever the workers', async () => {
  const { x, y } = clouds(400);
  const rows = Int32Array.from({ length: 400 }, (_, row) => row);
  expect(await findSuspiciousLabels(x, y, rows, { seed: 1, workers: 2 })).toEqual(
    await findSuspiciousLabels(x, y, rows, { seed: 1, workers: 1 }),
  );
});

test('of a long table, rows are drawn by seed', () => {
  expect([...rowsToDoubt(60, 4, 0)]).toEqual(Array.from({ length: 60 }, (_, row) => row));
  expect(rowsToDoubt(5, 4, 0)).toHaveLength(0);
  expect(rowsToDoubt(100_000, 1000, 3)).toHaveLength(3000);
  const drawn = rowsToDoubt(100_000, 4, 3);
  expect(new Set(drawn).size).toBe(mostRows);
  expect(drawn).toEqual(rowsToDoubt(100_000, 4, 3));
});

test.each([
  ['nothing tells the label', 0, 2, 0],
  ['nothing tells any of ten labels', 0, 10, 0],
  ['the label is only likely', 2, 2, 0.05],
])('a noisy target is not full of wrong labels: %s', async (_, slope, classes, most) => {
  const random = new Random(3);
  const rows = 2000;
  const data = Float32Array.from({ length: 2 * rows }, () => 4 * random.uniform() - 2);
  const labels = Int32Array.from({ length: rows }, (_, row) =>
    classes > 2 ? random.below(classes) : Number(random.uniform() < 1 / (1 + Math.exp(-slope * (data[row]! + data[rows + row]!)))),
  );
  const x: Matrix = { rows, columns: 2, names: ['a', 'b'], data };
  const { labels: listed } = await findSuspiciousLabels(x, { task: 'classification', classes, labels }, Int32Array.from(labels.keys()), {
    seed: 0,
    workers: 1,
  });
  expect(listed.length).toBeLessThanOrEqual(most * rows);
});
