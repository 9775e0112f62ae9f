import fc from 'fast-check';
import { expect, test } from 'vitest';
import { transform } from '../../core/features/tabular.ts';
import type { Matrix } from '../../core/models/model.ts';
import { OnnxGraph } from '../../core/onnx/graph.ts';
import { buildModelGraph } from '../../core/onnx/model-graph.ts';
import { readMetadata } from '../../core/onnx/wire.ts';
import { argmax } from '../../core/search/metrics.ts';
import type { RawRows } from '../../core/serving/rows.ts';
import { loadModel } from '../../core/serving/session.ts';
import { type Cells, fitCells, frameOfRows, hostileNames, tables, windowGraph } from '../features/tables.ts';
import { pythonHas } from '../python.ts';
import { bits } from './bits.ts';
import { askPython, type PythonAnswer } from './python.ts';

const python = pythonHas('onnx', 'onnxruntime', 'numpy');

/** What the tests below ask of our runtime, for Python's to be asked too. */
const asked: { model: Uint8Array; rows: RawRows; answer: PythonAnswer }[] = [];

function rowMajor({ rows, columns, data }: Matrix): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, i) => data[(i % columns) * rows + Math.floor(i / columns)]!);
}

function labelsOf(features: Float32Array, names: readonly string[]): string[] {
  return Array.from(argmax(features, names.length), (best) => names[best]!);
}

function rowsOf(columns: RawRows['columns']): RawRows {
  return { rows: columns[0]!.length, columns };
}

async function seenByRuntime(model: Uint8Array, rows: RawRows): Promise<Float32Array> {
  const predictor = await loadModel(model);
  const predictions = predictor.run(rows);
  predictor.dispose();
  if (predictions.task !== 'classification') throw new Error('not the window');
  return predictions.probabilities;
}

test('the graph computes the features of any table bit for bit as transform does', async () => {
  await fc.assert(
    fc.asyncProperty(tables, async ({ train, raw }) => {
      const extra: Cells = { name: 'one more', type: 'number', cells: train[0]!.cells.map((_, i) => i) };
      const preprocess = fitCells([...train, extra]);
      const rows = rowsOf([...raw, new Float32Array(raw[0]!.length)]);
      const features = rowMajor(transform(preprocess, frameOfRows(preprocess, rows)));
      const model = windowGraph(preprocess);
      expect(bits(await seenByRuntime(model, rows))).toEqual(bits(features));
      if (asked.length < 50) asked.push({ model, rows, answer: { numbers: features, labels: labelsOf(features, preprocess.features) } });
    }),
    { numRuns: 200 },
  );
});

test('columns may have any name: ONNX gets one that it can carry, the answer and the card keep the user’s', async () => {
  const preprocess = fitCells(hostileNames.map((name, i) => ({ name, type: 'number', cells: [i, i + 1] })));
  const model = windowGraph(preprocess);
  const predictor = await loadModel(model);
  expect(predictor.card.columns.map(({ name }) => name)).toEqual(hostileNames);
  expect(new Set(predictor.card.columns.map(({ input }) => input)).size).toBe(hostileNames.length);
  expect(predictor.card.columns.filter(({ name, input }) => name !== input).map(({ name }) => name)).toEqual([
    'label',
    'probabilities',
    'value',
    '',
  ]);
  const rows = rowsOf(hostileNames.map((_, i) => Float32Array.of(i)));
  expect(Object.values((predictor.predict(rows)[0] as { probabilities: object }).probabilities)).toEqual(hostileNames.map(() => -1));
});

test('the label is the class of the highest probability, the first of equal ones, typed as the target was', async () => {
  const preprocess = {
    ...fitCells([{ name: 'n', type: 'number' as const, cells: [-1, 1] }]),
    classes: ['10', '20', '30'],
    classType: 'integer' as const,
  };
  const model = buildModelGraph({
    preprocess,
    model: { toOnnx: (graph, x) => graph.node('Concat', [x, graph.node('Neg', [x]), x], { axis: { int: 1 } }) },
  });
  const rows = rowsOf([Float32Array.of(-1, 0, 1)]);
  const predictor = await loadModel(model);
  expect(predictor.predict(rows).map((answer) => 'label' in answer && answer.label)).toEqual([20, 10, 10]);
  asked.push({ model, rows, answer: { numbers: Float32Array.of(-1, 1, -1, 0, -0, 0, 1, -1, 1), labels: [20, 10, 10] } });
});

test('a regressor answers with value and has no label', async () => {
  const preprocess = { ...fitCells([{ name: 'n', type: 'number' as const, cells: [-1, 1] }]), task: 'regression' as const };
  const model = buildModelGraph({ preprocess, model: { toOnnx: (graph, x) => graph.node('Abs', [x]) } });
  const predictor = await loadModel(model);
  const rows = rowsOf([Float32Array.of(-1, 1)]);
  expect(predictor.predict(rows)).toEqual([{ value: 1 }, { value: 1 }]);
  asked.push({ model, rows, answer: { numbers: Float32Array.of(1, 1), labels: null } });
});

test.skipIf(!python)('Python’s onnxruntime answers all of the above alike (needs the packages onnx, onnxruntime and numpy)', () => {
  const comparable = ({ numbers, labels }: PythonAnswer) => ({ numbers: bits(numbers), labels });
  expect(askPython(asked).map(comparable)).toEqual(asked.map(({ answer }) => comparable(answer)));
});

test('the same calls give the same bytes, and the metadata is read back from them', () => {
  const preprocess = fitCells([{ name: 'n', type: 'number', cells: [-1, 1] }]);
  const build = (metadata: Record<string, string>) =>
    buildModelGraph({ preprocess, metadata, model: { toOnnx: (graph, x) => graph.node('Softmax', [x]) } });
  expect(build({ a: '1', b: 'ü\n"' })).toEqual(build({ b: 'ü\n"', a: '1' }));
  const metadata = readMetadata(build({ a: '1', b: 'ü\n"', model: 'mine' }));
  expect(metadata.get('b')).toBe('ü\n"');
  expect(JSON.parse(metadata.get('ingot.card')!)).toMatchObject({
    model: 'mine',
    target: 'the answer',
    columns: [{ name: 'n', input: 'n' }],
  });
});

test('metadata is not read from what is no model', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        readMetadata(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
  );
});

test('attributes of any size survive: ints negative and wide, floats with NaN and −0, in packed form', async () => {
  const graph = new OnnxGraph(['y']);
  graph.input('x', 'float', ['N', 1]);
  const trees = { domain: 'ai.onnx.ml' } as const;
  const keys = [-1, -(2 ** 40), 0, 127, 128, 2 ** 31, 2 ** 52];
  const codes = graph.node(
    'LabelEncoder',
    [graph.int64s(keys)],
    { keys_int64s: { ints: keys }, values_floats: { floats: [1, 2, 3, 4, 5, 6, -0] } },
    trees,
  );
  graph.output('y', codes, 'float', [keys.length]);
  const { binding, initOrt } = await import('onnxruntime-node/dist/binding.js');
  initOrt();
  const session = new binding.InferenceSession();
  const bytes = graph.toBytes({});
  session.loadModel(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength, {});
  const x = { type: 'float32', data: new Float32Array(1), dims: [1, 1], location: 'cpu' } as never;
  expect(session.run({ x }, { y: null }, {})['y']!.data).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6, -0));
});
