/** `runs/<run>/source.json`: data may be uploaded again while, or after, a run learns from them; the newest of the uploads says how new its version is. */
import { modelKeys } from '../keys.ts';
import { getJson, type ObjectStore, putJson } from '../object-store.ts';
import { compareSources, type DataSource } from './datasets.ts';

/** Undefined where no upload is noted, as of runs of an older Ingot. */
export const newestSource = (models: ObjectStore, run: string): Promise<DataSource | undefined> => getJson(models, modelKeys.source(run));

/** Notes an upload of what the run learns, unless a newer one is. */
export async function noteSource(models: ObjectStore, run: string, source: DataSource): Promise<void> {
  for (;;) {
    const object = await models.get(modelKeys.source(run));
    if (object && compareSources(source, JSON.parse(new TextDecoder().decode(object.body)) as DataSource) <= 0) return;
    if (await putJson(models, modelKeys.source(run), source, object ? { ifMatch: object.etag } : { ifNoneMatch: '*' })) return;
  }
}
