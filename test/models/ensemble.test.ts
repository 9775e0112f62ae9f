import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deserializeModel } from '../../core/models/deserialize.ts';
import { EnsembleModel, secondFeatures } from '../../core/models/ensemble/ensemble-model.ts';
import { boundOf, mix, mixToOnnx, probabilityBound } from '../../core/models/ensemble/mix.ts';
import { familyOf } from '../../core/models/families.ts';
import { linear } from '../../core/models/linear/linear.ts';
import type { LinearModel } from '../../core/models/linear/linear-model.ts';
import type { Params } from '../../core/models/model.ts';
import { pythonHas } from '../python.ts';
import { makeSample, numbersOf, type Sample } from './data.ts';
import { askGraph, edgeRows } from './graph.ts';
import { differences } from './python-parity.ts';

const context = { seed: 3, workers: 1 };
const fit = (family: string, params: Params, { x, y }: Sample, seed = 3) => familyOf(family).fit(x, y, params, { ...context, seed });

/** Two boosted fold models, a forest of all rows and a linear model, by weight or under a second layer. */
async function ensembleOf(classes: number, second: boolean): Promise<{ model: EnsembleModel; sample: Sample }> {
  const sample = makeSample(300, 5, classes, 1);
  const boosted = { nEstimators: 20, maxLeaves: 6, subsample: 0.8 };
  const members = [
    { weight: 5, models: [await fit('boosting', boosted, sample, 1), await fit('boosting', boosted, sample, 2)] },
    { weight: 2, models: [await fit('forest', { nEstimators: 11, maxDepth: 4 }, sample)] },
    { weight: 1, models: await Promise.all([0.1, 0.01, 0.001].map((alpha) => fit('linear', { alpha }, sample))) },
  ];
  const { x, y } = sample;
  const bound = classes > 0 ? probabilityBound : boundOf(200);
  const parts = { task: y.task, classes, members, bound };
  if (!second) return { model: new EnsembleModel(parts), sample };
  const answers = await Promise.all(members.map(async ({ models }) => numbersOf(await models[0]!.predict(x))));
  const layer = (await linear.fit(secondFeatures(answers, x.rows), y, {}, context)) as LinearModel;
  return { model: new EnsembleModel({ ...parts, second: layer }), sample };
}

const kinds: [string, number, boolean][] = [
  ['two classes', 2, false],
  ['four classes', 4, false],
  ['a regression', 0, false],
  ['two classes under a second layer', 2, true],
  ['four classes under a second layer', 4, true],
  ['a regression under a second layer', 0, true],
];

describe.each(kinds)('an ensemble of %s', (_, classes, second) => {
  test('answers in the graph as in predict, bit for bit, at split edges too', async () => {
    const { model, sample } = await ensembleOf(classes, second);
    const rows = edgeRows(sample.x);
    expect(await askGraph(model, rows)).toEqual(numbersOf(await model.predict(rows)));
  });

  test('comes back from its bytes as it was', async () => {
    const { model, sample } = await ensembleOf(classes, second);
    const back = deserializeModel(model.family, model.serialize());
    expect(back.serialize()).toEqual(model.serialize());
    expect(await back.predict(sample.x)).toEqual(await model.predict(sample.x));
  });

  test.skipIf(!pythonHas('onnxruntime', 'numpy'))(
    "answers so in Python's onnxruntime [needs Python with onnxruntime and numpy]",
    async () => {
      const { model, sample } = await ensembleOf(classes, second);
      expect(await differences([{ model, x: edgeRows(sample.x) }])).toEqual([0]);
    },
  );
});

test('is the mean of its members by weight, each of which is the mean of its models', async () => {
  const { model, sample } = await ensembleOf(2, false);
  const { members } = model.parts;
  const mixed = numbersOf(await model.predict(sample.x));
  const means = await Promise.all(
    members.map(async ({ models }) => {
      const all = await Promise.all(models.map(async (each) => numbersOf(await each.predict(sample.x))));
      return mixed.map((_, i) => all.reduce((sum, values) => sum + values[i]!, 0) / all.length);
    }),
  );
  mixed.forEach((value, i) => {
    expect(value).toBeCloseTo((5 * means[0]![i]! + 2 * means[1]![i]! + means[2]![i]!) / 8, 6);
  });
});

const numbers = fc.oneof(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(0, -0, 1, -1, 2 ** -40, 3e38));

test('a mixture does not depend on the order of its models, and agrees with its graph', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.tuple(numbers, numbers), fc.integer({ min: 1, max: 40 })), { minLength: 1, maxLength: 6 }),
      fc.constantFrom(probabilityBound, boundOf(100), boundOf(1e30)),
      async (models, bound) => {
        const answers = models.map(([pair]) => Float32Array.from(pair));
        const weights = models.map(([, weight]) => weight);
        const mixed = mix(answers, weights, bound);
        expect(mix([...answers].reverse(), [...weights].reverse(), bound)).toEqual(mixed);
        const columns = 2 * models.length;
        const x = { rows: 1, columns, names: [], data: Float32Array.from(models.flatMap(([pair]) => pair)) };
        const graph = {
          toOnnx: (builder: Parameters<typeof mixToOnnx>[0], input: string) => {
            const parts = models.map((_, i) => builder.node('Gather', [input, builder.int64s([2 * i, 2 * i + 1])], { axis: { int: 1 } }));
            return mixToOnnx(builder, parts, 2, weights, bound);
          },
        };
        expect(await askGraph(graph, x)).toEqual(mixed);
      },
    ),
    { numRuns: 60 },
  );
});
