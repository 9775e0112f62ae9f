/**
 * What a version must pass: the exported graph, fed the raw rows of the clean table by onnxruntime, answers every test row, and rows at the
 * edges of the model's splits, bit for bit as the trained model does. The held-out metrics are those of the graph's answers.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { wideOf } from '../core/features/layout.ts';
import { takeRows, takeTarget } from '../core/features/split.ts';
import { transform } from '../core/features/tabular.ts';
import { dataKeys, modelKeys } from '../core/keys.ts';
import { familyOf } from '../core/models/families.ts';
import { putJson } from '../core/object-store.ts';
import { baselineOf, type Gate, heldOutOf } from '../core/registry/gate.ts';
import type { RevisionOrigin } from '../core/registry/identity.ts';
import { checkAgreement, edgeRows, rawRowsOf } from '../core/registry/parity.ts';
import { loadModel } from '../core/serving/session.ts';
import { readFrame, readTarget } from '../core/table/frame-file.ts';
import type { CleanReport } from '../core/table/report.ts';
import type { Fit } from './fit.lambda.ts';
import { readPreprocess, splitOf } from './shared/features.ts';
import { lambda } from './shared/lambda.ts';
import { needBytes, needJson, once } from './shared/objects.ts';
import { withScratch } from './shared/scratch.ts';
import { type RunEvent, runEvent, stage } from './shared/stage.ts';

export const gate = stage('Gate', runEvent, async (event, { data, models }): Promise<RunEvent> => {
  const { run, dataset, revision } = event;
  if (await models.head(modelKeys.gate(run))) return event;
  const started = performance.now();
  const [fit, fitted, graph, preprocess, report, { spec }] = await Promise.all([
    needJson<Fit>(models, modelKeys.fit(run)),
    needBytes(models, modelKeys.fitted(run)),
    needBytes(models, modelKeys.graph(run)),
    readPreprocess(data, dataset, revision),
    needJson<CleanReport>(data, dataKeys.report(dataset, revision)),
    needJson<RevisionOrigin>(data, dataKeys.origin(dataset, revision)),
  ]);
  const { frame, target } = await withScratch(async (directory) => {
    const path = join(directory, 'table.parquet');
    await data.download(dataKeys.table(dataset, revision), path);
    const columns = preprocess.columns.map(({ name }) => name);
    return { frame: await readFrame(path, { columns, wide: wideOf(preprocess) }), target: await readTarget(path, report) };
  });
  const { test } = splitOf(target, frame, spec);
  const rows = takeRows(frame, test);
  const trained = familyOf(fit.family).deserialize(fitted);
  const served = await loadModel(graph, { threads: availableParallelism() });
  try {
    const answers = served.run(rawRowsOf(rows));
    checkAgreement(answers, await trained.predict(transform(preprocess, rows)), 'test row');
    const edges = edgeRows(rows, preprocess, trained);
    if (edges.rows > 0) {
      checkAgreement(served.run(rawRowsOf(edges)), await trained.predict(transform(preprocess, edges)), 'row at a split edge');
    }
    const found: Gate = {
      heldOut: heldOutOf(takeTarget(target, test), answers),
      parity: { testRows: rows.rows, edgeRows: edges.rows },
      baseline: baselineOf(report, preprocess, answers),
      seconds: (performance.now() - started) / 1000,
    };
    await putJson(models, modelKeys.gate(run), found, once);
  } finally {
    served.dispose();
  }
  return event;
});

export const handler = lambda(gate);
