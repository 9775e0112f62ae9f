/** Decides what the run tries. */

import { fitBudget } from '../core/compute/budget.ts';
import { estimateRun } from '../core/compute/cost.ts';
import { type Lane, parseLane } from '../core/compute/lane.ts';
import type { Shape } from '../core/compute/work.ts';
import type { Preprocess } from '../core/features/preprocess.ts';
import { dataKeys, modelKeys } from '../core/keys.ts';
import { environment } from '../core/names.ts';
import { getJson, putJson } from '../core/object-store.ts';
import type { RevisionOrigin } from '../core/registry/identity.ts';
import { planAuto } from '../core/search/auto/plan-auto.ts';
import type { Plan } from '../core/search/plan.ts';
import { planSearch, type Question, searchOf } from '../core/search/plan-search.ts';
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
    const shape = { rows: rows.train, features: features.length, classes: classes?.length ?? 0 };
    const lane = parseLane(process.env[environment.lane]);
    const question = { run, dataset, revision, task, classes, spec, rows: rows.train };
    const made = searchOf(spec) === 'auto' ? planAuto(question, shape, lane) : gridPlan(question, shape, lane);
    await putJson(models, modelKeys.plan(run), made, once);
    return answer(made);
  },
);

function gridPlan(question: Question, shape: Shape, lane: Lane): Plan {
  const asked = planSearch(question);
  const { budget } = question.spec;
  const { plan, ...reckoned } = budget ? fitBudget(asked, shape, lane, budget) : { plan: asked, estimate: estimateRun(asked, shape, lane) };
  return { ...plan, ...reckoned };
}

function answer({ run, dataset, revision, trials }: Plan): RunEvent & { trials: string[] } {
  return { run, dataset, revision, trials: trials.map(({ id }) => id) };
}

export const handler = lambda(plan);
