/** The model that both sides serve: 100 trees on breast_cancer, as one graph of named columns (ours) and as one of a matrix (the rival's). */
import { fit as fitFeatures, transform } from '../core/features/tabular.ts';
import { forest } from '../core/models/forest/forest.ts';
import type { ObjectStore } from '../core/object-store.ts';
import { OnnxGraph } from '../core/onnx/graph.ts';
import { optimiseGraph } from '../core/onnx/optimise.ts';
import { setAlias } from '../core/registry/aliases.ts';
import type { ModelCard } from '../core/registry/card.ts';
import { publishVersion } from '../core/registry/versions.ts';
import type { Frame } from '../core/table/frame.ts';
import type { CleanReport } from '../core/table/report.ts';
import { exampleRows } from '../local/tour.ts';

export const modelName = 'breast-cancer';

const float32Max = 3.4028234663852886e38;

export interface ServeModel {
  /** What Ingot serves. */
  graph: Uint8Array;
  /** The same forest with one input of all columns, as scikit-learn's converters write it. */
  matrixGraph: Uint8Array;
  rows: number[][];
}

/** The same bytes in every process. Nothing is clipped or scaled, so that the rival's graph is the forest and nothing else. */
export async function makeModel(): Promise<ServeModel> {
  const { columns, rows } = exampleRows();
  const frame: Frame = {
    rows: rows.length,
    columns: columns.map((name, column) => ({
      type: 'number',
      name,
      values: Float32Array.from(rows, ({ features }) => features[column]!),
    })),
  };
  const classes = [...new Set(rows.map(({ label }) => label))].sort();
  const report = {
    dataset: modelName,
    revision: '0123456789abcdef',
    version: '0',
    task: 'classification',
    target: 'label',
    classes,
    classType: 'string',
    columns: columns.map((name) => ({
      role: 'feature',
      why: '',
      missing: 0,
      missingTokens: {},
      distinct: rows.length,
      name,
      type: 'number',
    })),
  } as unknown as CleanReport;
  const fitted = fitFeatures(frame, report, 0);
  const plain = fitted.columns.map((column) =>
    column.type === 'number' ? { ...column, low: -float32Max, high: float32Max, mean: 0, scale: 1 } : column,
  );
  const preprocess = { ...fitted, columns: plain };
  const labels = Int32Array.from(rows, ({ label }) => classes.indexOf(label));
  const params = forest.parse({ nEstimators: 100, maxDepth: null, minSamplesSplit: 2 });
  const target = { task: 'classification', classes: classes.length, labels } as const;
  const model = await forest.fit(transform(preprocess, frame), target, params, { seed: 1, workers: 1 });
  const { graph } = await optimiseGraph({ preprocess, model });
  const matrix = new OnnxGraph(['probabilities']);
  matrix.output('probabilities', model.toOnnx(matrix, matrix.input('x', 'float', ['N', columns.length])), 'float', ['N', classes.length]);
  return { graph, matrixGraph: matrix.toBytes({}), rows: rows.map(({ features }) => features) };
}

/** Registers it as version 1 and puts it live. */
export async function publishModel(models: ObjectStore, graph: Uint8Array): Promise<void> {
  const now = new Date();
  const card = {
    model: modelName,
    version: 1,
    createdAt: now.toISOString(),
    run: 'bench',
    dataset: modelName,
    revision: '0123456789abcdef',
    task: 'classification',
    family: 'forest',
    metric: 'accuracy',
    score: 1,
    sizes: { graph: graph.length, features: 30 },
  } as ModelCard;
  await publishVersion(models, card, graph, {});
  await setAlias(models, modelName, 'live', 1, now);
}
