import { describe, expect, test } from 'vitest';
import type { AdditiveLinear, AdditiveTrees } from '../../core/explain/additive.ts';
import { decodeExplainData, encodeExplainData } from '../../core/explain/explain-file.ts';
import { groundOf, PartExplainer, SumExplainer } from '../../core/explain/feature-shap.ts';
import { LinearExplainer, meansOf } from '../../core/explain/linear-shap.ts';
import { gaussLegendre } from '../../core/explain/quadrature.ts';
import { countCovers, TreeExplainer } from '../../core/explain/tree-shap.ts';
import { EnsembleModel, secondFeatures } from '../../core/models/ensemble/ensemble-model.ts';
import { familyOf } from '../../core/models/families.ts';
import { LinearModel } from '../../core/models/linear/linear-model.ts';
import type { Matrix, Params } from '../../core/models/model.ts';
import { makeSample, numbersOf } from '../models/data.ts';
import { pythonHas, runPython } from '../python.ts';
import { naiveShapley } from './naive-shapley.ts';

const rowOf = ({ rows, columns, data }: Matrix, row: number) => Float32Array.from({ length: columns }, (_, i) => data[i * rows + row]!);

const models: [family: string, params: Params, classes: number][] = [
  ['forest', { nEstimators: 7 }, 2],
  ['forest', { nEstimators: 5, maxDepth: 6 }, 3],
  ['forest', { nEstimators: 5 }, 0],
  ['boosting', { nEstimators: 12, maxLeaves: 9, minSamplesLeaf: 3 }, 2],
  ['boosting', { nEstimators: 8, maxLeaves: 7, minSamplesLeaf: 3 }, 4],
  ['boosting', { nEstimators: 12, maxLeaves: 9, minSamplesLeaf: 3 }, 0],
];

async function explainerOf(family: string, params: Params, classes: number, rows = 150, columns = 6) {
  const { x, y } = makeSample(rows, columns, classes, 5);
  // Boosting takes missing values as they are.
  if (family === 'boosting') for (let row = 0; row < rows; row += 7) x.data[row] = Number.NaN;
  const model = await familyOf(family).fit(x, y, familyOf(family).parse(params), { seed: 3, workers: 1 });
  const trees = model.additive!() as AdditiveTrees;
  const covers = countCovers(trees, x);
  return { x, model, trees, covers, explainer: new TreeExplainer(trees, covers) };
}

describe.each(models)('%s %j, of %i classes', (family, params, classes) => {
  test('has the Shapley values of its trees, as all sets of features give them', async () => {
    const { x, trees, covers, explainer } = await explainerOf(family, params, classes);
    for (let row = 0; row < 20; row++)
      for (let output = 0; output < trees.outputs; output++) {
        const exact = naiveShapley(trees, covers, rowOf(x, row), output);
        explainer.contributions(rowOf(x, row), output).forEach((value, feature) => {
          expect(value).toBeCloseTo(exact[feature]!, 10);
        });
      }
  });

  test('contributions and base sum to the raw output, and the base is its mean over the rows', async () => {
    const { x, model, trees, explainer } = await explainerOf(family, params, classes, 400, 12);
    const numbers = numbersOf(await model.predict(x));
    const means = new Float64Array(trees.outputs);
    for (let row = 0; row < x.rows; row++) {
      const raw = Array.from({ length: trees.outputs }, (_, output) =>
        explainer.contributions(rowOf(x, row), output).reduce((a, b) => a + b, explainer.bases[output]!),
      );
      raw.forEach((value, output) => {
        means[output]! += value / x.rows;
      });
      const [first] = raw as [number];
      const own = (k: number) => numbers[row * Math.max(1, classes) + k]!;
      if (trees.is === 'value') expect(first / own(0)).toBeCloseTo(1, 6);
      else if (trees.is === 'log-odds') expect(1 / (1 + Math.exp(-first))).toBeCloseTo(own(1), 6);
      else if (trees.is === 'probability') for (const [k, value] of raw.entries()) expect(value).toBeCloseTo(own(classes === 2 ? 1 : k), 6);
      else {
        const total = raw.reduce((sum, score) => sum + Math.exp(score), 0);
        for (const [k, score] of raw.entries()) expect(Math.exp(score) / total).toBeCloseTo(own(k), 6);
      }
    }
    // A tree's rows may have been drawn more than once: the base is of the rows as they are.
    means.forEach((mean, output) => {
      expect(explainer.bases[output]! / mean).toBeCloseTo(1, 8);
    });
  });
});

test('a tree as deep as it has rows, on one feature that is asked again and again', async () => {
  const rows = 60;
  const x: Matrix = { rows, columns: 1, names: ['x'], data: Float32Array.from({ length: rows }, (_, i) => i) };
  const values = Float64Array.from({ length: rows }, (_, i) => 2 ** (i / 4));
  const params = familyOf('forest').parse({ nEstimators: 1, bootstrap: false });
  const model = await familyOf('forest').fit(x, { task: 'regression', values }, params, { seed: 1, workers: 1 });
  const trees = model.additive!() as AdditiveTrees;
  const explainer = new TreeExplainer(trees, countCovers(trees, x));
  const answers = numbersOf(await model.predict(x));
  for (let row = 0; row < rows; row++)
    expect((explainer.contributions(rowOf(x, row), 0)[0]! + explainer.bases[0]!) / answers[row]!).toBeCloseTo(1, 6);
});

test('a linear model: weights times the distance from the mean, missing values as the model takes them', async () => {
  for (const classes of [0, 2, 3]) {
    const { x, y } = makeSample(200, 5, classes, 2);
    const model = await familyOf('linear').fit(x, y, familyOf('linear').parse({}), { seed: 1, workers: 1 });
    const linear = model.additive!() as AdditiveLinear;
    const explainer = new LinearExplainer(linear, meansOf(linear, x));
    x.data[3] = Number.NaN;
    x.data[4] = Infinity;
    const numbers = numbersOf(await model.predict(x));
    for (let row = 0; row < 20; row++) {
      const raw = Array.from({ length: linear.outputs }, (_, k) =>
        explainer.contributions(rowOf(x, row), k).reduce((a, b) => a + b, explainer.bases[k]!),
      );
      // The model rounds features to 20 bits of their largest value.
      if (classes === 0) expect(raw[0]! / numbers[row]!).toBeCloseTo(1, 5);
      else if (classes === 2) expect(1 / (1 + Math.exp(-raw[0]!))).toBeCloseTo(numbers[row * 2 + 1]!, 5);
      else {
        const total = raw.reduce((sum, score) => sum + Math.exp(score), 0);
        expect(Math.exp(raw[1]!) / total).toBeCloseTo(numbers[row * 3 + 1]!, 5);
      }
    }
  }
});

const sums: [name: string, classes: number, families: string[]][] = [
  ['values', 0, ['boosting', 'forest', 'linear']],
  ['probabilities of two classes', 2, ['forest', 'extraTrees']],
  ['probabilities of three', 3, ['forest', 'extraTrees']],
];
test.each(sums)('a mixture of %s: the members’ Shapley values by their weights', async (_, classes, families) => {
  const { x, y } = makeSample(300, 5, classes, 2);
  const fit = (family: string, seed: number) => {
    const { grid, parse } = familyOf(family);
    const params = 'nEstimators' in grid ? { nEstimators: 5 } : {};
    return familyOf(family).fit(x, y, parse(params), { seed, workers: 1 });
  };
  const members = await Promise.all(
    families.map(async (family, i) => ({ weight: i + 1, models: [await fit(family, 1), await fit(family, 2)] })),
  );
  const bound = classes === 0 ? 2 ** 20 : 1;
  const task = classes === 0 ? 'regression' : 'classification';
  const answers = await Promise.all(members.map(async ({ models: [model] }) => numbersOf(await model!.predict(x))));
  const layered = await familyOf('linear').fit(secondFeatures(answers, x.rows), y, familyOf('linear').parse({}), { seed: 1, workers: 1 });
  const second = LinearModel.deserialize(layered.serialize());
  for (const layer of classes === 0 ? [undefined, second] : [undefined]) {
    const model = new EnsembleModel({ task, classes, members, bound, ...(layer && { second: layer }) });
    const additive = model.additive()!;
    const grounds = additive.parts.map(({ part }) => groundOf(part, x));
    const explainer = new SumExplainer(additive, grounds);
    expect(decodeExplainData(encodeExplainData({ preprocess: {} as never, additive, grounds }))).toEqual({
      preprocess: {},
      additive,
      grounds,
    });
    const numbers = numbersOf(await model.predict(x));
    for (let row = 0; row < 20; row++)
      for (let k = 0; k < additive.outputs; k++) {
        const own = explainer.of(x)(row, k);
        const parts = additive.parts.map(({ weight, part }, i) => {
          const of = new PartExplainer(part, grounds[i]!).of(x)(row, k);
          return of.map((value) => weight * value);
        });
        own.forEach((value, feature) => {
          expect(value).toBeCloseTo(
            parts.reduce((sum, part) => sum + part[feature]!, 0),
            9,
          );
        });
        const raw = own.reduce((a, b) => a + b, explainer.bases[k]!);
        const said = numbers[row * Math.max(1, classes) + (classes === 2 ? 1 : k)]!;
        expect(Math.abs(raw - said)).toBeLessThan(1e-4 * Math.max(1, Math.abs(said)));
      }
  }
});

test('a mixture that is no sum has no exact explanation', async () => {
  const { x, y } = makeSample(100, 5, 2, 2);
  const model = await familyOf('boosting').fit(x, y, familyOf('boosting').parse({ nEstimators: 3 }), { seed: 1, workers: 1 });
  const parts = { task: 'classification' as const, classes: 2, bound: 1 };
  expect(new EnsembleModel({ ...parts, members: [{ weight: 1, models: [model] }] }).additive()).toBeUndefined();
});

test('Gauss-Legendre nodes integrate polynomials of degree 2n − 1', () => {
  for (const n of [1, 2, 5, 16, 40]) {
    const { nodes, weights } = gaussLegendre(n);
    for (const degree of [0, 1, n, 2 * n - 1]) {
      const integral = nodes.reduce((sum, t, i) => sum + weights[i]! * t ** degree, 0);
      expect(integral).toBeCloseTo(1 / (degree + 1), 12);
    }
  }
});

/** Trees as shap's own format has them, explained by its C++. Less is its question, so thresholds are moved by one float32 step up. */
const judge = `
import json, sys, numpy as np, shap
asked = json.load(sys.stdin)
trees = [{k: np.array(v) for k, v in tree.items()} for tree in asked["trees"]]
explainer = shap.TreeExplainer({"trees": trees}, feature_perturbation="tree_path_dependent")
x = np.array(asked["rows"], dtype=np.float64)
print(json.dumps(np.asarray(explainer.shap_values(x, check_additivity=False)).tolist()))
`;

test.skipIf(!pythonHas('shap'))('the values are those of the package shap [needs Python with shap]', async () => {
  const { x, trees, covers, explainer } = await explainerOf('forest', { nEstimators: 10 }, 0, 300, 8);
  const { roots, splits, rights, thresholds, leaves, scale } = trees;
  const asked = Array.from(roots, (root, tree) => {
    const end = roots[tree + 1] ?? splits.length;
    const nodes = Array.from({ length: end - root }, (_, i) => root + i);
    const isLeaf = (node: number) => splits[node]! < 0;
    return {
      children_left: nodes.map((node) => (isLeaf(node) ? -1 : node + 1 - root)),
      children_right: nodes.map((node) => (isLeaf(node) ? -1 : rights[node]! - root)),
      children_default: nodes.map((node) => (isLeaf(node) ? -1 : rights[node]! - root)),
      features: nodes.map((node) => splits[node]!),
      thresholds: nodes.map((node) => thresholds[node]!),
      values: nodes.map((node) => [isLeaf(node) ? leaves[rights[node]!]! * scale : 0]),
      node_sample_weight: nodes.map((node) => covers[node]!),
    };
  });
  const rows = Array.from({ length: 40 }, (_, row) => [...rowOf(x, row)]);
  const theirs = JSON.parse(runPython(judge, JSON.stringify({ trees: asked, rows }))) as number[][];
  theirs.forEach((values, row) => {
    explainer.contributions(rowOf(x, row), 0).forEach((value, feature) => {
      expect(value).toBeCloseTo(values[feature]!, 6);
    });
  });
});
