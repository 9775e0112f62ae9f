/** Decides what the run tries. */

import type { Preprocess } from '../core/features/preprocess.ts';
import { dataKeys, modelKeys } from '../core/keys.ts';
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
    const [{ task, rows }, { spec }] = await Promise.all([
      needJson<Preprocess>(data, dataKeys.preprocess(dataset, revision)),
      needJson<RevisionOrigin>(data, dataKeys.origin(dataset, revision)),
    ]);
    const made = planSearch({ run, dataset, revision, task, spec, rows: rows.train });
    await putJson(models, modelKeys.plan(run), made, once);
    return answer(made);
  },
);

function answer({ run, dataset, revision, trials }: Plan): RunEvent & { trials: string[] } {
  return { run, dataset, revision, trials: trials.map(({ id }) => id) };
}

export const handler = lambda(plan);
