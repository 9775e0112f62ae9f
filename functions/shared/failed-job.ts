/** What Step Functions passes on of a job that failed without words of its own, in the user's. */
import * as z from 'zod/mini';
import type { ErrorBody } from '../../core/errors.ts';

/** The job as DescribeJobs shows it, keys in Pascal case. */
const jobDetail = z.object({
  JobId: z.optional(z.string()),
  StatusReason: z.optional(z.string()),
  Container: z.optional(z.object({ ExitCode: z.optional(z.number()), Reason: z.optional(z.string()) })),
});

/** What a process ends with that was killed, for want of memory most likely. */
const killed = 137;
const checkDeployment =
  'Look at the job and its queue in Batch, and mend what is wrong (docs/deploy.md); or choose "lane": "lambda" in dataset.json.';

export function failedJob(error: { Error: string; Cause?: string | undefined }): ErrorBody {
  const { Error: type, Cause: cause = '' } = error;
  const job = jobDetail.safeParse(parseJson(cause)).data;
  const reason = job?.Container?.Reason ?? job?.StatusReason;
  if (job?.Container?.ExitCode === killed || /OutOfMemory/.test(reason ?? '')) {
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
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
