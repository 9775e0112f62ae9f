/** What every family of models must keep, for its test file to run: `familyContract(forest, …)`. */
import { describe, expect, test } from 'vitest';
import { IngotError } from '../../core/errors.ts';
import type { Family, FittedModel, Params, Target } from '../../core/models/model.ts';
import { argmax } from '../../core/search/metrics.ts';
import { makeSample, numbersOf, pickRows, type Sample } from './data.ts';
import { askGraph, edgeRows } from './graph.ts';

export interface Promises {
  /** Small and quick, but for the first to be cut from. */
  params: Params;
  /** Parameters with which the order of the rows does not matter, where there are such. */
  orderless?: Params;
  /** Whether the seed makes a difference. */
  seeded: boolean;
}

const tasks: [string, number][] = [
  ['two classes', 2],
  ['four classes', 4],
  ['regression', 0],
];

export function familyContract(family: Family, { params, orderless, seeded }: Promises): void {
  const context = { seed: 7, workers: 1 };
  const fitOn = ({ x, y }: Sample, of: Params = params, given = context): Promise<FittedModel> => family.fit(x, y, of, given);

  describe.each(tasks)(`${family.name}, %s`, (_, classes) => {
    const sample = makeSample(400, 6, classes, 1);

    test('learns: better than guessing, on rows that it has not seen', async () => {
      const seen = Int32Array.from({ length: 300 }, (_, row) => row);
      const model = await fitOn(pickRows(sample, seen));
      const unseen = pickRows(
        sample,
        Int32Array.from({ length: 100 }, (_, row) => 300 + row),
      );
      expect(quality(unseen.y, await model.predict(unseen.x))).toBeGreaterThan(0.6);
    });

    test('fitting again forgets: the same bytes whatever was fitted before', async () => {
      const first = (await fitOn(sample)).serialize();
      await fitOn(makeSample(200, 3, classes, 2));
      expect((await fitOn(sample)).serialize()).toEqual(first);
    });

    test('another seed gives another model, or the same where chance has no part', async () => {
      const [a, b] = [await fitOn(sample, params, { ...context, seed: 8 }), await fitOn(sample)];
      expect(Buffer.compare(a.serialize(), b.serialize()) !== 0).toBe(seeded);
    });

    test('a fold stops where it does best, and its model knows after how many steps when it comes back from storage', async () => {
      const [train, valid] = [0, 1].map((side) => Int32Array.from({ length: 200 }, (_, row) => 2 * row + side)) as [Int32Array, Int32Array];
      const fold = await family.fitFold?.(sample.x, sample.y, train, valid, params, context);
      if (fold) expect(family.deserialize(fold.model.serialize()).steps).toBe(fold.steps);
    });

    test('probabilities are between 0 and 1 and add up to 1', async () => {
      const predictions = await (await fitOn(sample)).predict(sample.x);
      for (const value of numbersOf(predictions)) expect(Number.isFinite(value)).toBe(true);
      if (predictions.task === 'regression') return;
      const { probabilities } = predictions;
      for (let row = 0; row < sample.x.rows; row++) {
        const shares = probabilities.subarray(row * predictions.classes, (row + 1) * predictions.classes);
        expect(Math.min(...shares)).toBeGreaterThanOrEqual(0);
        expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
      }
    });

    test('comes back from its bytes as it was', async () => {
      const model = await fitOn(sample);
      const back = family.deserialize(model.serialize());
      expect(back.serialize()).toEqual(model.serialize());
      expect(back.params).toEqual(model.params);
      expect(await back.predict(sample.x)).toEqual(await model.predict(sample.x));
    });

    if (orderless)
      test('the order of the rows does not matter', async () => {
        const reversed = pickRows(
          sample,
          Int32Array.from({ length: 400 }, (_, row) => 399 - row),
        );
        expect((await fitOn(reversed, orderless)).serialize()).toEqual((await fitOn(sample, orderless)).serialize());
      });

    test('learns as well whatever the order of the columns', async () => {
      const { x } = sample;
      const order = [3, 0, 5, 1, 4, 2];
      const data = new Float32Array(x.data.length);
      order.forEach((from, to) => {
        data.set(x.data.subarray(from * x.rows, (from + 1) * x.rows), to * x.rows);
      });
      const moved = { x: { ...x, names: order.map((column) => x.names[column]!), data }, y: sample.y };
      const [a, b] = [await fitOn(sample), await fitOn(moved)];
      expect(quality(sample.y, await b.predict(moved.x))).toBeGreaterThan(quality(sample.y, await a.predict(x)) - 0.05);
    });

    test('the graph answers the same bits as predict, at values equal to the train values and beside them too', async () => {
      const model = await fitOn(sample);
      const rows = edgeRows(sample.x);
      expect(await askGraph(model, rows)).toEqual(numbersOf(await model.predict(rows)));
    });

    test('a table of one row, or with one value in the target, gives a constant', async () => {
      const alone = pickRows(sample, Int32Array.of(5));
      const model = await fitOn(alone);
      const rows = edgeRows(sample.x);
      const numbers = numbersOf(await model.predict(rows));
      const width = numbers.length / rows.rows;
      numbers.forEach((value, i) => {
        expect(value).toBe(numbers[i % width]);
      });
      expect(await askGraph(model, rows)).toEqual(numbers);
    });

    test('candidates of a grid are fitted together as each would be alone', async () => {
      const train = Int32Array.from({ length: 300 }, (_, row) => row + (row % 4 === 0 ? 0 : 1)).filter((row, i, all) => row !== all[i - 1]);
      const valid = Int32Array.from({ length: 40 }, (_, row) => 320 + row);
      const candidates = [{}, params, { ...params, ...orderless }].map((of) => family.parse(of));
      const alone = pickRows(sample, train);
      const seen = new Set<number>();
      for await (const { candidate, predictions } of family.predictGrid(sample.x, sample.y, train, valid, candidates, context)) {
        const model = await fitOn(alone, candidates[candidate]!);
        expect(predictions).toEqual(await model.predict(pickRows(sample, valid).x));
        seen.add(candidate);
      }
      expect(seen.size).toBe(candidates.length);
    });
  });

  test(`${family.name} refuses parameters that it does not take, and says which it does`, () => {
    expect(() => family.parse({ colour: 'blue' })).toThrow(IngotError);
    for (const name of Object.keys(family.parse({})))
      expect(() => family.parse({ [name]: 'mauve' })).toThrow(new RegExp(`${name} must be`));
  });
}

/** Accuracy, or R². */
function quality(truth: Target, predictions: Awaited<ReturnType<FittedModel['predict']>>): number {
  if (truth.task === 'classification' && predictions.task === 'classification') {
    const labels = argmax(predictions.probabilities, predictions.classes);
    return labels.filter((label, row) => label === truth.labels[row]).length / labels.length;
  }
  if (truth.task !== 'regression' || predictions.task !== 'regression') throw new TypeError('of different tasks');
  const mean = truth.values.reduce((a, b) => a + b) / truth.values.length;
  const spread = truth.values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return 1 - truth.values.reduce((sum, value, row) => sum + (value - predictions.values[row]!) ** 2, 0) / spread;
}
