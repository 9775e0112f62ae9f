import { describe, expect, test } from 'vitest';
import { linear } from '../../core/models/linear/linear.ts';
import { LinearModel } from '../../core/models/linear/linear-model.ts';
import { linearConstraints } from '../../core/models/linear/params.ts';
import type { Params } from '../../core/models/model.ts';
import { describeParams } from '../../core/models/params.ts';
import { splitFolds } from '../../core/search/folds.ts';
import { expandGrid } from '../../core/search/grid.ts';
import { score } from '../../core/search/metrics.ts';
import { pythonHas, runPython } from '../python.ts';
import { familyContract } from './contract.ts';
import { makeSample, numbersOf, pickRows, type Sample } from './data.ts';
import { askGraph, edgeRows, rowMajor } from './graph.ts';
import { differences } from './python-parity.ts';

describe('by L-BFGS', () => familyContract(linear, { params: { penalty: 'elasticnet', alpha: 0.01 }, seeded: false }));
describe('by gradient descent', () => familyContract(linear, { params: { solver: 'gd', maxIter: 60 }, seeded: false }));
describe('by Adam', () => familyContract(linear, { params: { solver: 'adam', maxIter: 20 }, seeded: true }));
describe('by stochastic gradient descent', () => familyContract(linear, { params: { solver: 'sgd', maxIter: 20 }, seeded: true }));

const context = { seed: 3, workers: 1 };
const tasks: [string, number][] = [
  ['two classes', 2],
  ['three classes', 3],
  ['regression', 0],
];
const fitLinear = async ({ x, y }: Sample, params: Params) => (await linear.fit(x, y, params, context)) as LinearModel;

describe.each(tasks)('%s', (_, classes) => {
  const sample = makeSample(500, 7, classes, 11);

  test('all candidates of the default grid equal a fit of each alone, bit for bit', async () => {
    const [fold] = splitFolds(sample.y, 5, 1);
    const candidates = [...expandGrid(linear.grid), ...(classes ? [{ classWeight: 'balanced' }] : [])].map(linear.parse);
    const train = pickRows(sample, fold!.train);
    const valid = pickRows(sample, fold!.valid);
    let seen = 0;
    for await (const { candidate, predictions } of linear.predictGrid(sample.x, sample.y, fold!.train, fold!.valid, candidates, context)) {
      expect(predictions).toEqual(await (await fitLinear(train, candidates[candidate]!)).predict(valid.x));
      seen++;
    }
    expect(seen).toBe(candidates.length);
  });

  test.each([
    ['l2', 0.01],
    ['l1', 0.02],
    ['elasticnet', 0.02],
  ])('all solvers come to the same loss, that of the one optimum there is: %s', async (penalty, alpha) => {
    const best = (await fitLinear(sample, { penalty, alpha, tol: 1e-9 })).learningCurve.at(-1)!;
    for (const [solver, near] of [
      ['gd', 1e-5],
      ['sgd', 2e-3],
      ['adam', 2e-3],
    ] as const) {
      const { learningCurve } = await fitLinear(sample, { penalty, alpha, solver, tol: 1e-9, maxIter: 1000 });
      // The steps of sgd and adam fall as one over the epoch, so that they come near slowly.
      expect(Math.min(...learningCurve)).toBeLessThan(best + near);
      expect(Math.min(...learningCurve)).toBeGreaterThan(best - 1e-9);
    }
  });

  test('learning curves fall: those of lbfgs and gd at every step, those of sgd and adam from the first epoch to the last', async () => {
    for (const penalty of ['l2', 'l1'])
      for (const solver of ['lbfgs', 'gd', 'sgd', 'adam']) {
        const { learningCurve } = await fitLinear(sample, { penalty, solver, alpha: 0.01, maxIter: 50 });
        expect(learningCurve.length).toBeGreaterThan(1);
        expect(learningCurve.at(-1)!).toBeLessThan(learningCurve[0]! * 0.9);
        if (solver === 'lbfgs' || solver === 'gd')
          learningCurve.forEach((loss, i) => {
            expect(loss).toBeLessThanOrEqual((learningCurve[i - 1] ?? Infinity) + 1e-12);
          });
      }
  });

  test('a larger L1 penalty leaves fewer coefficients, and a very large one none', async () => {
    let last = Infinity;
    for (const alpha of [0.001, 0.03, 0.1, 10]) {
      const model = await fitLinear(sample, { penalty: 'l1', alpha });
      const used = model.coefficients().filter((of) => of.some((weight) => weight !== 0)).length;
      expect(used).toBeLessThanOrEqual(last);
      last = used;
    }
    expect(last).toBe(0);
  });

  test('more rows than the sample that L-BFGS starts with: the same optimum as gradient descent', async () => {
    const large = makeSample(20_000, 5, classes, 4);
    const [quick, plain] = [
      await fitLinear(large, { alpha: 0.01 }),
      await fitLinear(large, { alpha: 0.01, solver: 'gd', tol: 1e-9, maxIter: 500 }),
    ];
    expect(Math.abs(quick.learningCurve.at(-1)! - plain.learningCurve.at(-1)!)).toBeLessThan(1e-6);
  });
});

test('balanced classes weigh the same, however few rows one has', async () => {
  const { x, y } = makeSample(2000, 5, 2, 8);
  if (y.task !== 'classification') throw new TypeError();
  const rows = Int32Array.from(y.labels.keys()).filter((row) => y.labels[row] === 0 || row % 20 === 0);
  const rare = pickRows({ x, y }, rows);
  const recall = async (params: Params) => score(rare.y, await (await fitLinear(rare, params)).predict(rare.x)).balancedAccuracy!;
  expect(await recall({ classWeight: 'balanced' })).toBeGreaterThan((await recall({})) + 0.05);
});

test('a class that is in no train row is never the answer', async () => {
  const { x, y } = makeSample(300, 4, 2, 5);
  if (y.task !== 'classification') throw new TypeError();
  const labels = y.labels.map((k) => (k === 0 ? 1 : 3));
  const model = await fitLinear({ x, y: { ...y, labels, classes: 5 } }, {});
  const two = await fitLinear({ x, y }, {});
  const [wide, narrow] = [numbersOf(await model.predict(x)), numbersOf(await two.predict(x))];
  for (let row = 0; row < x.rows; row++)
    expect([...wide.subarray(row * 5, row * 5 + 5)]).toEqual([0, narrow[row * 2], 0, narrow[row * 2 + 1], 0]);
});

test('targets of any size keep their scale', async () => {
  for (const [base, scale] of [
    [1e6, 1e-3],
    [-1e30, 1e28],
    [1e-35, 1e-36],
    [0, 0],
  ] as const) {
    const { x, y } = makeSample(200, 4, 0, 9);
    if (y.task !== 'regression') throw new TypeError();
    const values = y.values.map((value) => base + scale * (value - 100));
    const model = await fitLinear({ x, y: { task: 'regression', values } }, {});
    const predicted = numbersOf(await model.predict(x));
    const tolerance = Math.max(scale * 25, Math.abs(base) * 2 ** -23);
    predicted.forEach((value, row) => {
      expect(Math.abs(value - values[row]!)).toBeLessThanOrEqual(tolerance);
    });
    expect(await askGraph(model, x)).toEqual(predicted);
  }
});

/** Columns as far apart in size as float32 lets them be. */
function hostile(classes: number): Sample {
  const sample = makeSample(400, 8, classes, 17);
  [1e-38, 1e30, 1e-20, 1, 1e6, 3e4, 1e-3, 1].forEach((factor, column) => {
    for (let row = 0; row < 400; row++) sample.x.data[column * 400 + row]! *= factor;
  });
  return sample;
}

test('columns of any size, and values beyond any: finite answers, the same bits in the graph', async () => {
  for (const classes of [2, 3, 0]) {
    const sample = hostile(classes);
    const model = await fitLinear(sample, {});
    const rows = edgeRows(sample.x);
    const numbers = numbersOf(await model.predict(rows));
    expect(numbers.every(Number.isFinite)).toBe(true);
    expect(await askGraph(model, rows)).toEqual(numbers);
  }
});

test('a wide table: more columns than rows', async () => {
  for (const classes of [2, 3, 0]) {
    const sample = makeSample(60, 400, classes, 23);
    for (const penalty of ['l2', 'l1']) {
      const model = await fitLinear(sample, { penalty, alpha: 0.05 });
      expect(await askGraph(model, sample.x)).toEqual(numbersOf(await model.predict(sample.x)));
      const { accuracy, r2 } = score(sample.y, await model.predict(sample.x));
      expect(accuracy ?? r2).toBeGreaterThan(0.6);
    }
  }
});

test('a linear model of another format is refused', () => {
  expect(() => LinearModel.deserialize(Buffer.from('{"format":99}'))).toThrow(/format 99/);
});

test('the table of parameters documents itself', () => {
  expect(describeParams(linearConstraints)).toContain("| `penalty` | 'l2', 'l1' or 'elasticnet' | `\"l2\"` |");
});

test.skipIf(!pythonHas('onnxruntime', 'numpy'))(
  "Python's onnxruntime answers the same bits, whatever the batch, the threads and the optimisation (needs onnxruntime and numpy)",
  async () => {
    const cases = [];
    for (const classes of [2, 3, 20, 0])
      for (const sample of [makeSample(500, 6, classes, 21), makeSample(300, 150, classes, 22), hostile(classes)]) {
        const model = await fitLinear(sample, { penalty: 'elasticnet' });
        cases.push({ model, x: edgeRows(sample.x) }, { model, x: sample.x });
      }
    expect(await differences(cases)).toEqual(cases.map(() => 0));
  },
);

const rival = `
import json, sys, numpy
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, Ridge
found = []
for case in json.load(sys.stdin):
    x = numpy.array(case["x"]).reshape(case["rows"], -1); y = numpy.array(case["y"]); n = len(y)
    alpha, penalty = case["alpha"], case["penalty"]
    if case["classes"]:
        ratio = {"l2": 0, "l1": 1, "elasticnet": 0.5}[penalty]
        solver = "lbfgs" if penalty == "l2" else "saga"
        model = LogisticRegression(C=1 / (alpha * n), l1_ratio=ratio, solver=solver, tol=1e-7, max_iter=5000, class_weight=case["classWeight"])
        model.fit(x, y)
        answers = model.predict_proba(x)
    else:
        y = (y - y.mean()) / y.std()
        model = {
            "l2": lambda: Ridge(alpha=alpha * n, solver="cholesky"),
            "l1": lambda: Lasso(alpha=alpha, tol=1e-12, max_iter=100000),
            "elasticnet": lambda: ElasticNet(alpha=alpha, l1_ratio=0.5, tol=1e-12, max_iter=100000),
        }[penalty]()
        model.fit(x, y)
        answers = model.predict(x)
    found.append({"answers": numpy.ravel(answers).tolist(), "coefficients": numpy.atleast_2d(model.coef_).tolist()})
json.dump(found, sys.stdout)
`;

test.skipIf(!pythonHas('sklearn'))("coefficients and answers are scikit-learn's (needs scikit-learn)", async () => {
  const alpha = 0.01;
  const cases = [2, 3, 0].flatMap((classes) =>
    ['l2', 'l1', 'elasticnet'].flatMap((penalty) =>
      (classes ? [null, 'balanced'] : [null]).map((classWeight) => ({ ...standardised(300, classes), classes, penalty, classWeight })),
    ),
  );
  const question = cases.map(({ x, y, ...rest }) => ({
    ...rest,
    x: [...rowMajor(x)],
    rows: x.rows,
    y: y.task === 'classification' ? [...y.labels] : [...y.values],
    alpha,
  }));
  const found = JSON.parse(runPython(rival, JSON.stringify(question))) as { answers: number[]; coefficients: number[][] }[];
  for (const [i, { classes, penalty, classWeight, ...sample }] of cases.entries()) {
    const model = await fitLinear(sample, { penalty, alpha, classWeight, tol: 1e-9, maxIter: 2000 });
    const ours = model.coefficients();
    const theirs = found[i]!;
    const first = classes === 2 ? 1 : 0;
    // Both stop where the gradient is nearly zero; theirs, by saga, where a step no longer changes much.
    theirs.coefficients.forEach((row, k) => {
      row.forEach((weight, f) => {
        expect(Math.abs(ours[f]![k + first]! - weight)).toBeLessThan(5e-4);
      });
    });
    numbersOf(await model.predict(sample.x)).forEach((value, at) => {
      expect(Math.abs(value - theirs.answers[at]!)).toBeLessThan(1e-4);
    });
  }
});

/** Without the constant column, which slows saga; a regression's target as the penalty means it. */
function standardised(rows: number, classes: number): Sample {
  const { x, y } = makeSample(rows, 7, classes, 31);
  const narrow = { ...x, columns: 6, names: x.names.slice(0, 6), data: x.data.subarray(0, 6 * rows) };
  if (y.task === 'classification') return { x: narrow, y };
  const mean = y.values.reduce((a, b) => a + b, 0) / rows;
  const spread = Math.sqrt(y.values.reduce((a, b) => a + (b - mean) ** 2, 0) / rows);
  return { x: narrow, y: { ...y, values: y.values.map((value) => (value - mean) / spread) } };
}
