import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Preprocess } from '../../core/features/preprocess.ts';
import { transform } from '../../core/features/tabular.ts';
import { forest } from '../../core/models/forest/forest.ts';
import type { FittedModel, Target } from '../../core/models/model.ts';
import { buildModelGraph } from '../../core/onnx/model-graph.ts';
import { optimiseGraph } from '../../core/onnx/optimise.ts';
import { Random } from '../../core/random.ts';
import { edgeRows, rawRowsOf } from '../../core/registry/parity.ts';
import type { RawRows } from '../../core/serving/rows.ts';
import { loadModel } from '../../core/serving/session.ts';
import { type Cells, fitCells, frameOf, frameOfRows, tables } from '../features/tables.ts';
import { pythonHas } from '../python.ts';
import { bits } from './bits.ts';
import { askPython } from './python.ts';

const python = pythonHas('onnx', 'onnxruntime', 'numpy');

async function fitForest(preprocess: Preprocess, columns: readonly Cells[], target: Target, trees = 10): Promise<FittedModel> {
  return forest.fit(transform(preprocess, frameOf(columns)), target, forest.parse({ nEstimators: trees }), { seed: 1, workers: 1 });
}

/** A table whose answer depends on all kinds of columns, one of them often missing, and one on which it doesn't depend. */
function madeTable(rows: number): { columns: Cells[]; labels: Int32Array } {
  const random = new Random(5);
  const draw = <T>(make: () => T) => Array.from({ length: rows }, make);
  const size = draw(() => (random.below(4) === 0 ? null : Math.fround(random.uniform() * 100)));
  const shape = draw(() => ['round', 'square', 'odd', null][random.below(4)]!);
  const heavy = draw(() => ['true', 'false'][random.below(2)]!);
  const labels = Int32Array.from(size, (value, i) =>
    value === null ? 0 : value > 50 ? 1 : shape[i] === 'odd' ? 2 : heavy[i] === 'true' ? 1 : 0,
  );
  return {
    columns: [
      { name: 'size', type: 'number', cells: size },
      { name: 'shape', type: 'category', cells: shape },
      { name: 'heavy', type: 'boolean', cells: heavy },
      { name: 'always the same', type: 'number', cells: draw(() => 7) },
    ],
    labels,
  };
}

async function answers(graph: Uint8Array, rows: RawRows): Promise<number[]> {
  const predictor = await loadModel(graph);
  const predictions = predictor.run(rows);
  predictor.dispose();
  return bits(predictions.task === 'classification' ? predictions.probabilities : predictions.values);
}

describe('a forest', () => {
  const { columns, labels } = madeTable(300);
  const preprocess = { ...fitCells(columns), classes: ['a', 'b', 'c'] };
  const target: Target = { task: 'classification', classes: 3, labels };
  const rows = rawRowsOf(frameOf(columns));

  test('takes the preprocessing of numbers into its trees, drops what no split uses, and answers as before', async () => {
    const model = await fitForest(preprocess, columns, target);
    const { graph, report } = await optimiseGraph({ preprocess, model }, rows);
    expect(report.kept).toBe('folded');
    expect(report.after.bytes).toBe(graph.length);
    expect(report.after.bytes).toBeLessThan(report.before.bytes);
    const trained = await model.predict(transform(preprocess, frameOf(columns)));
    expect(await answers(graph, rows)).toEqual(trained.task === 'classification' && bits(trained.probabilities));
    expect((await loadModel(graph)).card.columns.map(({ name }) => name)).toEqual(columns.map(({ name }) => name));
  });

  test('answers as the trained model at the edges of its splits and beside them', async () => {
    const model = await fitForest(preprocess, columns, target);
    const edges = edgeRows(frameOf(columns), preprocess, model);
    expect(edges.rows).toBeGreaterThan(100);
    const trained = await model.predict(transform(preprocess, edges));
    const { graph } = await optimiseGraph({ preprocess, model });
    expect(await answers(graph, rawRowsOf(edges))).toEqual(trained.task === 'classification' && bits(trained.probabilities));
  });

  test('gives the same bytes each time', async () => {
    const model = await fitForest(preprocess, columns, target);
    expect((await optimiseGraph({ preprocess, model })).graph).toEqual((await optimiseGraph({ preprocess, model }, rows)).graph);
  });

  test.skipIf(!python)(
    'is answered alike by Python’s onnxruntime, before and after (needs the packages onnx, onnxruntime and numpy)',
    async () => {
      const model = await fitForest(preprocess, columns, target);
      const { graph } = await optimiseGraph({ preprocess, model });
      const plain = buildModelGraph({ preprocess, model });
      const [before, after] = askPython([plain, graph].map((bytes) => ({ model: bytes, rows })));
      expect(bits(before!.numbers)).toEqual(await answers(graph, rows));
      expect(bits(after!.numbers)).toEqual(bits(before!.numbers));
      expect(after!.labels).toEqual(before!.labels);
    },
  );
});

test('any table, any raw row: the graph of a forest answers as the forest, before folding and after', async () => {
  await fc.assert(
    fc.asyncProperty(tables, fc.nat(), async ({ train, raw }, seed) => {
      const count = train[0]!.cells.length;
      const columns: Cells[] = [...train, { name: 'one more', type: 'number', cells: train[0]!.cells.map((_, i) => i) }];
      const random = new Random(seed);
      const target: Target = { task: 'regression', values: Float64Array.from({ length: count }, () => random.below(5)) };
      const preprocess: Preprocess = { ...fitCells(columns), task: 'regression' };
      const model = await fitForest(preprocess, columns, target, 3);
      const rows: RawRows = {
        rows: raw[0]!.length,
        columns: [...raw, Float32Array.from({ length: raw[0]!.length }, () => random.below(count + 1) - 0.5)],
      };
      const expected = await model.predict(transform(preprocess, frameOfRows(preprocess, rows)));
      const { graph } = await optimiseGraph({ preprocess, model }, rows);
      expect(await answers(graph, rows)).toEqual(expected.task === 'regression' && bits(expected.values));
      expect(await answers(buildModelGraph({ preprocess, model }), rows)).toEqual(await answers(graph, rows));
    }),
    { numRuns: 40 },
  );
});

test('what asks its features otherwise than by splits stays as it was', async () => {
  const preprocess: Preprocess = { ...fitCells([{ name: 'n', type: 'number', cells: [1, 2, 3] }]), task: 'regression' };
  const source = { preprocess, model: { toOnnx: (graph: Parameters<FittedModel['toOnnx']>[0], x: string) => graph.node('Abs', [x]) } };
  const { graph, report } = await optimiseGraph(source);
  expect(report.kept).toBe('as it was');
  expect(graph).toEqual(buildModelGraph(source));
});
