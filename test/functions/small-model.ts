import { fit as fitFeatures, transform } from '../../core/features/tabular.ts';
import { forest } from '../../core/models/forest/forest.ts';
import type { ObjectStore } from '../../core/object-store.ts';
import { buildModelGraph } from '../../core/onnx/model-graph.ts';
import { setAlias } from '../../core/registry/aliases.ts';
import type { ModelCard } from '../../core/registry/card.ts';
import { publishVersion } from '../../core/registry/versions.ts';
import type { Frame } from '../../core/table/frame.ts';
import type { CleanReport } from '../../core/table/report.ts';

const rows = 60;
const colours = ['red', 'green', 'blue'];

/** Two columns, a number `size` and a category `colour`; the class is 'big' where size is at least 30, else 'small'. */
async function learn(name: string): Promise<Uint8Array> {
  const frame: Frame = {
    rows,
    columns: [
      { type: 'number', name: 'size', values: Float32Array.from({ length: rows }, (_, i) => i) },
      { type: 'category', name: 'colour', codes: Int32Array.from({ length: rows }, (_, i) => i % 3), dictionary: colours },
    ],
  };
  const column = { role: 'feature', why: '', missing: 0, missingTokens: {}, distinct: 3 } as const;
  const report = {
    dataset: name,
    revision: '0123456789abcdef',
    version: '0.1.0',
    task: 'classification',
    target: 'answer',
    classes: ['big', 'small'],
    classType: 'string',
    columns: [
      { ...column, name: 'size', type: 'number' },
      { ...column, name: 'colour', type: 'category' },
    ],
  } as unknown as CleanReport;
  const preprocess = fitFeatures(frame, report, 0);
  const labels = Int32Array.from({ length: rows }, (_, i) => (i >= 30 ? 0 : 1));
  const params = forest.parse({ nEstimators: 10, maxDepth: null, minSamplesSplit: 2 });
  const model = await forest.fit(transform(preprocess, frame), { task: 'classification', classes: 2, labels }, params, {
    seed: 1,
    workers: 1,
  });
  return buildModelGraph({ preprocess, model });
}

/** Registers versions 1 to n of a small model and puts the last one live. */
export async function publishSmallModel(models: ObjectStore, name: string, versions = 1, now = new Date()): Promise<void> {
  const graph = await learn(name);
  for (let version = 1; version <= versions; version++) {
    const card = {
      model: name,
      version,
      createdAt: now.toISOString(),
      run: `${name}-${version}`,
      dataset: name,
      revision: '0123456789abcdef',
      task: 'classification',
      family: 'forest',
      metric: 'accuracy',
      score: 1,
      sizes: { graph: graph.length, features: 4 },
    } as ModelCard;
    await publishVersion(models, card, graph, {});
  }
  await setAlias(models, name, 'live', versions, now);
}
