/** Exports the one graph from raw row to answer, as small as it can be and still answer the same. */
import type { FoundAnswers } from '../core/answers/find-answers.ts';
import { modelKeys } from '../core/keys.ts';
import { deserializeModel } from '../core/models/deserialize.ts';
import { putJson } from '../core/object-store.ts';
import { type OptimiseReport, optimiseGraph } from '../core/onnx/optimise.ts';
import type { Fit } from './fit.lambda.ts';
import { lambda } from './shared/lambda.ts';
import { needBytes, needJson, once } from './shared/objects.ts';
import { readPreprocess } from './shared/preprocess.ts';
import { type RunEvent, runEvent, stage } from './shared/stage.ts';

/** `runs/<run>/optimised.json`, written after `model.onnx`. */
export interface Optimised extends OptimiseReport {
  seconds: number;
}

export const optimise = stage('Optimise', runEvent, async ({ run, dataset, revision }, { data, models }): Promise<RunEvent> => {
  if (!(await models.head(modelKeys.optimised(run)))) {
    const preprocess = await readPreprocess(data, dataset, revision);
    const [{ family }, { answers }, fitted] = await Promise.all([
      needJson<Fit>(models, modelKeys.fit(run)),
      needJson<FoundAnswers>(models, modelKeys.answers(run)),
      needBytes(models, modelKeys.fitted(run)),
    ]);
    const started = performance.now();
    const { graph, report } = await optimiseGraph({ preprocess, model: deserializeModel(family, fitted), answers });
    const seconds = (performance.now() - started) / 1000;
    await models.put(modelKeys.graph(run), graph, { contentType: 'application/octet-stream', condition: once });
    const summary: Optimised = { ...report, seconds };
    await putJson(models, modelKeys.optimised(run), summary, once);
  }
  return { run, dataset, revision };
});

export const handler = lambda(optimise);
