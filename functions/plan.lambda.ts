/** Decides what the run tries. */

import { fitBudget } from '../core/compute/budget.ts';
import { estimateRun } from '../core/compute/cost.ts';
import { parseLane } from '../core/compute/lane.ts';
import type { Preprocess } from '../core/features/preprocess.ts';
import { dataKeys, modelKeys } from '../core/keys.ts';
import { environment } from '../core/names.ts';
import { getJson, putJson } from '../core/object-store.ts';
import type { RevisionOrigin } from '../core/registry/identity.ts';
import type { Plan } from '../core/search/plan.ts';
import { planSearch } from '../core/search/plan-search.ts';
import { lambda } from './shared/lambda.ts';
import { needJson, once } from './shared/objects.ts';
import { type RunEvent, runEvent, stage } from './shared/stage.ts';

export const plan = stage(
  'Plan',
  runEvent,
  async ({ run, dataset, revision }, { data, models }): Promise<RunEvent & { trials: string[] }> => {
    const planned = await getJson<Plan>(models, modelKeys.plan(run));
    if (planned) return answer(planned);
    const [{ task, rows, classes, features }, { spec }] = await Promise.all([
      needJson<Preprocess>(data, dataKeys.preprocess(dataset, revision)),
      needJson<RevisionOrigin>(data, dataKeys.origin(dataset, revision)),
    ]);
    const asked = planSearch({ run, dataset, revision, task, classes, spec, rows: rows.train });
    const shape = { rows: rows.train, features: features.length, classes: classes?.length ?? 0 };
    const lane = parseLane(process.env[environment.lane]);
    const { plan: searched, ...reckoned } = spec.budget
      ? fitBudget(asked, shape, lane, spec.budget)
      : { plan: asked, estimate: estimateRun(asked, shape, lane) };
    const made: Plan = { ...searched, ...reckoned };
    await putJson(models, modelKeys.plan(run), made, once);
    return answer(made);
  },
);

function answer({ run, dataset, revision, trials }: Plan): RunEvent & { trials: string[] } {
  return { run, dataset, revision, trials: trials.map(({ id }) => id) };
}

export const handler = lambda(plan);
