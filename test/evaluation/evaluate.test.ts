import { describe, expect, test } from 'vitest';
import type { Answered } from '../../core/answers/answers.ts';
import { bootstrapIntervals } from '../../core/evaluation/bootstrap.ts';
import { coverageOf } from '../../core/evaluation/coverage.ts';
import { classCurves } from '../../core/evaluation/curves.ts';
import { partialDependence } from '../../core/evaluation/dependence.ts';
import { evaluate } from '../../core/evaluation/evaluate.ts';
import { permutationImportance } from '../../core/evaluation/importance.ts';
import { sampledContributions } from '../../core/explain/sampled-shap.ts';
import type { Target } from '../../core/models/model.ts';
import { Random } from '../../core/random.ts';
import { rocAuc } from '../../core/search/metrics.ts';
import type { RawRows } from '../../core/serving/rows.ts';

/** Rows of two numbers, `noise` and `size`, and a category; the model answers 3 × size + 10 where the colour is red, missing as 0. */
function rowsOf(rows: number, seed: number): RawRows {
  const random = new Random(seed);
  return {
    rows,
    columns: [
      Float32Array.from({ length: rows }, () => random.uniform()),
      Float32Array.from({ length: rows }, () => random.uniform()),
      Array.from({ length: rows }, () => ['red', 'blue', ''][random.below(3)]!),
    ],
  };
}
const columns = ['noise', 'size', 'colour'];
const values = ({ rows, columns: [, size, colour] }: RawRows) =>
  Float32Array.from({ length: rows }, (_, row) => 3 * (size as Float32Array)[row]! + (colour![row] === 'red' ? 10 : 0));
const run = (rows: RawRows): Answered => ({ task: 'regression', values: values(rows) });

/** Labels drawn by their probabilities. */
function drawn(rows: number, seed: number) {
  const random = new Random(seed);
  const probabilities = new Float32Array(rows * 2);
  const labels = Int32Array.from({ length: rows }, (_, row) => {
    const p = random.uniform();
    probabilities.set([1 - p, p], row * 2);
    return random.uniform() < p ? 1 : 0;
  });
  return { labels, probabilities };
}

describe('bootstrap intervals', () => {
  test('of 400 held-out samples, about 95 % hold the true accuracy', () => {
    // The likelier class is right with a probability of p or 1 - p, whichever is larger: three quarters on average.
    const held = Array.from({ length: 400 }, (_, seed) => {
      const { labels, probabilities } = drawn(200, seed + 1);
      const truth: Target = { task: 'classification', classes: 2, labels };
      const answered: Answered = {
        task: 'classification',
        classes: 2,
        probabilities,
        labels: Int32Array.from(labels, (_, row) => (probabilities[row * 2 + 1]! > 0.5 ? 1 : 0)),
      };
      const [low, high] = bootstrapIntervals(truth, answered, seed)!.accuracy!;
      return low <= 0.75 && high >= 0.75;
    });
    expect(held.filter(Boolean).length / held.length).toBeGreaterThan(0.91);
    expect(held.filter(Boolean).length / held.length).toBeLessThan(0.985);
  });

  test('of many rows are drawn on fewer and are as narrow as all rows make them', () => {
    const random = new Random(1);
    const truth = Float64Array.from({ length: 20_000 }, () => random.uniform());
    const answered: Answered = { task: 'regression', values: new Float32Array(20_000).fill(0.5) };
    const [low, high] = bootstrapIntervals({ task: 'regression', values: truth }, answered, 1)!.mae!;
    // Absolute errors are uniform on 0 to 1/2, of deviation 1/√48: the interval is 2 × 1.96 of it over √20,000.
    expect((high - low) / ((2 * 1.96) / Math.sqrt(48) / Math.sqrt(20_000))).toBeCloseTo(1, 0);
  });
});

describe('curves', () => {
  const { labels, probabilities } = drawn(3000, 1);
  const [curve] = classCurves(labels, probabilities, ['no', 'yes']);

  test('are of few points, and the area under the ROC is the AUC', () => {
    const { roc, precisionRecall } = curve!;
    expect(roc.length).toBeLessThanOrEqual(60);
    expect(precisionRecall.length).toBeLessThanOrEqual(60);
    let area = 0;
    for (let i = 1; i < roc.length; i++) area += ((roc[i]![1] + roc[i - 1]![1]) / 2) * (roc[i]![0] - roc[i - 1]![0]);
    expect(area).toBeCloseTo(rocAuc(labels, probabilities, 2), 2);
  });

  test('calibration: what is said is what happens', () => {
    for (const { predicted, observed } of curve!.calibration) expect(Math.abs(predicted - observed)).toBeLessThan(0.1);
    expect(curve!.calibration.map(({ predicted }) => predicted)).toEqual(curve!.calibration.map(({ predicted }) => predicted).sort());
  });

  test('of a hundred classes are those of the ten most frequent; a class that no row has is left out', () => {
    const names = Array.from({ length: 100 }, (_, k) => `class ${k}`);
    const many = Int32Array.from(names.flatMap((_, k) => new Array<number>(k + 1).fill(k)));
    const uniform = new Float32Array(many.length * 100).fill(0.01);
    expect(classCurves(many, uniform, names).map((each) => each.class)).toEqual(names.slice(90));
    expect(classCurves(new Int32Array(5), new Float32Array(10), ['a', 'b'])).toEqual([]);
  });
});

test('importance: the column that matters most first, none for noise, the same for the same seed', () => {
  const rows = rowsOf(500, 1);
  const truth: Target = { task: 'regression', values: Float64Array.from(values(rows)) };
  const { columns: found, repeats } = permutationImportance(run, columns, rows, truth, { repeats: 3, seed: 1 });
  expect(repeats).toBe(3);
  expect(found.map(({ column }) => column)).toEqual(['colour', 'size', 'noise']);
  expect(found[2]).toEqual({ column: 'noise', mean: 0, std: 0 });
  // Shuffling makes two independent draws of size: their difference has the deviation √(2/12), times 3.
  expect(found[1]!.mean).toBeCloseTo(3 * Math.sqrt(2 / 12), 1);
  expect(permutationImportance(run, columns, rows, truth, { repeats: 3, seed: 1 }).columns).toEqual(found);
});

test('what there is no time for is left out, and said to be; the scores are there all the same', () => {
  const rows = rowsOf(200, 1);
  const truth: Target = { task: 'regression', values: Float64Array.from(values(rows)) };
  const question = { rows, answered: run(rows), truth, columns, classes: [], seed: 1, graphBytes: 1000 };
  const whole = evaluate(run, question);
  expect(whole.skipped).toBeUndefined();
  const late = evaluate(run, { ...question, isOver: () => true });
  expect(late.scores).toEqual(whole.scores);
  expect([late.intervals, late.importance, late.dependence]).toEqual([undefined, undefined, undefined]);
  expect(late.skipped).toEqual([
    'The scores have no intervals: the time was over.',
    'There is neither importance of columns nor what answers depend on: the time was over.',
  ]);
  // One that ends during the second repeat keeps the first.
  let asked = 0;
  const importance = permutationImportance(run, columns, rows, truth, { repeats: 5, seed: 1, isOver: () => ++asked > columns.length + 1 });
  expect(importance.repeats).toBe(1);
  expect(importance.columns).toHaveLength(columns.length);
});

test('dependence: the answer along a column’s quantiles, by its categories, and where it is missing', () => {
  const rows = rowsOf(300, 2);
  const { grid, answers } = partialDependence(run, 'size', 1, rows);
  const red = rows.columns[2]!.filter((each) => each === 'red').length / 300;
  grid.forEach((size, i) => {
    expect(answers[i]).toBeCloseTo(3 * (size as number) + 10 * red, 3);
  });
  expect(new Set(partialDependence(run, 'colour', 2, rows).grid)).toEqual(new Set(['red', 'blue', null]));
});

test('sampled Shapley values of a sum are those of its terms, and they add up for any model', () => {
  const background = rowsOf(16, 3);
  const row = rowsOf(1, 4);
  const { contributions, base } = sampledContributions(row, background, values, 1);
  const mean = (of: (at: number) => number) => Array.from({ length: 16 }, (_, at) => of(at)).reduce((a, b) => a + b, 0) / 16;
  const size = (rows: RawRows, at: number) => 3 * (rows.columns[1] as Float32Array)[at]!;
  expect(base).toBeCloseTo(
    mean((at) => values(background)[at]!),
    5,
  );
  expect(contributions[0]).toBe(0);
  expect(contributions[1]).toBeCloseTo(size(row, 0) - mean((at) => size(background, at)), 5);
  const crossed = (rows: RawRows) => values(rows).map((value, at) => value * (rows.columns[0] as Float32Array)[at]!);
  const other = sampledContributions(row, background, crossed, 1);
  expect(other.contributions.reduce((a, b) => a + b, other.base)).toBeCloseTo(crossed(row)[0]!, 5);
});

test('sets are measured on all rows, and on those of each class that there is', () => {
  const set = Uint8Array.of(1, 0, 0, /**/ 1, 1, 0, /**/ 0, 0, 0, /**/ 1, 0, 0);
  const labels = Int32Array.of(0, 0, 0, 1);
  const answered = { task: 'classification', classes: 3, probabilities: new Float32Array(12), labels, set } as const;
  expect(coverageOf({ task: 'classification', classes: 3, labels }, answered, ['a', 'b', 'c'])).toEqual({
    ...{ measured: 0.5, size: 1, empty: 0.25, single: 0.5 },
    byClass: [
      { class: 'a', rows: 3, measured: 2 / 3 },
      { class: 'b', rows: 1, measured: 0 },
    ],
  });
});
