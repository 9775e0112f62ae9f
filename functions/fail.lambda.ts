/** The end of a run that failed: a record that says in a sentence what failed and what to do, a metric, and a message to the topic. */
import * as z from 'zod/mini';
import { type ErrorBody, type ErrorCode, errorCodes } from '../core/errors.ts';
import { modelKeys } from '../core/keys.ts';
import { metricNames, type Stage, stages } from '../core/names.ts';
import { getJson, putJson } from '../core/object-store.ts';
import { progressOf, type RunFailure } from '../core/registry/runs.ts';
import type { Plan } from '../core/search/plan.ts';
import { lambda } from './shared/lambda.ts';
import type { Services } from './shared/services.ts';
import { runEvent } from './shared/stage.ts';

const failEvent = z.extend(runEvent, { error: z.object({ Error: z.string(), Cause: z.optional(z.string()) }) });
const lambdaCause = z.object({ errorType: z.optional(z.string()), errorMessage: z.string() });
const stageError = z.object({
  code: z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]),
  message: z.string(),
  where: z.optional(z.string()),
  fix: z.optional(z.string()),
  stage: z.enum(stages.map(({ name }) => name)),
});

export async function fail(event: unknown, { models, count, notify, now }: Services): Promise<{ run: string }> {
  const { run, dataset, error } = z.parse(failEvent, event);
  const told = understand(error.Error, error.Cause ?? '');
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

/** What Step Functions passes on, in the user's words. */
function understand(type: string, cause: string): ErrorBody & { stage?: Stage } {
  const message = lambdaCause.safeParse(parseJson(cause)).data?.errorMessage ?? cause;
  const known = stageError.safeParse(parseJson(message));
  if (known.success) {
    const { fix = 'Look at the logs of the stage; if the data is not at fault, report it as a defect in Ingot.', ...body } = known.data;
    return { ...body, fix } as ErrorBody & { stage: Stage };
  }
  if (/Timedout|States\.Timeout|timed out/i.test(`${type} ${message}`)) {
    return {
      code: 'Unavailable',
      message: 'A stage did not finish in the time that it may take.',
      fix: 'Give it less to do: a smaller grid in dataset.json, or fewer rows.',
    };
  }
  if (/OutOfMemory|Runtime\.ExitError|signal: killed/i.test(`${type} ${message}`)) {
    return {
      code: 'Unavailable',
      message: 'A stage ended without an answer, most likely because its memory was used up.',
      fix: 'Use fewer rows or columns, or give the functions more memory in the configuration.',
    };
  }
  if (/TooManyRequests/.test(type)) {
    return {
      code: 'Unavailable',
      message: 'The account ran as many functions as it may for more than half an hour.',
      fix: 'Ask for more concurrent executions in Service Quotas, deploy with a smaller ingot:searchConcurrency, or redrive the run later.',
    };
  }
  if (/DataLimitExceeded/.test(type)) {
    return {
      code: 'Unavailable',
      message: 'A stage handed on more than the 256 KB that Step Functions takes.',
      fix: 'Ask for fewer folds or families in dataset.json, and report it as a defect in Ingot.',
    };
  }
  return {
    code: 'Internal',
    message: `${type}: ${message.slice(0, 500) || 'no cause was given'}`,
    fix: 'Look at the logs of the stage, and report it as a defect in Ingot.',
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const handler = lambda(fail);
