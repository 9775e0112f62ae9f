/** The nodes of answers, asked by two runtimes, give what our own arithmetic gives: to the bit, for any probabilities and values. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { type Answers, answer, answerToOnnx } from '../../core/answers/answers.ts';
import { calibrationKinds } from '../../core/answers/calibration.ts';
import type { Curve, Isotonic } from '../../core/answers/isotonic.ts';
import { logarithm } from '../../core/models/exact/logarithm.ts';
import type { Predictions } from '../../core/models/model.ts';
import { OnnxGraph } from '../../core/onnx/graph.ts';
import { bits } from '../onnx/bits.ts';
import { pythonHas, runPython } from '../python.ts';

interface Case {
  graph: Uint8Array;
  width: number;
  numbers: Float32Array;
  /** Name of an output → its numbers. */
  answers: Record<string, number[]>;
}

/** What our runtime was asked, for Python's to be asked too. */
const asked: Case[] = [];
const mostAsked = 100;

const finite = fc.double({ min: -20, max: 20, noNaN: true });
const float32 = fc.float({ noNaN: true, noDefaultInfinity: true });
const probability = fc.oneof(fc.float({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1, 0.5, 2 ** -149, 1 - 2 ** -24));

function classification(classes: number) {
  const byClass = <T>(each: fc.Arbitrary<T>) => fc.array(each, { minLength: classes, maxLength: classes });
  const answers = fc.record(
    {
      calibration: fc.record({
        kind: fc.constantFrom(...calibrationKinds.filter((kind) => kind !== 'isotonic')),
        floor: fc.constantFrom(2 ** -20, 2 ** -10),
        scales: byClass(fc.double({ min: 0, max: 6, noNaN: true })),
        biases: byClass(finite),
      }),
      decision: byClass(fc.float({ min: Math.fround(0.01), max: 100, noNaN: true })),
      coverage: fc.constant(0.9),
      setFrom: fc.float({ min: 0, max: 1, noNaN: true }),
    },
    { requiredKeys: [] },
  );
  const numbers = fc.array(byClass(probability), { minLength: 1, maxLength: 20 }).map((rows) => Float32Array.from(rows.flat()));
  return fc.record({
    answers: answers as fc.Arbitrary<Answers>,
    predictions: numbers.map((probabilities): Predictions => ({ task: 'classification', classes, probabilities })),
  });
}

const curve = fc
  .tuple(fc.uniqueArray(fc.float({ min: 0, max: 1, noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 6 }), fc.nat(6))
  .map(([from, seed]): Curve => {
    const sorted = from.filter((each) => !Object.is(each, -0)).sort((a, b) => a - b);
    const said = sorted.length > 0 ? sorted : [0.5];
    return { from: said, to: said.map((_, i) => (i + 1) / (said.length + 1 + seed)) };
  });

/** Of two classes one curve, of more as many. */
function isotonic(classes: number): fc.Arbitrary<Isotonic> {
  const count = classes === 2 ? 1 : classes;
  return fc.record({ kind: fc.constant('isotonic'), curves: fc.array(curve, { minLength: count, maxLength: count }) });
}

const regression = fc.record({
  answers: fc.uniqueArray(float32, { maxLength: 5 }).chain((edges) => {
    const bounds = fc.array(float32, { minLength: edges.length + 1, maxLength: edges.length + 1 });
    return fc.record({
      coverage: fc.constant(0.9),
      intervals: fc.record({ edges: fc.constant(edges.sort((a, b) => a - b)), low: bounds, high: bounds }),
    });
  }) as fc.Arbitrary<Answers>,
  predictions: fc
    .array(float32, { minLength: 1, maxLength: 20 })
    .map((values): Predictions => ({ task: 'regression', values: Float32Array.from(values) })),
});

function graphOf(answers: Answers, { task }: Predictions, width: number): Uint8Array {
  const graph = new OnnxGraph(['numbers', 'best', 'set', 'interval']);
  const input = graph.input('raw', 'float', ['N', width]);
  const raw = graph.node('Identity', [input]);
  const { numbers, best, set, interval } = answerToOnnx(answers, task, graph, raw);
  graph.output('numbers', numbers, 'float', ['N', width]);
  if (best) graph.output('best', best, 'int64', ['N']);
  if (set) graph.output('set', set, 'bool', ['N', width]);
  if (interval) graph.output('interval', interval, 'float', ['N', 2]);
  return graph.toBytes({});
}

async function checkGraph(answers: Answers, predictions: Predictions): Promise<void> {
  const numbers = predictions.task === 'classification' ? predictions.probabilities : predictions.values;
  const width = predictions.task === 'classification' ? predictions.classes : 1;
  const graph = graphOf(answers, predictions, width);
  const session = await InferenceSession.create(graph);
  const outputs = await session.run({ raw: new Tensor('float32', numbers, [numbers.length / width, width]) });
  await session.release();
  const ours = answer(answers, predictions);
  const expected: Record<string, Float32Array | Int32Array | Uint8Array | undefined> =
    ours.task === 'classification'
      ? { numbers: ours.probabilities, best: ours.labels, set: ours.set }
      : { numbers: ours.values, interval: ours.interval };
  for (const [name, values] of Object.entries(expected)) {
    if (values instanceof Float32Array) expect(bits(outputs[name]!.data as Float32Array), name).toEqual(bits(values));
    else expect(outputs[name] && Array.from(outputs[name].data as Uint8Array, Number), name).toEqual(values && [...values]);
  }
  const told = Object.entries(expected).flatMap(([name, values]): [string, number[]][] => (values ? [[name, [...values]]] : []));
  if (asked.length < mostAsked) asked.push({ graph, width, numbers, answers: Object.fromEntries(told) });
}

describe('calibrated probabilities, labels and sets are the graph’s', () => {
  test.each([2, 3, 7])('of %i classes by curves', async (classes) => {
    const cases = fc.tuple(isotonic(classes), classification(classes)).map(([calibration, { answers, predictions }]) => ({
      answers: { ...answers, calibration } as Answers,
      predictions,
    }));
    await fc.assert(
      fc.asyncProperty(cases, ({ answers, predictions }) => checkGraph(answers, predictions)),
      { numRuns: 20 },
    );
  });

  test.each([2, 3, 7])('of %i classes', async (classes) => {
    await fc.assert(
      fc.asyncProperty(classification(classes), ({ answers, predictions }) => checkGraph(answers, predictions)),
      { numRuns: 60 },
    );
  });
});

test('intervals are the graph’s', async () => {
  await fc.assert(
    fc.asyncProperty(regression, ({ answers, predictions }) => checkGraph(answers, predictions)),
    { numRuns: 60 },
  );
});

const judge = `
import base64, json, sys, numpy as np, onnx, onnxruntime as ort
answers = []
for case in json.load(sys.stdin):
    onnx.checker.check_model(onnx.load(case["model"]), full_check=True)
    session = ort.InferenceSession(case["model"])
    raw = np.frombuffer(base64.b64decode(case["numbers"]), "<f4").reshape(-1, case["width"])
    names = [o.name for o in session.get_outputs()]
    answers.append({n: v.astype(np.float64).ravel().tolist() for n, v in zip(names, session.run(names, {"raw": raw}))})
print(json.dumps(answers).replace("NaN", "null").replace("-Infinity", "-1e999").replace("Infinity", "1e999"))
`;

test.skipIf(!pythonHas('onnx', 'onnxruntime', 'numpy'))(
  'Python’s onnxruntime gives them too [needs Python with onnx and onnxruntime]',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'ingot-answers-'));
    const request = asked.map(({ graph, width, numbers }, i) => {
      const model = join(folder, `${i}.onnx`);
      writeFileSync(model, graph);
      return { model, width, numbers: Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength).toString('base64') };
    });
    const answers = JSON.parse(runPython(judge, JSON.stringify(request))) as Case['answers'][];
    rmSync(folder, { recursive: true });
    expect(asked.length).toBe(mostAsked);
    const plain = (values: Case['answers']) =>
      Object.fromEntries(Object.entries(values).map(([name, each]) => [name, each.map((v) => v + 0)]));
    expect(answers.map(plain)).toEqual(asked.map((each) => plain(each.answers)));
  },
);

test('the logarithm is right to ten digits, from its floor to 1', () => {
  fc.assert(
    fc.property(fc.double({ min: 2 ** -40, max: 1, noNaN: true }), (p) => {
      expect(Math.abs(logarithm(p) - Math.log(p))).toBeLessThan(1e-10 * Math.max(1, -Math.log(p)));
    }),
  );
});
