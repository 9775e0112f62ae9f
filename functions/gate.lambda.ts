/**
 * What a version must pass: the exported graph, fed the raw rows of the clean table by onnxruntime, answers every test row, and rows at the
 * edges of the model's splits, bit for bit as the trained model does. The held-out metrics are those of the graph's answers.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { answer } from '../core/answers/answers.ts';
import type { FoundAnswers } from '../core/answers/find-answers.ts';
import { timeLeft } from '../core/compute/clock.ts';
import { evaluate } from '../core/evaluation/evaluate.ts';
import { iterationCurve } from '../core/evaluation/iterations.ts';
import { encodeExplainData } from '../core/explain/explain-file.ts';
import { makeExplainData, rowsToExplain } from '../core/explain/make-explain-data.ts';
import { wideOf } from '../core/features/layout.ts';
import { takeTarget } from '../core/features/split.ts';
import { takenRows } from '../core/features/table-features.ts';
import { transform } from '../core/features/tabular.ts';
import { dataKeys, modelKeys } from '../core/keys.ts';
import { deserializeModel } from '../core/models/deserialize.ts';
import { putJson } from '../core/object-store.ts';
import { baselineOf, type Gate, thinObjective } from '../core/registry/gate.ts';
import type { RevisionOrigin } from '../core/registry/identity.ts';
import { checkAgreement, edgeRows, rawRowsOf } from '../core/registry/parity.ts';
import type { Plan } from '../core/search/plan.ts';
import { loadModel } from '../core/serving/session.ts';
import type { Frame } from '../core/table/frame.ts';
import type { CleanReport } from '../core/table/report.ts';
import type { Fit } from './fit.lambda.ts';
import { readSides, readTableTarget, storedTable } from './shared/features.ts';
import { lambda } from './shared/lambda.ts';
import { needBytes, needJson, once } from './shared/objects.ts';
import { readPreprocess } from './shared/preprocess.ts';
import { withScratch } from './shared/scratch.ts';
import { type RunEvent, runEvent, stage } from './shared/stage.ts';

export const gate = stage('Gate', runEvent, async (event, { data, models, now }): Promise<RunEvent> => {
  const { run, dataset, revision } = event;
  if (await models.head(modelKeys.gate(run))) return event;
  const started = performance.now();
  const preprocess = await readPreprocess(data, dataset, revision);
  const [plan, fit, fitted, { answers: found }, graph, report, { spec }] = await Promise.all([
    needJson<Plan>(models, modelKeys.plan(run)),
    needJson<Fit>(models, modelKeys.fit(run)),
    needBytes(models, modelKeys.fitted(run)),
    needJson<FoundAnswers>(models, modelKeys.answers(run)),
    needBytes(models, modelKeys.graph(run)),
    needJson<CleanReport>(data, dataKeys.report(dataset, revision)),
    needJson<RevisionOrigin>(data, dataKeys.origin(dataset, revision)),
  ]);
  const left = await timeLeft(models, plan, 'gate', now);
  const isOver = () => left !== undefined && left() <= 0;
  return withScratch(async (directory) => {
    const path = join(directory, 'table.parquet');
    await data.download(dataKeys.table(dataset, revision), path);
    const columns = preprocess.columns.map(({ name }) => name);
    const table = storedTable(path, report, columns, wideOf(preprocess));
    const target = await readTableTarget(path, report);
    const { train, test } = await readSides(data, dataset, revision, report.rows.kept);
    const seed = spec.seed ?? 0;
    const places = rowsToExplain(train.length, seed);
    // In one pass over the table, which may be large.
    const [rows, explained] = (await table.takeEach([test, places.map((place) => train[place]!)])) as [Frame, Frame];
    const trained = deserializeModel(fit.family, fitted);
    const served = await loadModel(graph, { threads: availableParallelism() });
    try {
      const ours = async (asked: Frame) => answer(found, await trained.predict(transform(preprocess, asked)));
      const raw = rawRowsOf(rows);
      const answers = served.run(raw);
      checkAgreement(answers, await ours(rows), 'test row');
      const edges = edgeRows(rows, preprocess, trained);
      if (edges.rows > 0) checkAgreement(served.run(rawRowsOf(edges)), await ours(edges), 'row at a split edge');
      const heldOut = evaluate((asked) => served.run(asked), {
        rows: raw,
        answered: answers,
        truth: takeTarget(target, test),
        columns,
        classes: preprocess.classes ?? [],
        seed,
        graphBytes: graph.length,
        isOver,
      });
      const iterations = await iterationCurve(trained, transform(preprocess, rows), takeTarget(target, test), seed, isOver);
      const source = takenRows(explained, places, train.length);
      const explain = encodeExplainData(await makeExplainData(trained, preprocess, source, seed, isOver));
      await models.put(modelKeys.explained(run), explain, { contentType: 'application/octet-stream', condition: once });
      const passed: Gate = {
        heldOut,
        parity: { testRows: rows.rows, edgeRows: edges.rows },
        baseline: baselineOf(report, preprocess, answers),
        ...(iterations && { iterations }),
        ...(trained.learningCurve && { objective: thinObjective(trained.learningCurve) }),
        seconds: (performance.now() - started) / 1000,
      };
      await putJson(models, modelKeys.gate(run), passed, once);
    } finally {
      served.dispose();
    }
    return event;
  });
});

export const handler = lambda(gate);
