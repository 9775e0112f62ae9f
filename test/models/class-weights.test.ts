import { describe, expect, test } from 'vitest';
import { parseClassWeights, withClassWeights } from '../../core/models/class-weights.ts';
import { familyOf } from '../../core/models/families.ts';
import { repeatRows } from '../../core/models/forest/repeat-rows.ts';
import type { Params, Target } from '../../core/models/model.ts';
import { argmax, confusionMatrix, labelScores } from '../../core/search/metrics.ts';
import { overlapping } from '../answers/datasets.ts';
import { numbersOf, pickRows } from './data.ts';

const families: [string, Params][] = [
  ['forest', { nEstimators: 20, minSamplesLeaf: 5 }],
  ['boosting', { nEstimators: 20, maxLeaves: 7 }],
  ['linear', {}],
  ['network', { epochs: 15, width: 32, bins: 0 }],
];
const context = { seed: 1, workers: 1 };

describe.each(families)('%s', (name, asked) => {
  const family = familyOf(name);
  const params = family.parse(asked);
  const { x, y } = overlapping(800, [0.92, 0.08], 1);
  const labels = (y as Extract<Target, { task: 'classification' }>).labels;

  test('balanced weights find more of the rare class, alone and in a grid', async () => {
    const recall = async (target: Target) => {
      const model = await family.fit(x, target, params, context);
      const { recallMacro } = labelScores(confusionMatrix(labels, argmax(numbersOf(await model.predict(x)), 2), 2));
      return recallMacro;
    };
    const balanced = withClassWeights(y, 'balanced');
    expect(await recall(balanced)).toBeGreaterThan((await recall(y)) + 0.05);
    const rows = Int32Array.from({ length: 600 }, (_, row) => row);
    const valid = Int32Array.from({ length: 200 }, (_, row) => 600 + row);
    const train = pickRows({ x, y }, rows);
    const alone = await family.fit(train.x, { ...train.y, classWeights: [1, 3] } as Target, params, context);
    for await (const { predictions } of family.predictGrid(x, { ...y, classWeights: [1, 3] } as Target, rows, valid, [params], context))
      expect(numbersOf(predictions)).toEqual(numbersOf(await alone.predict(pickRows({ x, y }, valid).x)));
  });

  test('weights of 1 change no byte', async () => {
    const [plain, weighted] = [await family.fit(x, y, params, context), await family.fit(x, withClassWeights(y, [1, 1]), params, context)];
    expect(weighted.serialize()).toEqual(plain.serialize());
  });

  test('a weight of 2 is as if the class’s rows were there twice, nearly', async () => {
    const twice = Int32Array.from([...labels.keys()].flatMap((row) => (labels[row] === 1 ? [row, row] : [row])));
    const doubled = pickRows({ x, y }, twice);
    const [weighted, repeated] = [
      await family.fit(x, withClassWeights(y, [1, 2]), params, context),
      await family.fit(doubled.x, doubled.y, params, context),
    ];
    const [a, b] = [numbersOf(await weighted.predict(x)), numbersOf(await repeated.predict(x))];
    // Forests draw other rows, boosting rounds gradients by other chances, and its bins lie elsewhere.
    const mean = a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / a.length;
    expect(mean).toBeLessThan(name === 'linear' ? 0.001 : 0.04);
  });
});

test('a forest’s rows are repeated by their weights, but never fill the memory', () => {
  const labels = Int32Array.from({ length: 10_000 }, (_, row) => (row < 10 ? 1 : row < 20 ? 2 : 0));
  const y: Target = { task: 'classification', classes: 3, labels };
  const rows = Int32Array.from(labels.keys());
  const countOf = (repeated: Int32Array, label: number) => repeated.filter((row) => labels[row] === label).length;
  const half = repeatRows({ ...y, classWeights: [1, 2.5, 1] }, rows, 1);
  expect([countOf(half, 0), countOf(half, 2)]).toEqual([9980, 10]);
  expect(countOf(half, 1)).toBeGreaterThanOrEqual(20);
  expect(countOf(half, 1)).toBeLessThanOrEqual(30);
  const extreme = repeatRows({ ...y, classWeights: [1, 1e6, 1e6] }, rows, 1);
  expect(extreme.length).toBeLessThan(4.1 * rows.length);
  expect(countOf(extreme, 1) / countOf(extreme, 2)).toBeCloseTo(1, 1);
});

test('what dataset.json says: balanced, none, or a factor by label; a wrong label is told', () => {
  expect(parseClassWeights('none', ['a', 'b'])).toBeUndefined();
  expect(parseClassWeights('balanced', ['a', 'b'])).toBe('balanced');
  expect(parseClassWeights({ b: 5 }, ['a', 'b'])).toEqual([1, 5]);
  expect(() => parseClassWeights({ c: 5 }, ['a', 'b'])).toThrow(
    expect.objectContaining({ code: 'InvalidSpec', where: 'dataset.json, field classWeights.c' }),
  );
  expect(() => parseClassWeights('balanced', undefined)).toThrow(expect.objectContaining({ code: 'InvalidSpec' }));
});
