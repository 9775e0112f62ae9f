/** The errors of functions as Step Functions passes them on: a type, and a cause that is JSON of what the function said last, if it said anything. */
import * as z from 'zod/mini';
import { type ErrorBody, type ErrorCode, errorCodes } from '../../core/errors.ts';
import { type Stage, stages } from '../../core/names.ts';

export const statesError = z.object({ Error: z.string(), Cause: z.optional(z.string()) });
export type StatesError = z.infer<typeof statesError>;

const lambdaCause = z.object({ errorType: z.optional(z.string()), errorMessage: z.string() });
const stageError = z.object({
  code: z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]),
  message: z.string(),
  where: z.optional(z.string()),
  fix: z.optional(z.string()),
  stage: z.enum(stages.map(({ name }) => name)),
});

/** What Step Functions passes on, in the user's words. */
export function understand({ Error: type, Cause: cause = '' }: StatesError): ErrorBody & { stage?: Stage } {
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
