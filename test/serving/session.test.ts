import { expect, test } from 'vitest';
import { fuseInputs } from '../../core/onnx/fuse-inputs.ts';
import { OnnxGraph } from '../../core/onnx/graph.ts';
import { buildModelGraph } from '../../core/onnx/model-graph.ts';
import { loadModel } from '../../core/serving/session.ts';
import { fitCells, windowGraph } from '../features/tables.ts';
import { serve } from './model.ts';

const rows = { rows: 1, columns: [Float32Array.of(60), Float32Array.of(4), ['male'], ['true']] };

test.each([
  ['string', ['__proto__', 'constructor'], '"constructor"'],
  ['integer', ['1', '7'], '7'],
  ['boolean', ['false', 'true'], 'true'],
] as const)(
  'labels of a %s target are written as such, and probabilities bear the names of the classes',
  async (classType, classes, label) => {
    const [answer] = (await serve({ classType, classes: [...classes] })).predict(rows);
    const text = JSON.stringify(answer);
    expect(text).toMatch(new RegExp(`^{"label":${label},"probabilities":{"${classes[0]}":0\\.\\d+,"${classes[1]}":0\\.\\d+}}$`));
  },
);

test('one request follows another on the same session, of one row or many, and none changes its rows', async () => {
  const predictor = await serve();
  const [one] = predictor.predict(rows);
  const many = { rows: 3, columns: [Float32Array.of(20, 60, 60), Float32Array.of(1, 4, 4), ['x', 'male', 'male'], ['', 'true', 'true']] };
  const copy = structuredClone(many);
  expect(predictor.predict(many).slice(1)).toEqual([one, one]);
  expect(many).toEqual(copy);
  expect(predictor.predict(rows)).toEqual([one]);
});

test('thousands of rows are answered as each would be alone', async () => {
  const count = 2500;
  const predictor = await serve();
  const ages = Float32Array.from({ length: count }, (_, row) => row % 90);
  const [fours, males, trues] = [
    new Float32Array(count).fill(4),
    new Array<string>(count).fill('male'),
    new Array<string>(count).fill('true'),
  ];
  const answers = predictor.predict({ rows: count, columns: [ages, fours, males, trues] });
  expect(answers).toHaveLength(count);
  for (const row of [0, 1023, 1024, 2499])
    expect([answers[row]]).toEqual(predictor.predict({ ...rows, columns: [ages.slice(row, row + 1), ...rows.columns.slice(1)] }));
});

test.each([
  ['empty', new Uint8Array()],
  ['text', Buffer.from('not a model')],
  ['zeros', new Uint8Array(100)],
  ['without a card', new OnnxGraph([]).toBytes({ 'another.card': '{}' })],
  [
    'cut off',
    buildModelGraph({ preprocess: fitCells([{ name: 'n', type: 'number', cells: [1, 2] }]), model: { toOnnx: (_, x) => x } }).subarray(
      0,
      -20,
    ),
  ],
])('a file that is %s is refused as a model', async (_, bytes) => {
  await expect(loadModel(bytes)).rejects.toMatchObject({ code: 'InvalidRequest', where: 'model.onnx' });
});

test('serving hands the numbers of a row over as one tensor, also where they stand beside categories', () => {
  const numbers = fitCells([
    { name: 'a', type: 'number', cells: [1, 2] },
    { name: 'b', type: 'number', cells: [3, 4] },
    { name: 'c', type: 'category', cells: ['x', 'y'] },
  ]);
  expect(fuseInputs(windowGraph(numbers), new Set(['a', 'b']))).toMatchObject({ columns: ['a', 'b'] });
});

test('a graph that uses a number otherwise keeps its inputs', () => {
  const build = (use: (graph: OnnxGraph, a: string, b: string) => string) => {
    const graph = new OnnxGraph(['y']);
    const [a, b] = [graph.input('a', 'float', ['N', 1]), graph.input('b', 'float', ['N', 1])];
    graph.output('y', use(graph, a, b), 'float', ['N', 2]);
    return fuseInputs(graph.toBytes({}), new Set(['a', 'b']));
  };
  const beside = (graph: OnnxGraph, parts: string[]) => graph.node('Concat', parts, { axis: { int: 1 } });
  expect(build((graph, a, b) => beside(graph, [b, a]))).toMatchObject({ columns: ['b', 'a'] });
  expect(build((graph, a) => beside(graph, [a]))).toMatchObject({ columns: ['a'] });
  expect(build((graph, a, b) => graph.node('Add', [a, b]))).toBeUndefined();
  expect(build((graph, a) => beside(graph, [a, a]))).toBeUndefined();
  expect(build((graph, a, b) => beside(graph, [graph.node('Neg', [a]), b]))).toBeUndefined();
  expect(build((graph, a, b) => beside(graph, [a, graph.node('Neg', [a]), b]))).toBeUndefined();
});
