/**
 * A job of Batch: the same stages as the functions', on a machine that is larger and has no fifteen minutes. A child of an array job does a slice of
 * the run's trials. Each trial and each stage leaves its object once, so an attempt after an interruption does what the one before has not.
 *
 * A spot machine that is taken away says so by SIGTERM, two minutes ahead: a fit that is under way keeps what it has, as it does every
 * minute, and the next attempt goes on from there; anything else that is under way is given up, as its object cannot be half.
 */
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { modelKeys } from '../../core/keys.ts';
import { environment, type JobStage, jobStages } from '../../core/names.ts';
import { putJson } from '../../core/object-store.ts';
import type { DataSource } from '../../core/registry/datasets.ts';
import { cleanUpload } from '../../functions/clean.lambda.ts';
import { gate } from '../../functions/gate.lambda.ts';
import { optimise } from '../../functions/optimise.lambda.ts';
import { requireEnv } from '../../functions/shared/environment.ts';
import { awsServices } from '../../functions/shared/lambda.ts';
import { once } from '../../functions/shared/objects.ts';
import type { Services } from '../../functions/shared/services.ts';
import { type RunEvent, StageError } from '../../functions/shared/stage.ts';
import { isOutOfMemory, killed } from '../../functions/shared/used-up.ts';
import { transformRevision } from '../../functions/transform.lambda.ts';
import { searchSlice } from './search-slice.ts';
import { tellUsage } from './usage.ts';
import { watchedFit } from './watched-fit.ts';
import type { OnInterrupt } from './watched-thread.ts';

/** What each job does, with the event that its submitter gave it; `index` is that of a child of an array job. */
const work: Record<JobStage, (event: never, services: Services, index: number, onInterrupt: OnInterrupt) => Promise<void>> = {
  Search: searchSlice,
  Finish: async (event: RunEvent, services, _, onInterrupt) => {
    await watchedFit(event, services, onInterrupt);
    for (const stage of [optimise, gate]) await stage(event, services);
  },
  Clean: (source: DataSource, services) => cleanUpload(source, services),
  Transform: ({ dataset, revision }: { dataset: string; revision: string }, services) => transformRevision(dataset, revision, services),
};

/** Signals end a process with 128 and their number: https://www.gnu.org/software/bash/manual/html_node/Exit-Status.html */
const terminated = 128 + 15;

/** ECS kills a container half a minute after the notice. */
const noticeMilliseconds = 20_000;

export async function main(): Promise<void> {
  const logger = new Logger({ serviceName: 'ingot', persistentKeys: { job: process.env['AWS_BATCH_JOB_ID'] } });
  const stage = jobStages.find((each) => each === requireEnv(environment.jobStage));
  if (!stage) throw new RangeError(`There is no job ${process.env[environment.jobStage]}.`);
  const event = JSON.parse(requireEnv(environment.jobEvent)) as never;
  // A job has other work to do: what ends it is its own time limit.
  const { endBy: _, ...services } = awsServices();
  let keep = () => Promise.resolve();
  process.once('SIGTERM', async () => {
    logger.warn('Interrupted: the next attempt goes on from what is kept.');
    await Promise.race([keep(), delay(noticeMilliseconds)]);
    process.exit(terminated);
  });
  const index = Number(process.env['AWS_BATCH_JOB_ARRAY_INDEX'] ?? 0);
  logger.info('started', { stage, event, index, attempt: process.env['AWS_BATCH_JOB_ATTEMPT'], cores: availableParallelism() });
  const lastUsage = tellUsage();
  try {
    await work[stage](event, services, index, (own) => {
      keep = own;
    });
    logger.info('done');
    await lastUsage();
    // Threads and connections that are idle would keep the machine.
    process.exit(0);
  } catch (error) {
    logger.error('failed', error as Error);
    await lastUsage();
    if (stage === 'Search' || stage === 'Finish') await tell(event, error as Error, services);
    // As if it had been killed for it: a larger job takes over.
    process.exit(isOutOfMemory(error) ? killed : 1);
  }
}

/** The last words of a job of a run, for whoever plans it anew: of several children the first's. */
async function tell({ run }: RunEvent, error: Error, { models }: Services): Promise<void> {
  const words = error instanceof StageError ? error.told : { code: 'Internal', message: `${error.name}: ${error.message}` };
  await putJson(models, modelKeys.jobFailure(run), words, once);
}
