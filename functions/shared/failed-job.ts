/** What Step Functions passes on of a job that failed without words of its own, in the user's. */
import * as z from 'zod/mini';
import type { Ending } from '../../core/compute/batch.ts';
import type { ErrorBody } from '../../core/errors.ts';
import type { Services } from './services.ts';
import { endedOutOfMemory } from './used-up.ts';

/** The job as DescribeJobs shows it, keys in Pascal case. */
const jobDetail = z.object({
  JobId: z.optional(z.string()),
  ArrayProperties: z.optional(z.object({})),
  StatusReason: z.optional(z.string()),
  Container: z.optional(z.object({ ExitCode: z.optional(z.number()), Reason: z.optional(z.string()) })),
});

const checkDeployment =
  'Look at the job and its queue in Batch, and mend what is wrong (docs/deploy.md); or choose "lane": "lambda" in dataset.json.';

export async function failedJob(
  { Error: type, Cause: cause = '' }: { Error: string; Cause?: string | undefined },
  { jobs, log }: Pick<Services, 'jobs' | 'log'>,
): Promise<ErrorBody> {
  const job = jobDetail.safeParse(parseJson(cause)).data;
  const { reason, exitCode } = (job?.ArrayProperties && (await childOf(job.JobId))) ?? {
    reason: job?.Container?.Reason ?? job?.StatusReason,
    exitCode: job?.Container?.ExitCode,
  };
  if (endedOutOfMemory({ reason, exitCode })) {
    return {
      code: 'Unavailable',
      message: 'A job ended without an answer, most likely because its memory was used up.',
      fix: 'Give fewer rows or columns, or a smaller grid.',
    };
  }
  if (/timed? ?out|attempt duration exceeded/i.test(`${type} ${reason ?? cause}`)) {
    return {
      code: 'Unavailable',
      message: 'A job did not finish in the time that it may take.',
      fix: 'Give it less to do: a smaller grid in dataset.json, or fewer rows; or deploy with more ingot:runHours.',
    };
  }
  const why = (reason ?? (cause || type)).slice(0, 500);
  return {
    code: 'Unavailable',
    message: `Batch could not run a job${job?.JobId ? ` (${job.JobId})` : ''}: ${why}${why.endsWith('.') ? '' : '.'}`,
    fix: checkDeployment,
  };

  async function childOf(arrayJob: string | undefined): Promise<Ending | undefined> {
    try {
      return arrayJob === undefined ? undefined : await (await jobs()).failedChild(arrayJob);
    } catch (error) {
      log('Batch did not say how a child of the job ended.', { arrayJob, error: String(error) });
      return undefined;
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
