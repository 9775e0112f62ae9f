/** What preparation has left for the stages after it. Apart from the tables, which need DuckDB, as not every stage has that. */
import { IngotError } from '../../core/errors.ts';
import type { Preprocess } from '../../core/features/preprocess.ts';
import { dataKeys } from '../../core/keys.ts';
import { version } from '../../core/names.ts';
import { getJson, type ObjectStore } from '../../core/object-store.ts';
import type { CleanReport } from '../../core/table/report.ts';

/**
 * A stage reads it before anything of the run: what another release has left there may lack what this one looks for, and this says why.
 * @throws IngotError NotFound where the features have not been made, Conflict where they are another release's
 */
export async function readPreprocess(data: ObjectStore, dataset: string, revision: string): Promise<Preprocess> {
  const preprocess = await getJson<Preprocess>(data, dataKeys.preprocess(dataset, revision));
  if (!preprocess) throw missing(dataset, revision);
  requireSameRelease(dataset, preprocess);
  return preprocess;
}

/**
 * What another release has prepared is not gone on with, as it may mean something else: a model would be fitted on other features than it is served.
 * @param prepared a report, or what was fitted
 * @throws IngotError Conflict
 */
export function requireSameRelease(dataset: string, prepared: Pick<CleanReport, 'revision' | 'version'>): void {
  if (prepared.version === version) return;
  throw new IngotError('Conflict', `The dataset '${dataset}' was prepared by Ingot ${prepared.version}, and this is ${version}.`, {
    where: `dataset ${dataset}, revision ${prepared.revision}`,
    fix: 'Upload its file again, which is then prepared and learned anew; the versions that there are stay.',
  });
}

export function missing(dataset: string, revision: string): IngotError {
  return new IngotError('NotFound', `The features of ${dataset}, revision ${revision}, are not there.`, {
    where: dataKeys.preprocess(dataset, revision),
    fix: 'They were deleted; upload the dataset again.',
  });
}
