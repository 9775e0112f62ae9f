/** Linear models behind the preprocessing: from raw rows, whatever is in them, the whole graph answers as the model. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Preprocess } from '../../core/features/preprocess.ts';
import { transform } from '../../core/features/tabular.ts';
import { linear } from '../../core/models/linear/linear.ts';
import type { Target } from '../../core/models/model.ts';
import { optimiseGraph } from '../../core/onnx/optimise.ts';
import { Random } from '../../core/random.ts';
import type { RawRows } from '../../core/serving/rows.ts';
import { loadModel } from '../../core/serving/session.ts';
import { type Cells, fitCells, frameOf, frameOfRows, tables } from '../features/tables.ts';
import { bits } from '../onnx/bits.ts';
import { askPython } from '../onnx/python.ts';
import { pythonHas } from '../python.ts';
import { numbersOf } from './data.ts';

/** A model of a made table, and raw rows to ask it. */
async function made(train: Cells[], raw: RawRows['columns'], classes: number, seed: number) {
  const count = train[0]!.cells.length;
  const columns: Cells[] = [...train, { name: 'one more', type: 'number', cells: train[0]!.cells.map((_, i) => i) }];
  const random = new Random(seed);
  const target: Target = classes
    ? { task: 'classification', classes, labels: Int32Array.from({ length: count }, () => random.below(classes)) }
    : { task: 'regression', values: Float64Array.from({ length: count }, () => random.uniform() * 5) };
  const labels = { classes: Array.from({ length: classes }, (_, k) => `class ${k}`), classType: 'string' as const };
  const preprocess: Preprocess = { ...fitCells(columns), task: target.task, ...(classes > 0 && labels) };
  const model = await linear.fit(transform(preprocess, frameOf(columns)), target, {}, { seed: 1, workers: 1 });
  const last = Float32Array.from({ length: raw[0]!.length }, () => random.below(count + 1) - 0.5);
  const rows: RawRows = { rows: raw[0]!.length, columns: [...raw, last] };
  const expected = bits(numbersOf(await model.predict(transform(preprocess, frameOfRows(preprocess, rows)))));
  const { graph, report } = await optimiseGraph({ preprocess, model }, rows);
  return { graph, rows, expected, report };
}

test('any table, any raw row: the graph answers as the model, and optimising leaves it as it is', async () => {
  await fc.assert(
    fc.asyncProperty(tables, fc.constantFrom(0, 2, 3), fc.nat(), async ({ train, raw }, classes, seed) => {
      const { graph, rows, expected, report } = await made(train, raw, classes, seed);
      expect(report.kept).toBe('as it was');
      const served = await loadModel(graph);
      try {
        expect(bits(numbersOf(served.run(rows)))).toEqual(expected);
      } finally {
        served.dispose();
      }
    }),
    { numRuns: 25 },
  );
});

test.skipIf(!pythonHas('onnx', 'onnxruntime', 'numpy'))(
  "Python's onnxruntime agrees on the same raw rows (needs onnx, onnxruntime and numpy)",
  async () => {
    const samples = fc.sample(tables, { numRuns: 9, seed: 4 });
    const cases = await Promise.all(samples.map(({ train, raw }, i) => made(train, raw, [0, 2, 3][i % 3]!, i)));
    const answers = askPython(cases.map(({ graph, rows }) => ({ model: graph, rows })));
    expect(answers.map(({ numbers }) => bits(numbers))).toEqual(cases.map(({ expected }) => expected));
  },
);
