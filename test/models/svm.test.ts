import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileKernel } from '../../core/compile-kernels.ts';
import type { Params } from '../../core/models/model.ts';
import { couple, pairsOf } from '../../core/models/svm/coupling.ts';
import { fixPoints, toPoints } from '../../core/models/svm/fixed-points.ts';
import { KernelRows } from '../../core/models/svm/kernel-rows.ts';
import { fitSigmoid } from '../../core/models/svm/sigmoid.ts';
import { type Problem, Smo } from '../../core/models/svm/smo.ts';
import { svm } from '../../core/models/svm/svm.ts';
import { SvmModel } from '../../core/models/svm/svm-model.ts';
import { splitFolds } from '../../core/search/folds.ts';
import { expandGrid } from '../../core/search/grid.ts';
import { score } from '../../core/search/metrics.ts';
import { pythonHas } from '../python.ts';
import { familyContract } from './contract.ts';
import { makeSample, numbersOf, pickRows, type Sample } from './data.ts';
import { askGraph, edgeRows } from './graph.ts';
import { minimiseNaively, objectiveOf } from './naive-svm.ts';
import { differences } from './python-parity.ts';
import { rivalScores } from './rival.ts';

describe('rbf', () => familyContract(svm, { params: { C: 30 }, seeded: false }));
describe('rbf of a sample', () => familyContract(svm, { params: { maxRows: 150 }, seeded: true }));
describe('linear', () => familyContract(svm, { params: { kernel: 'linear', C: 0.5 }, seeded: false }));

const context = { seed: 3, workers: 1 };
const fit = async ({ x, y }: Sample, params: Params) => (await svm.fit(x, y, params, context)) as SvmModel;
const allRows = (rows: number) => Int32Array.from({ length: rows }, (_, row) => row);

function kernelOf({ x }: Sample): KernelRows {
  const { fixed, variance } = fixPoints(x, allRows(x.rows));
  return new KernelRows(toPoints(fixed, x), 4 ** fixed.exponent / variance);
}

describe('the solver', () => {
  const sizes = fc.record({ rows: fc.integer({ min: 2, max: 40 }), seed: fc.nat(), C: fc.constantFrom(0.1, 1, 20) });

  /** A pair of classes, or a regression. */
  function problemOf(sample: Sample, C: number): Problem {
    const { y } = sample;
    const rows = sample.x.rows;
    if (y.task === 'classification') {
      const sign = Float64Array.from(y.labels, (k) => (k === 1 ? 1 : -1));
      return {
        at: allRows(rows),
        low: sign.map((s) => Math.min(0, s * C)),
        high: sign.map((s) => Math.max(0, s * C)),
        linear: sign.map((s) => -s),
        epsilon: 0,
        beta: new Float64Array(rows),
      };
    }
    const fill = (value: number) => new Float64Array(rows).fill(value);
    return {
      at: allRows(rows),
      low: fill(-C),
      high: fill(C),
      linear: y.values.map((value) => 10 - value / 10),
      epsilon: 0.1,
      beta: fill(0),
    };
  }

  test.each([2, 0])('comes to the same least value as its naive twin: %i classes', (classes) => {
    fc.assert(
      fc.property(sizes, ({ rows, seed, C }) => {
        const sample = makeSample(rows, 4, classes, seed);
        const kernel = kernelOf(sample);
        const exact = (a: number, b: number) => kernel.row(a)[b]!;
        const { beta } = new Smo(kernel, problemOf(sample, C)).solve(1e-6, 1e6);
        const problem = problemOf(sample, C);
        const naive = minimiseNaively(problem, exact, 1e-7);
        expect(objectiveOf(problem, beta, exact)).toBeCloseTo(objectiveOf(problem, naive, exact), 4);
        expect(beta.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 9);
        beta.forEach((value, v) => {
          expect(problem.low[v]! <= value && value <= problem.high[v]!).toBe(true);
        });
      }),
      { numRuns: 25 },
    );
  });

  test('no pair of variables violates the optimum by more than the tolerance, shrinking or not; its gradient is that of the solution', () => {
    const sample = makeSample(1500, 5, 4, 4);
    if (sample.y.task === 'classification') sample.y.labels = sample.y.labels.map((k) => k % 2);
    const kernel = kernelOf(sample);
    const problem = problemOf(sample, 300);
    const { beta, gradient, iterations } = new Smo(kernel, problem).solve(1e-3, 1e6);
    // Long enough that variables are left out, more than once.
    expect(iterations).toBeGreaterThan(2000);
    const slopes = problem.linear.slice();
    beta.forEach((own, v) => {
      if (own !== 0)
        kernel.row(v).forEach((value, w) => {
          slopes[w]! += own * value;
        });
    });
    let [least, most] = [Infinity, -Infinity];
    slopes.forEach((slope, v) => {
      expect(gradient[v]).toBeCloseTo(slope, 6);
      if (beta[v]! < problem.high[v]!) least = Math.min(least, slope);
      if (beta[v]! > problem.low[v]!) most = Math.max(most, slope);
    });
    expect(most - least).toBeLessThanOrEqual(1.001e-3);
  });
});

// Float32, of columns rounded to some 2^-22 of their range.
test('kernels are exp(−gamma · distance²), to six digits', () => {
  const sample = makeSample(60, 5, 2, 3);
  const { x } = sample;
  const kernel = kernelOf(sample);
  const { variance } = fixPoints(x, allRows(60));
  for (let a = 0; a < 60; a++)
    kernel.row(a).forEach((value, b) => {
      let distance = 0;
      for (let f = 0; f < 5; f++) distance += (x.data[f * 60 + a]! - x.data[f * 60 + b]!) ** 2;
      expect(Math.abs(value - Math.exp(-distance / variance))).toBeLessThan(1e-6);
    });
});

test('distances are integers and exact, however unlike the columns are', () => {
  const wild = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(wild, (values) => {
      const x = { rows: 3, columns: 2, names: ['a', 'b'], data: Float32Array.from(values) };
      const { fixed } = fixPoints(x, allRows(3));
      const { norms, columns } = toPoints(fixed, x);
      for (const norm of norms) expect(Number.isSafeInteger(norm) && norm <= 2 ** 50).toBe(true);
      for (const column of columns) for (const value of column) expect(Number.isInteger(value)).toBe(true);
    }),
  );
});

describe('probabilities', () => {
  const logits = (k: number) =>
    fc.array(fc.double({ min: -30, max: 30, noNaN: true }), { minLength: pairsOf(k).length, maxLength: pairsOf(k).length });

  test('of two classes are the sigmoid', () => {
    for (const logit of [-12, -1, 0, 0.5, 9])
      expect(couple(Float64Array.of(logit), [0, 1], 2)[0]).toBeCloseTo(1 / (1 + Math.exp(-logit)), 5);
  });

  test('of pairs that agree on probabilities are those (Price et al. 1995)', () => {
    const truth = [0.5, 0.3, 0.15, 0.05];
    const agreed = pairsOf(4).map(([i, j]) => Math.log(truth[i]! / truth[j]!));
    couple(Float64Array.from(agreed), [0, 1, 2, 3], 4).forEach((p, k) => {
      expect(p).toBeCloseTo(truth[k]!, 5);
    });
  });

  test('add up to 1, whatever the pairs say; absent classes have none', () => {
    fc.assert(
      fc.property(logits(5), (of) => {
        const p = couple(Float64Array.from(of), [0, 2, 3, 4, 6], 7);
        expect(p.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);
        expect([p[1], p[5]]).toEqual([0, 0]);
      }),
    );
  });

  test('are learned from decisions: of a logit itself, one and nothing', () => {
    const decisions = Float64Array.from({ length: 20_000 }, (_, i) => (i % 200) / 25 - 4);
    // Of each 200 decisions that are equal, as many are positive as the logit says.
    const positive = Uint8Array.from(decisions, (d, i) => (Math.floor(i / 200) / 100 < 1 / (1 + Math.exp(-d)) ? 1 : 0));
    const { slope, intercept } = fitSigmoid(decisions, positive);
    expect(slope).toBeCloseTo(1, 1);
    expect(intercept).toBeCloseTo(0, 1);
  });

  test.each(['rbf', 'linear'])('are as good as they say, and better than the shares: %s', async (kernel) => {
    const sample = makeSample(1200, 6, 2, 8);
    const model = await fit(pickRows(sample, allRows(600)), { kernel });
    const unseen = pickRows(
      sample,
      allRows(600).map((row) => row + 600),
    );
    const { logLoss } = score(unseen.y, await model.predict(unseen.x));
    expect(logLoss).toBeLessThan(0.4);
  });
});

test.each([
  ['two classes', 2],
  ['three classes', 3],
  ['regression', 0],
])('all candidates of a grid equal a fit of each alone, bit for bit: %s', async (_, classes) => {
  const sample = makeSample(240, 6, classes, 11);
  const [fold] = splitFolds(sample.y, 4, 1);
  const grid = { ...svm.grid, gamma: ['scale', 0.3], ...(classes ? { classWeight: [null, 'balanced'] } : { epsilon: [0.1, 0.3] }) };
  const candidates = expandGrid(grid).map(svm.parse);
  const [train, valid] = [pickRows(sample, fold!.train), pickRows(sample, fold!.valid)];
  let seen = 0;
  for await (const { candidate, predictions } of svm.predictGrid(sample.x, sample.y, fold!.train, fold!.valid, candidates, context)) {
    expect(predictions).toEqual(await (await fit(train, candidates[candidate]!)).predict(valid.x));
    seen++;
  }
  expect(seen).toBe(candidates.length);
});

test('a class that is in no train row is never the answer', async () => {
  const { x, y } = makeSample(300, 4, 2, 5);
  if (y.task !== 'classification') throw new TypeError();
  const labels = y.labels.map((k) => (k === 0 ? 1 : 3));
  for (const kernel of ['rbf', 'linear']) {
    const model = await fit({ x, y: { ...y, labels, classes: 5 } }, { kernel });
    const [wide, narrow] = [numbersOf(await model.predict(x)), numbersOf(await (await fit({ x, y }, { kernel })).predict(x))];
    for (let row = 0; row < x.rows; row++)
      expect([...wide.subarray(row * 5, row * 5 + 5)]).toEqual([0, narrow[row * 2], 0, narrow[row * 2 + 1], 0]);
    expect(await askGraph(model, x)).toEqual(wide);
  }
});

test('features that do not vary tell nothing: the classes have their shares', async () => {
  const { x, y } = makeSample(40, 2, 2, 5);
  const model = await fit({ x: { ...x, data: new Float32Array(80).fill(3) }, y }, {});
  expect(numbersOf(await model.predict(x)).subarray(0, 2)).toEqual(Float32Array.of(0.5, 0.5));
});

test('balanced classes weigh the same, however few rows one has', async () => {
  const { x, y } = makeSample(1500, 5, 2, 8);
  if (y.task !== 'classification') throw new TypeError();
  const rare = pickRows(
    { x, y },
    Int32Array.from(y.labels.keys()).filter((row) => y.labels[row] === 0 || row % 20 === 0),
  );
  const model = await fit(rare, { classWeight: 'balanced', C: 0.1 });
  const plain = await fit(rare, { C: 0.1 });
  const balanced = async (of: SvmModel) => score(rare.y, await of.predict(rare.x)).rocAuc!;
  expect(await balanced(model)).toBeGreaterThan((await balanced(plain)) - 0.02);
  expect(model.serialize()).not.toEqual(plain.serialize());
});

test('targets of any size keep their scale', async () => {
  for (const [base, scale] of [
    [1e6, 1e-3],
    [-1e30, 1e28],
    [0, 0],
  ] as const) {
    const { x, y } = makeSample(200, 4, 0, 9);
    if (y.task !== 'regression') throw new TypeError();
    const values = y.values.map((value) => base + scale * (value - 100));
    for (const kernel of ['rbf', 'linear']) {
      const model = await fit({ x, y: { task: 'regression', values } }, { kernel });
      const predicted = numbersOf(await model.predict(x));
      predicted.forEach((value, row) => {
        expect(Math.abs(value - values[row]!)).toBeLessThanOrEqual(Math.max(scale * 20, Math.abs(base) * 2 ** -23));
      });
      expect(await askGraph(model, x)).toEqual(predicted);
    }
  }
});

test('the committed kernel is what its source compiles to', async () => {
  const committed = readFileSync(new URL('../../core/models/svm/kernel/rbf.wasm.ts', import.meta.url), 'utf8');
  expect(await compileKernel('models/svm/kernel/rbf.wasm.ts')).toBe(committed);
});

test('a model of another format is refused', () => {
  expect(() => SvmModel.deserialize(Buffer.from('{"format":99}'))).toThrow(/format 99/);
});

const kernels = ['rbf', 'linear'];

test.skipIf(!pythonHas('onnxruntime', 'numpy'))("Python's onnxruntime answers the same bits (needs onnxruntime and numpy)", async () => {
  const cases = await Promise.all(
    [2, 4, 0].flatMap((classes) =>
      kernels.map(async (kernel) => {
        const sample = makeSample(500, 6, classes, 21);
        return { model: await fit(sample, { kernel, C: 10 }), x: edgeRows(sample.x) };
      }),
    ),
  );
  expect(await differences(cases)).toEqual(cases.map(() => 0));
});

// The same optimum to a tolerance; labels are those of the calibrated probabilities, as scikit-learn's of the sign: some rows near the boundary differ.
const rivals = {
  rbf: ['SVC', 'SVR', {}],
  linear: ['LinearSVC', 'LinearSVR', { loss: 'squared_epsilon_insensitive', epsilon: 0.1, dual: false }],
} as const;

test
  .skipIf(!pythonHas('sklearn'))
  .each((['rbf', 'linear'] as const).flatMap((kernel) => [2, 4, 0].map((classes) => [kernel, classes] as const)))(
  "predicts as well as scikit-learn's on the same folds (needs scikit-learn): %s, %i classes",
  async (kernel, classes) => {
    const { x, y } = makeSample(1000, 7, classes, 31);
    // Without the constant column, whose mean scikit-learn counts in its gamma.
    const sample = { x: { ...x, columns: 6, data: x.data.subarray(0, 6 * x.rows) }, y };
    const [classifier, regressor, options] = rivals[kernel];
    const rival: [string, string, object] = ['sklearn.svm', classes ? classifier : regressor, { C: 10, ...(classes ? {} : options) }];
    const { ours, theirs } = await rivalScores(sample, svm, { kernel, C: 10 }, rival);
    expect(ours).toBeGreaterThan(theirs - 0.01);
  },
);
