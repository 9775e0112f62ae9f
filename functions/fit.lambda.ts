/** Fits the best candidate on all train rows, and finds what makes its answers honest. */
import { availableParallelism } from 'node:os';
import { findAnswers } from '../core/answers/find-answers.ts';
import { timeLeft } from '../core/compute/clock.ts';
import { fitInTime } from '../core/compute/fit-in-time.ts';
import { modelKeys } from '../core/keys.ts';
import { withClassWeights } from '../core/models/class-weights.ts';
import { familyOf } from '../core/models/families.ts';
import type { Params } from '../core/models/model.ts';
import { putJson } from '../core/object-store.ts';
import type { Leaderboard, Plan } from '../core/search/plan.ts';
import { readTrain } from './shared/features.ts';
import { lambda } from './shared/lambda.ts';
import { needJson, once } from './shared/objects.ts';
import { type RunEvent, runEvent, stage } from './shared/stage.ts';

/** Answers may be sought so long after the fit began: a function ends after 15 minutes, and a model without them is better than none. */
const stageMilliseconds = 12 * 60 * 1000;

/** `runs/<run>/fit.json`, written after `fitted.bin` and `answers.json`. */
export interface Fit {
  family: string;
  params: Params;
  bytes: number;
  seconds: number;
}

export const fit = stage('Fit', runEvent, async ({ run, dataset, revision }, { data, models, now }): Promise<RunEvent> => {
  if (!(await models.head(modelKeys.fit(run)))) {
    const [plan, { best }, { x, y }] = await Promise.all([
      needJson<Plan>(models, modelKeys.plan(run)),
      needJson<Leaderboard>(models, modelKeys.leaderboard(run)),
      readTrain(data, dataset, revision),
    ]);
    const candidate = plan.candidates.find(({ id }) => id === best)!;
    const { family } = candidate;
    const left = await timeLeft(models, plan, 'fit', now);
    const started = performance.now();
    const context = { seed: plan.seed, workers: availableParallelism() };
    const weighted = withClassWeights(y, plan.classWeights);
    const fitted = left
      ? await fitInTime(candidate, left, (params, onProgress) => familyOf(family).fit(x, weighted, params, { ...context, onProgress }))
      : await familyOf(family).fit(x, weighted, candidate.params, context);
    const bytes = fitted.serialize();
    const inStage = () => Math.min(left?.() ?? Number.POSITIVE_INFINITY, stageMilliseconds - (performance.now() - started));
    const found = await findAnswers(plan, { family, params: fitted.params }, x, y, { workers: context.workers, left: inStage });
    await putJson(models, modelKeys.answers(run), found, once);
    const seconds = (performance.now() - started) / 1000;
    await models.put(modelKeys.fitted(run), bytes, { contentType: 'application/octet-stream', condition: once });
    const summary: Fit = { family, params: fitted.params, bytes: bytes.length, seconds };
    await putJson(models, modelKeys.fit(run), summary, once);
  }
  return { run, dataset, revision };
});

export const handler = lambda(fit);
