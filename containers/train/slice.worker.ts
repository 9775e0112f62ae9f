/** The thread on which a job runs its slice of a search, see search-slice.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { Checkpoints } from '../../core/registry/checkpoints.ts';
import { search } from '../../functions/search.lambda.ts';
import { checkpointSeconds } from '../../functions/shared/environment.ts';
import { awsServices } from '../../functions/shared/lambda.ts';
import type { StageError } from '../../functions/shared/stage.ts';
import type { Slice, Told } from './search-slice.ts';

const port = parentPort!;
const { event, trials, ended } = workerData as Slice;
const tell = (told: Told) => port.postMessage(told);

const services = awsServices();
const checkpoints = new Checkpoints(services.models, checkpointSeconds());
/** It is not the process that ends, but this thread. */
const endBy = (milliseconds: number) => {
  tell({ within: milliseconds });
  return () => tell({ within: undefined });
};

port.once('message', async () => {
  await checkpoints.interrupt();
  tell({ kept: true });
});

try {
  for (const trial of trials) {
    tell({ begun: trial });
    await search({ ...event, trial, ...(ended !== undefined && { ended }) }, { ...services, endBy, checkpoints });
  }
  tell({ done: true });
} catch (error) {
  tell({ failed: (error as StageError).told });
}
