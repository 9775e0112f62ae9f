/** Ranks the candidates by what the trials found. */
import { modelKeys } from '../core/keys.ts';
import { putJson } from '../core/object-store.ts';
import type { Plan, TrialResult } from '../core/search/plan.ts';
import { select as rank } from '../core/search/selection.ts';
import { lambda } from './shared/lambda.ts';
import { needJson, once } from './shared/objects.ts';
import { type RunEvent, runEvent, stage } from './shared/stage.ts';

export const select = stage('Select', runEvent, async ({ run, dataset, revision }, { models }): Promise<RunEvent> => {
  if (!(await models.head(modelKeys.leaderboard(run)))) {
    const plan = await needJson<Plan>(models, modelKeys.plan(run));
    const results = await Promise.all(plan.trials.map(({ id }) => needJson<TrialResult>(models, modelKeys.trial(run, id))));
    await putJson(models, modelKeys.leaderboard(run), rank(plan, results), once);
  }
  return { run, dataset, revision };
});

export const handler = lambda(select);
