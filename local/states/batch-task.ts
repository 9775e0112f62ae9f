/** Step Functions' integration with Batch: `batch:submitJob`, and `.sync`, which waits for the job's end. */
import type { Batch } from '../batch/batch.ts';
import { camelKeys, pascalKeys } from '../batch/case.ts';
import { jobDetail } from '../batch/describe.ts';
import { ServiceError } from '../protocol/service.ts';
import type { Json, JsonObject } from '../template/intrinsics.ts';
import type { TaskContext } from './task.ts';

export const submitJob = 'arn:aws:states:::batch:submitJob';

/** What Step Functions tells jobs that it waits for. */
const managed = { Name: 'MANAGED_BY_AWS', Value: 'STARTED_BY_STEP_FUNCTIONS' };

/**
 * @returns what SubmitJob answers, or for `.sync` the job as DescribeJobs shows it, keys in Pascal case.
 * @throws an error whose name is the state's: `Batch.ClientException`; `States.TaskFailed` with the job's description as its message
 */
export async function submitJobTask(batch: Batch, resource: string, input: Json, { execution, state, signal }: TaskContext): Promise<Json> {
  const request = input as JsonObject;
  const overrides = (request['ContainerOverrides'] ?? {}) as JsonObject;
  const environment = [...((overrides['Environment'] ?? []) as Json[]), managed];
  const asked = camelKeys({ ...request, ContainerOverrides: { ...overrides, Environment: environment } });
  const job = await batch.submit(asked, JSON.stringify([execution, state, request])).catch((error: unknown) => {
    throw error instanceof ServiceError ? Object.assign(new Error(error.message), { name: `Batch.${error.code}` }) : error;
  });
  const { jobArn, jobId, jobName } = job.spec;
  if (resource === submitJob) return { JobArn: jobArn, JobId: jobId, JobName: jobName };
  const stop = () => batch.terminate(jobId, 'The execution of Step Functions that waits for it was stopped.');
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  await job.ended;
  signal.removeEventListener('abort', stop);
  // Nobody waits for what became of it.
  if (signal.aborted) return null;
  const detail = pascalKeys(JSON.parse(JSON.stringify(jobDetail(job))) as Json);
  if (job.state.status === 'FAILED') throw Object.assign(new Error(JSON.stringify(detail)), { name: 'States.TaskFailed' });
  return detail;
}
