/** The thread on which a job does what may never come to its end: its slice of a search, or the fit. See watched-thread.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { Checkpoints } from '../../core/registry/checkpoints.ts';
import { fit } from '../../functions/fit.lambda.ts';
import { search } from '../../functions/search.lambda.ts';
import { checkpointSeconds } from '../../functions/shared/environment.ts';
import { awsServices } from '../../functions/shared/lambda.ts';
import type { Services } from '../../functions/shared/services.ts';
import type { StageError } from '../../functions/shared/stage.ts';
import type { Told, Work } from './watched-thread.ts';

const port = parentPort!;
const work = workerData as Work;
const tell = (told: Told) => port.postMessage(told);

const connected = awsServices();
const checkpoints = new Checkpoints(connected.models, checkpointSeconds());
const services: Services = {
  ...connected,
  checkpoints,
  begin: (piece) => tell({ begun: piece }),
  // It is not the process that ends, but this thread.
  endBy: (milliseconds) => {
    tell({ within: milliseconds });
    return () => tell({ within: undefined });
  },
};

port.once('message', async () => {
  await checkpoints.interrupt();
  tell({ kept: true });
});

try {
  if ('trials' in work) {
    const { event, trials, ended } = work;
    for (const trial of trials) {
      services.begin!(trial);
      await search({ ...event, trial, ...(ended !== undefined && { ended }) }, services);
    }
  } else await fit(work, services);
  tell({ done: true });
} catch (error) {
  tell({ failed: (error as StageError).told });
}
