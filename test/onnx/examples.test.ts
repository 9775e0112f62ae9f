/**
 * The examples, from file to answer, as a run makes them: what the trained model says, what a request gets and what Python's onnxruntime says
 * on the registered graph and the file's own rows are the same bits.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { splitRows, takeRows, takeTarget } from '../../core/features/split.ts';
import { transform as featuresOf, fit as fitFeatures } from '../../core/features/tabular.ts';
import { forest } from '../../core/models/forest/forest.ts';
import type { Predictions } from '../../core/models/model.ts';
import { type OptimiseReport, optimiseGraph } from '../../core/onnx/optimise.ts';
import { edgeRows, rawRowsOf } from '../../core/registry/parity.ts';
import { parseCsv } from '../../core/serving/formats/csv.ts';
import { parseRows } from '../../core/serving/formats/rows.ts';
import type { RawRows } from '../../core/serving/rows.ts';
import { loadModel, type Predictor } from '../../core/serving/session.ts';
import { parseSpec } from '../../core/spec.ts';
import { cleanTable } from '../../core/table/clean.ts';
import type { Frame } from '../../core/table/frame.ts';
import { readFrame, readTarget } from '../../core/table/frame-file.ts';
import { pythonHas } from '../python.ts';
import { bits } from './bits.ts';
import { askPython } from './python.ts';

const python = pythonHas('onnx', 'onnxruntime', 'numpy');
const examples = resolve(import.meta.dirname, '../../examples');

interface Trained {
  graph: Uint8Array;
  report: OptimiseReport;
  predictor: Predictor;
  /** The test rows, and rows at the edges of the model's splits. */
  asked: { frame: Frame; expected: Predictions }[];
}

async function train(dataset: string, file: string, spec: string, directory: string): Promise<Trained> {
  const path = join(examples, dataset, file);
  const report = await cleanTable({ dataset, revision: '0', files: [{ name: file, path }], spec: parseSpec(spec), directory });
  const table = join(directory, 'table.parquet');
  const columns = report.columns.filter(({ role }) => role === 'feature').map(({ name }) => name);
  const [frame, target] = [await readFrame(table, { columns }), await readTarget(table, report)];
  const rows = splitRows(target, 0.2, 0);
  const trainRows = takeRows(frame, rows.train);
  const preprocess = fitFeatures(trainRows, report, rows.test.length);
  const params = forest.parse({ nEstimators: 30 });
  const model = await forest.fit(featuresOf(preprocess, trainRows), takeTarget(target, rows.train), params, { seed: 1, workers: 1 });
  const { graph, report: figures } = await optimiseGraph({ preprocess, model }, rawRowsOf(frame));
  const testRows = takeRows(frame, rows.test);
  const asked = [testRows, edgeRows(testRows, preprocess, model)].map(async (some) => ({
    frame: some,
    expected: await model.predict(featuresOf(preprocess, some)),
  }));
  return { graph, report: figures, predictor: await loadModel(graph), asked: await Promise.all(asked) };
}

function numbersOf(predictions: Predictions): number[] {
  return bits(predictions.task === 'classification' ? predictions.probabilities : predictions.values);
}

/** The rows as a client would send them. */
/** JSON has no infinity, but numbers that are too large for any. */
function asJson({ rows, columns }: RawRows, { card }: Predictor): string {
  const value = (column: number, row: number) => {
    const cell = columns[column]![row]!;
    if (typeof cell === 'string') return cell === '' ? null : cell;
    return Number.isNaN(cell) ? null : cell;
  };
  const asked = Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(card.columns.map(({ name }, column) => [name, value(column, row)])),
  );
  const infinities = new Map([
    [Number.POSITIVE_INFINITY, '1e999'],
    [Number.NEGATIVE_INFINITY, '-1e999'],
  ]);
  const text = JSON.stringify({ rows: asked }, (_, cell: unknown) => infinities.get(cell as number) ?? cell);
  return text.replace(/"(-?1e999)"/g, '$1');
}

describe.each([
  ['breast-cancer', 'breast-cancer.csv', '{}'],
  ['penguins', 'penguins.csv', readFileSync(join(examples, 'penguins/dataset.json'), 'utf8')],
  ['auto-mpg', 'auto-mpg.jsonl', '{}'],
])('%s', (dataset, file, spec) => {
  const directory = mkdtempSync(join(tmpdir(), 'ingot-example-'));
  let trained: Trained;

  beforeAll(async () => {
    trained = await train(dataset, file, spec, directory);
  });

  afterAll(() => {
    trained?.predictor.dispose();
    rmSync(directory, { recursive: true });
  });

  test('a request in JSON gets the answers of the trained model', () => {
    const { predictor, asked } = trained;
    for (const { frame, expected } of asked) {
      const rows = parseRows(JSON.parse(asJson(rawRowsOf(frame), predictor)), predictor.schema);
      expect(numbersOf(predictor.run(rows))).toEqual(numbersOf(expected));
    }
  });

  test('the preprocessing is taken into the trees', () => {
    expect(trained.report).toMatchObject({ kept: 'folded' });
    expect(trained.report.after.bytes).toBeLessThan(trained.report.before.bytes);
  });

  test.skipIf(!python)(
    'Python’s onnxruntime gives them too, on the registered graph (needs the packages onnx, onnxruntime and numpy)',
    () => {
      const { predictor, graph, asked } = trained;
      const answers = askPython(asked.map(({ frame }) => ({ model: graph, rows: rawRowsOf(frame) })));
      expect(answers.map(({ numbers }) => bits(numbers))).toEqual(asked.map(({ expected }) => numbersOf(expected)));
      const labels = asked.map(({ frame }) =>
        predictor.predict(rawRowsOf(frame)).map((answer) => ('label' in answer ? answer.label : undefined)),
      );
      if (predictor.card.task === 'classification') expect(answers.map((answer) => answer.labels)).toEqual(labels);
    },
  );
});

test.each([
  ['breast-cancer', 'breast-cancer.csv', '{"target": "diagnosis"}'],
  ['penguins', 'penguins.csv', '{"target": "Species"}'],
])(
  '%s: the file itself, sent as CSV with its missing tokens and spellings, is answered as its clean table',
  async (dataset, file, spec) => {
    const directory = mkdtempSync(join(tmpdir(), 'ingot-example-'));
    const { predictor } = await train(dataset, file, spec, directory);
    const frame = await readFrame(join(directory, 'table.parquet'), { columns: predictor.card.columns.map(({ name }) => name) });
    rmSync(directory, { recursive: true });
    const rows = parseCsv(readFileSync(join(examples, dataset, file), 'utf8'), predictor.schema);
    expect(numbersOf(predictor.run(rows))).toEqual(numbersOf(predictor.run(rawRowsOf(frame))));
  },
);
