/** Points `live` at the run's version, unless newer data has been released meanwhile. */
import { modelKeys } from '../core/keys.ts';
import { metricNames } from '../core/names.ts';
import { putJson } from '../core/object-store.ts';
import { release as releaseVersion } from '../core/registry/aliases.ts';
import { newestSource } from '../core/registry/run-source.ts';
import { getCard } from '../core/registry/versions.ts';
import { lambda } from './shared/lambda.ts';
import { needJson, once } from './shared/objects.ts';
import { type RunEvent, runEvent, stage } from './shared/stage.ts';

export const release = stage('Release', runEvent, async ({ run, dataset, revision }, { models, now, count }): Promise<RunEvent> => {
  if (!(await models.head(modelKeys.released(run)))) {
    const { version } = await needJson<{ version: number }>(models, modelKeys.registered(run));
    const source = await newestSource(models, run);
    const released = source ?? (await getCard(models, dataset, version))!.source;
    const live = await releaseVersion(models, dataset, { version, run, source: released }, now());
    if (await putJson(models, modelKeys.released(run), { version, live }, once)) count(metricNames.runsSucceeded);
  }
  return { run, dataset, revision };
});

export const handler = lambda(release);
