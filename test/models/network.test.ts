import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileKernel } from '../../core/compile-kernels.ts';
import type { Params } from '../../core/models/model.ts';
import { encodeRows, fitEncoding } from '../../core/models/network/encoding.ts';
import { scoresOf } from '../../core/models/network/fixed-network.ts';
import { network } from '../../core/models/network/network.ts';
import { NetworkModel } from '../../core/models/network/network-model.ts';
import { networkConstraints, resolve } from '../../core/models/network/params.ts';
import { taskOf } from '../../core/models/network/task.ts';
import { type PlainLayer, Training } from '../../core/models/network/training.ts';
import { Workspace } from '../../core/models/network/workspace.ts';
import { describeParams } from '../../core/models/params.ts';
import { Random } from '../../core/random.ts';
import { splitFolds } from '../../core/search/folds.ts';
import { expandGrid } from '../../core/search/grid.ts';
import { score } from '../../core/search/metrics.ts';
import { pythonHas } from '../python.ts';
import { familyContract } from './contract.ts';
import { makeSample, numbersOf, pickRows, type Sample } from './data.ts';
import { askGraph, edgeRows } from './graph.ts';
import { forward, type NaiveLayer, trainNaively } from './naive-network.ts';
import { differences } from './python-parity.ts';
import { rivalScores } from './rival.ts';

describe('normalised', () => familyContract(network, { params: { epochs: 24, width: 32 }, seeded: true }));
describe('plain', () => familyContract(network, { params: { epochs: 20, width: 32, depth: 1, normalisation: 'none' }, seeded: true }));
describe('deep, without ranges', () =>
  familyContract(network, { params: { epochs: 30, width: 40, depth: 3, bins: 0, dropout: 0 }, seeded: true }));

const context = { seed: 3, workers: 1 };
const quick: Params = { epochs: 15, width: 32 };
const fit = async ({ x, y }: Sample, params: Params, given = context) => (await network.fit(x, y, params, given)) as NetworkModel;
const allRows = (rows: number) => Int32Array.from({ length: rows }, (_, row) => row);

describe('the loops', () => {
  const sizes = fc.record({
    rows: fc.integer({ min: 1, max: 6 }).map((n) => n * 4),
    inner: fc.integer({ min: 1, max: 19 }),
    columns: fc.integer({ min: 1, max: 4 }).map((n) => n * 8),
    seed: fc.nat(),
  });
  const whole = (random: Random) => random.below(2001) - 1000;

  test('multiply as their naive twin does', () => {
    fc.assert(
      fc.property(sizes, ({ rows, inner, columns, seed }) => {
        const work = new Workspace();
        const random = new Random(seed);
        const [a, b, start] = [rows * inner, inner * columns, columns].map((size) => work.floats(size)) as [
          Float32Array,
          Float32Array,
          Float32Array,
        ];
        for (const list of [a, b, start]) list.set(list.map(() => whole(random)));
        const [into, strip] = [work.floats(rows * columns), work.doubles(inner * 4)];
        const at = (list: Float32Array | Float64Array) => list.byteOffset;
        work.loops.multiply(at(a), at(b), at(start), at(into), rows, inner, columns, at(strip));
        // Whole numbers this small are exact in float32.
        const naive = into.map((_, place) => {
          const [i, j] = [Math.floor(place / columns), place % columns];
          return a.subarray(i * inner, (i + 1) * inner).reduce((sum, value, p) => sum + value * b[p * columns + j]!, start[j]!);
        });
        expect([...into]).toEqual([...naive]);
        const doubles = (list: Float32Array) => {
          const copy = work.doubles(list.length);
          copy.set(list);
          return copy.byteOffset;
        };
        const wide = work.doubles(rows * columns);
        work.loops.multiplyDoubles(doubles(a), doubles(b), doubles(start), at(wide), rows, inner, columns, at(strip));
        expect([...wide]).toEqual([...naive]);
      }),
      { numRuns: 50 },
    );
  });

  test('multiply and turn matrices whose rows are a power of two apart', () => {
    const work = new Workspace();
    const [rows, inner, columns] = [8, 1024, 2048];
    const random = new Random(5);
    const [a, b, turned, start] = [rows * inner, inner * columns, columns * inner, columns].map((size) => work.floats(size)) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    for (const list of [a, b, start]) list.set(list.map(() => random.below(7) - 3));
    const [into, strip] = [work.floats(rows * columns), work.floats(inner * 8)];
    const at = (list: Float32Array) => list.byteOffset;
    work.loops.multiply(at(a), at(b), at(start), at(into), rows, inner, columns, at(strip));
    work.loops.transpose(at(b), at(turned), inner, columns);
    const naive = into.map((_, place) => {
      const [own, other] = [Math.floor(place / columns) * inner, (place % columns) * inner];
      let sum = start[place % columns]!;
      for (let p = 0; p < inner; p++) sum += a[own + p]! * turned[other + p]!;
      return sum;
    });
    expect(into).toEqual(naive);
  });

  test('turn rows into columns', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 6 }), (fours, eights) => {
        const work = new Workspace();
        const [rows, columns] = [fours * 4, eights * 8];
        const [a, into] = [work.floats(rows * columns), work.floats(rows * columns)];
        a.set(a.map((_, i) => i));
        work.loops.transpose(a.byteOffset, into.byteOffset, rows, columns);
        into.forEach((value, at) => {
          expect(value).toBe((at % rows) * columns + Math.floor(at / rows));
        });
      }),
    );
  });

  test('find probabilities as exp and log do, to six digits', () => {
    const work = new Workspace();
    const scores = work.floats(4 * 8);
    const truth = work.uint32s(4);
    const likely = work.floats(4);
    const random = new Random(5);
    scores.set(scores.map(() => 20 * (random.uniform() - 0.5)));
    truth.set([0, 4, 2, 1]);
    const naive = Array.from({ length: 4 }, (_, row) => {
      const powers = [...scores.subarray(row * 8, row * 8 + 5)].map(Math.exp);
      return powers.map((power) => power / powers.reduce((a, b) => a + b));
    });
    work.loops.softmax(scores.byteOffset, 4, 5, 8, truth.byteOffset, likely.byteOffset);
    naive.forEach((row, i) => {
      row.forEach((p, k) => {
        expect(scores[i * 8 + k]).toBeCloseTo(p, 6);
      });
      expect(likely[i]).toBe(scores[i * 8 + truth[i]!]);
    });
  });

  test('leave out the share of units that dropout names, and make up for it', () => {
    const work = new Workspace();
    const size = 40_000;
    const units = work.floats(size).fill(1);
    const state = work.uint32s(4);
    state.set([1, 22, 333, 4444]);
    work.loops.activate(units.byteOffset, units.byteOffset, size * 4, 1 / 0.7, 0.3 * 2 ** 32, state.byteOffset);
    expect(units.filter((value) => value === 0).length / size).toBeCloseTo(0.3, 2);
    expect(units.reduce((a, b) => a + b) / size).toBeCloseTo(1, 1);
  });
});

describe.each(['none', 'batch'] as const)('training, normalisation %s', (normalisation) => {
  test.each([
    ['three classes', 3],
    ['regression', 0],
  ])('goes the steps of its naive twin, whose slopes are differences: %s', (_, classes) => {
    const rows = 32;
    const { x, y } = makeSample(rows, 4, classes, 9);
    const params = { ...resolve(network.parse({ width: 8, bins: 2, dropout: 0, weightDecay: 0.5, normalisation, batchSize: rows })) };
    const encoding = fitEncoding(x, allRows(rows), params.bins);
    const task = taskOf(y, allRows(rows), params);
    const training = new Training(x, allRows(rows), new Int32Array(), encoding, task, params, 1);
    const inputs = encoding.column.length;
    const copy = ({ weights, bias, inputs: from, outputs }: PlainLayer): NaiveLayer => ({
      weights: Array.from({ length: from }, (_, i) => [...weights.subarray(i * outputs, (i + 1) * outputs)]),
      bias: [...bias],
      gain: Array.from(bias, () => 1),
    });
    const naive = training.layers().map(copy);
    const units = new Float64Array(rows * inputs);
    encodeRows(encoding, x, 0, rows, units, inputs);
    const encoded = Array.from({ length: rows }, (_, row) =>
      Array.from({ length: naive[0]!.weights.length }, (_, i) =>
        i < inputs ? units[row * inputs + i]! * 2 ** -16 * encoding.gain[i]! - encoding.shift[i]! : 0,
      ),
    );
    const loss = (scores: number[][]) =>
      scores.reduce((sum, row, i) => {
        const truth = task.truth(i);
        if (classes === 0) return sum + (row[0]! - truth) ** 2 / rows;
        return sum + Math.log(row.slice(0, classes).reduce((all, value) => all + Math.exp(value - row[truth]!), 0)) / rows;
      }, 0);
    const options = { normalised: normalisation === 'batch', loss };
    expect(training.startLoss()).toBeCloseTo(loss(forward(naive, encoded, options).scores), 5);
    const steps = 4;
    for (let epoch = 0; epoch < steps; epoch++) for (const _ of training.epoch());
    const rates = Array.from({ length: steps }, (_, i) => (params.learningRate * (i + 1)) / 50 / (1 + i / 20));
    trainNaively(naive, encoded, options, rates, params.weightDecay);
    // The batch's loss before a fifth step is that of the network after four.
    const fifth = training.epoch();
    for (let step = fifth.next(); ; step = fifth.next())
      if (step.done) {
        expect(step.value).toBeCloseTo(loss(forward(naive, encoded, options).scores), 5);
        break;
      }
  });
});

test('loss falls, on rows that are held back too, and the curve begins with the shares', async () => {
  for (const classes of [2, 4, 0]) {
    const sample = makeSample(800, 6, classes, 4);
    const { learningCurve } = await fit(sample, { epochs: 20 });
    expect(learningCurve).toHaveLength(21);
    expect(learningCurve[0]).toBeCloseTo(classes === 0 ? 1 : Math.log(classes), 2);
    expect(learningCurve.at(-1)!).toBeLessThan(learningCurve[0]! / 2);
    const { params } = (await fit(sample, { epochs: 200, earlyStopping: true, nIterNoChange: 3 })) as NetworkModel;
    expect(params['epochs']).toBe(200);
  }
});

test('all candidates of a grid equal a fit of each alone, bit for bit; those of fewer epochs are on the way to more', async () => {
  for (const classes of [3, 0]) {
    const sample = makeSample(240, 6, classes, 11);
    const [fold] = splitFolds(sample.y, 4, 1);
    const grid = { epochs: [3, 9, 5], width: [16], earlyStopping: [false, true], nIterNoChange: [1], normalisation: ['batch', 'none'] };
    const candidates = expandGrid(grid).map(network.parse);
    const [train, valid] = [pickRows(sample, fold!.train), pickRows(sample, fold!.valid)];
    const seen = new Set<number>();
    for await (const { candidate, predictions } of network.predictGrid(sample.x, sample.y, fold!.train, fold!.valid, candidates, context)) {
      expect(predictions).toEqual(await (await fit(train, candidates[candidate]!)).predict(valid.x));
      seen.add(candidate);
    }
    expect(seen.size).toBe(candidates.length);
  }
});

test('a fold keeps the epoch that predicts its rows best, and that model is a fit of so many epochs', async () => {
  const sample = makeSample(400, 6, 2, 13);
  const [fold] = splitFolds(sample.y, 4, 1);
  const params = { epochs: 60, nIterNoChange: 5 };
  const { model, predictions, steps } = await network.fitFold!(sample.x, sample.y, fold!.train, fold!.valid, params, context);
  const again = await fit(pickRows(sample, fold!.train), { ...params, epochs: steps! });
  expect(again.serialize()).toEqual(model.serialize());
  const valid = pickRows(sample, fold!.valid);
  expect(await again.predict(valid.x)).toEqual(predictions);
  const lossOf = async (epochs: number) =>
    score(valid.y, await (await fit(pickRows(sample, fold!.train), { epochs })).predict(valid.x)).logLoss!;
  const own = score(valid.y, predictions).logLoss!;
  for (const other of [1, Math.max(1, steps! - 1), steps! + 1]) expect(own).toBeLessThanOrEqual((await lossOf(other)) + 1e-6);
});

test('where the time is over, a fold ends with what it has', async () => {
  const sample = makeSample(400, 6, 2, 13);
  const [fold] = splitFolds(sample.y, 4, 1);
  const given = { ...context, isOver: () => true };
  const { steps, predictions } = await network.fitFold!(sample.x, sample.y, fold!.train, fold!.valid, { epochs: 500 }, given);
  expect(steps).toBe(1);
  expect(numbersOf(predictions)).toHaveLength(2 * fold!.valid.length);
});

test('one worker or two: the same bytes', async () => {
  const sample = makeSample(300, 6, 3, 2);
  expect((await fit(sample, quick, { ...context, workers: 2 })).serialize()).toEqual((await fit(sample, quick)).serialize());
});

test('rows in another order, and a target of another unit, are learned as well', async () => {
  const sample = makeSample(600, 6, 0, 17);
  const unseen = makeSample(400, 6, 0, 18);
  const r2 = async ({ x, y }: Sample, model: NetworkModel) => score(y, await model.predict(x)).r2!;
  const plain = await r2(unseen, await fit(sample, quick));
  const turned = await r2(
    unseen,
    await fit(
      pickRows(
        sample,
        allRows(600).map((row) => 599 - row),
      ),
      quick,
    ),
  );
  expect(Math.abs(turned - plain)).toBeLessThan(0.03);
  for (const [base, scale] of [
    [1e6, 1e-3],
    [-1e30, 1e28],
  ] as const) {
    const other = ({ x, y }: Sample): Sample => ({
      x,
      y: { task: 'regression', values: (y as { values: Float64Array }).values.map((value) => base + scale * (value - 100)) },
    });
    const model = await fit(other(sample), quick);
    if (scale > 1) expect(Math.abs((await r2(other(unseen), model)) - plain)).toBeLessThan(0.03);
    expect(await askGraph(model, unseen.x)).toEqual(numbersOf(await model.predict(unseen.x)));
  }
});

test('values far apart, and none, do no harm', async () => {
  const { x, y } = makeSample(200, 6, 2, 21);
  const data = x.data.slice();
  data.set([3e38, -3e38, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-45], 0);
  const model = await fit({ x: { ...x, data }, y }, quick);
  const answers = numbersOf(await model.predict(x));
  for (const value of answers) expect(Number.isFinite(value)).toBe(true);
  expect(await askGraph(model, { ...x, data })).toEqual(numbersOf(await model.predict({ ...x, data })));
});

test('a class that is in no train row is never the answer', async () => {
  const { x, y } = makeSample(300, 4, 2, 5);
  if (y.task !== 'classification') throw new TypeError();
  const model = await fit({ x, y: { ...y, labels: y.labels.map((k) => (k === 0 ? 1 : 3)), classes: 5 } }, quick);
  const [wide, narrow] = [numbersOf(await model.predict(x)), numbersOf(await (await fit({ x, y }, quick)).predict(x))];
  for (let row = 0; row < x.rows; row++)
    expect([...wide.subarray(row * 5, row * 5 + 5)]).toEqual([0, narrow[row * 2], 0, narrow[row * 2 + 1], 0]);
  expect(await askGraph(model, x)).toEqual(wide);
});

test('features that do not vary tell nothing: the classes have their shares', async () => {
  const { x, y } = makeSample(40, 2, 2, 5);
  const model = await fit({ x: { ...x, data: new Float32Array(80).fill(3) }, y }, {});
  numbersOf(await model.predict(x)).forEach((p) => {
    expect(p).toBeCloseTo(0.5, 6);
  });
  expect(await askGraph(model, x)).toEqual(numbersOf(await model.predict(x)));
});

test('sums of a fixed network are exact: its naive twin in whole numbers without bounds gives the same', async () => {
  const { x, y } = makeSample(120, 6, 3, 8);
  const model = (await fit({ x, y }, { epochs: 5, width: 64 })) as unknown as { network: Parameters<typeof scoresOf>[0] };
  const { encoding, layers } = model.network;
  const inputs = layers[0]!.inputs;
  const first = new Float64Array(x.rows * inputs);
  encodeRows(encoding, x, 0, x.rows, first, inputs);
  const scores = scoresOf(model.network, x);
  for (let row = 0; row < x.rows; row += 7) {
    let active = [...first.subarray(row * inputs, (row + 1) * inputs)].map(BigInt);
    layers.forEach(({ weights, bias, outputs, scale }, l) => {
      const sums = Array.from({ length: outputs }, (_, k) =>
        active.reduce((sum, value, i) => sum + value * BigInt(weights[i * outputs + k]!), BigInt(bias[k]!)),
      );
      for (const sum of sums) expect(sum < 2n ** 53n && sum > -(2n ** 53n)).toBe(true);
      const scaled = sums.map((sum) => Number(sum) * scale);
      if (l === layers.length - 1) expect([...scores.subarray(row * outputs, (row + 1) * outputs)]).toEqual(scaled);
      else {
        // To the nearest, of two the even one.
        const even = (value: number) => (value % 1 === 0.5 ? 2 * Math.round(value / 2) : Math.round(value));
        active = scaled.map((value) => BigInt(even(Math.max(0, Math.min(2 ** 21, value)))));
      }
    });
  }
});

test('the committed kernel is what its source compiles to', async () => {
  const committed = readFileSync(new URL('../../core/models/network/kernel/network.wasm.ts', import.meta.url), 'utf8');
  expect(await compileKernel('models/network/kernel/network.wasm.ts')).toBe(committed);
});

test('the table of parameters documents itself', () => {
  expect(describeParams(networkConstraints)).toContain("| `normalisation` | 'none' or 'batch' | `\"batch\"` |");
});

test('a model of another format is refused', () => {
  const bytes = Buffer.from('....{"format":99}');
  bytes.writeUInt32LE(13);
  expect(() => NetworkModel.deserialize(bytes)).toThrow(/format 99/);
});

test.skipIf(!pythonHas('onnxruntime', 'numpy'))("Python's onnxruntime answers the same bits (needs onnxruntime and numpy)", async () => {
  const cases = await Promise.all(
    [2, 4, 0].flatMap((classes) =>
      ['none', 'batch'].map(async (normalisation) => {
        const sample = makeSample(500, 6, classes, 21);
        return { model: await fit(sample, { ...quick, normalisation, width: 64 }), x: edgeRows(sample.x) };
      }),
    ),
  );
  expect(await differences(cases)).toEqual(cases.map(() => 0));
});

// The same layers, and as little held back as scikit-learn does by itself: what differs then is chance.
test.skipIf(!pythonHas('sklearn')).each([2, 4, 0])(
  "predicts as well as scikit-learn's on the same folds (needs scikit-learn): %i classes",
  async (classes) => {
    const sample = makeSample(1000, 7, classes, 31);
    const options = { hidden_layer_sizes: [64, 64], max_iter: 100, random_state: 1 };
    const plain = { bins: 0, dropout: 0, weightDecay: 0, normalisation: 'none' };
    const params = { ...plain, width: 64, epochs: 100, batchSize: 32 };
    const rival: [string, string, object] = ['sklearn.neural_network', classes ? 'MLPClassifier' : 'MLPRegressor', options];
    const { ours, theirs } = await rivalScores(sample, network, params, rival);
    expect(ours).toBeGreaterThan(theirs - 0.01);
  },
);
