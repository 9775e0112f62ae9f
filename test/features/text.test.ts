import { describe, expect, test } from 'vitest';
import { transform, transformTrain } from '../../core/features/tabular.ts';
import { wordsOf } from '../../core/features/text-tokens.ts';
import { rightSingularVectors } from '../../core/features/truncated-svd.ts';
import type { Target } from '../../core/models/model.ts';
import { Random } from '../../core/random.ts';
import { type Cells, fitCells, frameOf } from './tables.ts';

test('a word ends at signs and spaces, in any language', () => {
  expect(wordsOf('Don’t “stop” — now: 3.5kg, naïve/ÉTÉ (日本、東京)…')).toEqual([
    'Don',
    't',
    'stop',
    'now',
    '3',
    '5kg',
    'naïve',
    'ÉTÉ',
    '日本',
    '東京',
  ]);
});

test('singular vectors are those of the matrix: orthonormal, and as much of it as any', () => {
  const random = new Random(2);
  // Of rank four, and a little noise.
  const [left, right] = [200, 50].map((size) =>
    Array.from({ length: size }, () => Array.from({ length: 4 }, (_, k) => (random.uniform() - 0.5) * (4 - k))),
  );
  const dense = left!.map((a) => right!.map((b) => a.reduce((sum, value, k) => sum + value * b[k]!, 0) + (random.uniform() - 0.5) * 0.01));
  const x = {
    starts: Int32Array.from({ length: 201 }, (_, row) => row * 50),
    columns: Int32Array.from({ length: 200 * 50 }, (_, i) => i % 50),
    values: Float64Array.from(dense.flat()),
    width: 50,
  };
  const vectors = rightSingularVectors(x, 4, 1);
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0);
  for (const [i, a] of vectors.entries()) for (const [j, b] of vectors.entries()) expect(dot(a, b)).toBeCloseTo(i === j ? 1 : 0, 9);
  const energies = vectors.map((vector) => dense.reduce((sum, row) => sum + dot(row, vector) ** 2, 0));
  expect(energies).toEqual([...energies].sort((a, b) => b - a));
  const all = dense.reduce((sum, row) => sum + dot(row, row), 0);
  expect(energies.reduce((a, b) => a + b) / all).toBeGreaterThan(0.999);
  expect(rightSingularVectors(x, 4, 1)).toEqual(vectors);
});

test('texts that have no word in common teach nothing', () => {
  const cells = Array.from({ length: 30 }, (_, i) => String.fromCodePoint(0x4e00 + 3 * i, 0x4e01 + 3 * i, 0x4e02 + 3 * i));
  const labels = Int32Array.from(cells, (_, i) => i % 2);
  const learning = { target: { task: 'classification' as const, classes: 2, labels }, foldOf: labels };
  const columns: Cells[] = [
    { name: 't', type: 'text', cells },
    { name: 'n', type: 'number', cells: cells.map((_, i) => i) },
  ];
  expect(fitCells(columns, {}, learning).features).toEqual(['n']);
});

describe('texts', () => {
  const random = new Random(6);
  const good = ['great', 'lovely', 'fast'];
  const bad = ['broken', 'slow', 'awful'];
  const fill = Array.from({ length: 60 }, (_, i) => `thing${i}`);
  const labels = Int32Array.from({ length: 600 }, () => random.below(2));
  const pick = (from: readonly string[]) => from[random.below(from.length)]!;
  const cells = Array.from(labels, (label) =>
    [pick(fill), pick(label ? good : bad), pick(fill), pick(fill).toUpperCase(), pick(fill)].sort(() => random.uniform() - 0.5).join(' '),
  );
  const columns: Cells[] = [{ name: 't', type: 'text', cells: [...cells.slice(0, 599), null] }];
  const target: Target = { task: 'classification', classes: 2, labels };
  const learning = { target, foldOf: Int32Array.from(labels, (_, row) => row % 5) };
  const preprocess = fitCells(columns, {}, learning);
  const featuresOf = (texts: (string | null)[]) => {
    const { data, rows, names } = transform(preprocess, frameOf([{ name: 't', type: 'text', cells: texts }]));
    return Object.fromEntries(names.map((name, i) => [name, [...data.subarray(i * rows, (i + 1) * rows)]]));
  };

  test('become what the target is like where their words are, a few dozen directions, and whether they are missing', () => {
    expect(preprocess.features).toEqual([
      't: target yes',
      ...Array.from({ length: 24 }, (_, i) => `t: direction ${i + 1}`),
      't is missing',
    ]);
  });

  test('tell of the target in words of any case, between any signs; an empty or unknown one is none of either', () => {
    const { 't: target yes': told } = featuresOf(['GREAT, (lovely)!', 'so "Awful"', 'slow; broken', 'zzzz', '']);
    expect(told![0]).toBeGreaterThan(1);
    expect(told![1]).toBeLessThan(-1);
    expect(told![2]).toBeLessThan(-1);
    expect(Math.abs(told![3]!)).toBeLessThan(0.5);
    expect(featuresOf(['', 'N/A', 'na', 'great'])['t is missing']).toEqual([1, 1, 1, 0]);
  });

  test('are like those that share parts of words', () => {
    const features = featuresOf(['thing3 thing3', 'thing33x thing3', 'awful awful awful']);
    const distance = (a: number, b: number) =>
      Math.hypot(...Object.entries(features).flatMap(([name, values]) => (name.includes('direction') ? [values[a]! - values[b]!] : [])));
    expect(distance(0, 1)).toBeLessThan(distance(0, 2));
  });

  test('of train rows tell what the other folds say: nothing where there is nothing to tell', () => {
    const noise = Int32Array.from(labels, () => random.below(2));
    const other = { target: { task: 'classification', classes: 2, labels: noise } as const, foldOf: learning.foldOf };
    const fitted = fitCells(columns, {}, other);
    const correlation = (values: Float32Array) => {
      const mean = noise.reduce((sum, label) => sum + label, 0) / noise.length;
      const dots = noise.reduce(
        ([xy, xx, yy], label, i) => [xy! + (label - mean) * values[i]!, xx! + (label - mean) ** 2, yy! + values[i]! ** 2],
        [0, 0, 0],
      );
      return dots[0]! / Math.sqrt(dots[1]! * dots[2]!) || 0;
    };
    expect(Math.abs(correlation(transformTrain(fitted, frameOf(columns), other).data.subarray(0, 600)))).toBeLessThan(0.2);
    const told = transformTrain(preprocess, frameOf(columns), learning).data.subarray(0, 600);
    expect(labels.filter((label, row) => told[row]! > 0 === (label === 1)).length).toBeGreaterThan(590);
  });
});
