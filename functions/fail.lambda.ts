/** The end of a run that failed: a record that says in a sentence what failed and what to do, a metric, and a message to the topic. */
import * as z from 'zod/mini';
import { modelKeys } from '../core/keys.ts';
import { metricNames, type Stage } from '../core/names.ts';
import { getJson, putJson } from '../core/object-store.ts';
import { progressOf, type RunFailure } from '../core/registry/runs.ts';
import type { Plan } from '../core/search/plan.ts';
import { lambda } from './shared/lambda.ts';
import type { Services } from './shared/services.ts';
import { runEvent } from './shared/stage.ts';
import { statesError, understand } from './shared/understand.ts';

const failEvent = z.extend(runEvent, { error: statesError });

export async function fail(event: unknown, { models, count, notify, now }: Services): Promise<{ run: string }> {
  const { run, dataset, error } = z.parse(failEvent, event);
  const told = understand(error);
  const failure: RunFailure = { ...told, stage: told.stage ?? (await stageUnderWay(run)), at: now().toISOString() };
  const isFirst = await putJson(models, modelKeys.failure(run), failure, { ifNoneMatch: '*' });
  if (isFirst !== undefined) {
    count(metricNames.runsFailed);
    const lines = [`The run ${run} of the dataset '${dataset}' failed in the stage ${failure.stage}: ${failure.message}`];
    if (failure.where) lines.push(`Where: ${failure.where}`);
    if (failure.fix) lines.push(`What to do: ${failure.fix}`);
    // SNS takes 256 KB.
    await notify(`Ingot: the run ${run} failed`, lines.join('\n').slice(0, 60_000));
  }
  return { run };

  /** Where the failure does not say it (a function that ran out of time or memory has no last words), the objects do. */
  async function stageUnderWay(id: string): Promise<Stage> {
    const keys = new Set<string>();
    for await (const { key } of models.list(`${modelKeys.runs}${id}/`)) keys.add(key);
    const plan = await getJson<Plan>(models, modelKeys.plan(id));
    return progressOf(id, keys, plan?.trials.length).stage;
  }
}

export const handler = lambda(fail);
