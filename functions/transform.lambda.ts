/**
 * `clean/<dataset>/<revision>/report.json` → `features/<dataset>/<revision>/`, and the start of the run. The test rows are split off before
 * anything is fitted. The run is named by what it will do, so that a second start finds the first.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { usualPriority } from '../core/compute/batch.ts';
import { OutOfTime } from '../core/compute/budget.ts';
import { OptionalParts, secondsForCrosses } from '../core/compute/preparation.ts';
import { probe as probeOf, rowsToProbe } from '../core/compute/probe.ts';
import { featureBytes } from '../core/compute/table-memory.ts';
import { IngotError } from '../core/errors.ts';
import type { Cross } from '../core/features/fitted-cross.ts';
import type { Preprocess } from '../core/features/preprocess.ts';
import { takeKeys } from '../core/features/row-keys.ts';
import { takeTarget } from '../core/features/split.ts';
import { crossTable, fitTable, rowsIn, type Sides, transformTable } from '../core/features/table-features.ts';
import { dataKeys, modelKeys } from '../core/keys.ts';
import { PickedRows } from '../core/models/take-matrix.ts';
import { metricNames, version } from '../core/names.ts';
import { getJson, putJson } from '../core/object-store.ts';
import { release } from '../core/registry/aliases.ts';
import { advanceDataset, type DatasetPointer, getDataset, troubleOf } from '../core/registry/datasets.ts';
import { type RevisionOrigin, runOf } from '../core/registry/identity.ts';
import { newestSource, noteSource } from '../core/registry/run-source.ts';
import { chooseCrosses } from '../core/search/choose-crosses.ts';
import type { RunRecord } from '../core/search/plan.ts';
import type { CleanReport } from '../core/table/report.ts';
import { memoryBytes } from './shared/environment.ts';
import {
  FeatureWriter,
  learningOf,
  readKeys,
  readTableTarget,
  splitOf,
  storedTable,
  wideIn,
  writeTestRows,
  writeTrainKeys,
} from './shared/features.ts';
import { handOver } from './shared/hand-over.ts';
import { lambda } from './shared/lambda.ts';
import { needJson, once } from './shared/objects.ts';
import { requireSameRelease } from './shared/preprocess.ts';
import { forEachObject } from './shared/s3-event.ts';
import { withScratch } from './shared/scratch.ts';
import type { Services } from './shared/services.ts';
import { listSuspiciousLabels, withoutLabels } from './shared/suspicious-labels.ts';
import { isOutOfDisk, isOutOfMemory } from './shared/used-up.ts';

export function transform(event: unknown, services: Services): Promise<void> {
  return forEachObject(event, async ({ key }) => {
    const match = /^clean\/([^/]+)\/([^/]+)\/report\.json$/.exec(key);
    if (!match) return;
    const [dataset, revision] = [match[1]!, match[2]!];
    if (await isHandedOver(dataset, revision, services)) return;
    const pointer = await getDataset(services.data, dataset);
    const uploadedAt = pointer?.revision === revision ? pointer.source.eventTime : undefined;
    try {
      await transformRevision(dataset, revision, services, uploadedAt);
    } catch (error) {
      if (!(isOutOfMemory(error) || isOutOfDisk(error)) || !(await isHandedOver(dataset, revision, services, 2 * memoryBytes())))
        throw error;
    }
  });
}

/**
 * What a job makes because a function has not the memory; features that are there already need none.
 * @param least bytes that it takes, once a function has tried
 */
async function isHandedOver(dataset: string, revision: string, services: Services, least = 0): Promise<boolean> {
  const { data } = services;
  const [report, origin, done] = await Promise.all([
    getJson<CleanReport>(data, dataKeys.report(dataset, revision)),
    getJson<RevisionOrigin>(data, dataKeys.origin(dataset, revision)),
    data.head(dataKeys.preprocess(dataset, revision)),
  ]);
  if (!report || done) return false;
  const bytes = Math.max(least, featureBytes(report));
  const isLong = report.rows.kept * report.columns.length > mostCells;
  const priority = origin?.spec.priority ?? usualPriority;
  const isLarge = () => isLong || bytes > memoryBytes() * featureShare;
  return handOver({ dataset, stage: 'Transform', event: { dataset, revision }, priority, bytes, isLarge }, services);
}

/** Of a function's memory, what the features may take; and cells of which it makes them in its quarter of an hour, and on its disk (15 bytes each). */
const featureShare = 0.6;
const mostCells = 2e8;

/**
 * Makes the features of a clean revision and starts its run.
 * @param uploadedAt from when on the budget counts; where jobs have prepared it, whose waits are not its own, it is the start of the run
 */
export async function transformRevision(dataset: string, revision: string, services: Services, uploadedAt?: string): Promise<void> {
  try {
    const by = await makeFeatures(dataset, revision, services, uploadedAt);
    await startRun(dataset, revision, by, services, uploadedAt);
    if (by === version) await listSuspiciousLabels(dataset, revision, services.data);
  } catch (error) {
    if (error instanceof IngotError && error.status < 500) return reject(dataset, revision, error, services);
    await advanceRevision(dataset, revision, { status: 'CLEAN', error: troubleOf(error) }, services);
    throw error;
  }
}

/** @returns the release that has made them: another one where they were there already */
async function makeFeatures(dataset: string, revision: string, services: Services, uploadedAt?: string): Promise<string> {
  const { data, now } = services;
  const there = await getJson<Preprocess>(data, dataKeys.preprocess(dataset, revision));
  if (!there) {
    const [report, { spec }] = await Promise.all([
      needJson<CleanReport>(data, dataKeys.report(dataset, revision)),
      needJson<RevisionOrigin>(data, dataKeys.origin(dataset, revision)),
    ]);
    requireSameRelease(dataset, report);
    await withScratch(async (directory) => {
      const table = join(directory, 'table.parquet');
      await data.download(dataKeys.table(dataset, revision), table);
      const columns = report.columns.filter(({ role }) => role === 'feature').map(({ name }) => name);
      const stored = storedTable(table, report, columns, wideIn(report));
      const target = await readTableTarget(table, report);
      const by = await readKeys(table, spec, report);
      const { together, ...rows } = await splitOf(target, stored, spec, by);
      const trainKeys = by && takeKeys(by, rows.train);
      const learning = learningOf(takeTarget(target, rows.train), spec, trainKeys);
      const optional = OptionalParts.within(spec.budget, uploadedAt, now);
      const hasTimeForRuns = (column: string) =>
        optional.hasTime(`Of the texts in '${column}' words alone are learned from, no runs of characters`);
      const fitted = await fitTable(stored, report, rows, learning, hasTimeForRuns);
      const context = { seed: spec.seed ?? 0, workers: availableParallelism(), coreSeconds: secondsForCrosses(spec.budget) };
      const crosses = await whileTime(optional, withoutCrosses, (onProgress) =>
        chooseCrosses(fitted.preprocess, rowsIn(stored, rows.train), learning, { ...context, onProgress }),
      );
      const crossed = await crossTable(stored, fitted.preprocess, crosses, rows.train);
      const preprocess: Preprocess = {
        ...crossed,
        rows: { ...crossed.rows, ...(together > 0 && { together }) },
        ...(by && { splitBy: by.by }),
      };
      await writeTestRows(data, dataset, revision, rows);
      if (trainKeys) await writeTrainKeys(data, dataset, revision, trainKeys);
      const pathOf = (side: keyof Sides) => join(directory, `${side}.parquet`);
      const writers = { train: new FeatureWriter(pathOf('train'), preprocess), test: new FeatureWriter(pathOf('test'), preprocess) };
      const some = rowsToProbe(rows.train.length);
      const probed = new PickedRows(some);
      await transformTable(stored, { ...fitted, preprocess }, rows, (side, x, from, to) => {
        if (side === 'train') probed.add(x, from);
        return writers[side].add(x, takeTarget(target, rows[side].subarray(from, to)));
      });
      for (const side of ['train', 'test'] as const) {
        await writers[side].close();
        await data.upload(pathOf(side), dataKeys[side](dataset, revision));
      }
      const probe = await probeOf(probed.matrix, takeTarget(learning.target, some), spec);
      if (learning.target.task === 'classification') optional.hasTime(withoutLabels);
      const { leftOut } = optional;
      const made: Preprocess = { ...preprocess, probe, ...(leftOut.length > 0 && { leftOut }) };
      await putJson(data, dataKeys.preprocess(dataset, revision), made, once);
    });
  }
  await advanceRevision(dataset, revision, { status: 'READY' }, services);
  return there?.version ?? version;
}

const withoutCrosses = 'Crosses of columns were not chosen';

/** The crosses, or none where the time for them is over before or while they are chosen. */
async function whileTime(optional: OptionalParts, without: string, choose: (onProgress: () => void) => Promise<Cross[]>): Promise<Cross[]> {
  if (!optional.hasTime(without)) return [];
  try {
    return await choose(() => {
      if (optional.isOver) throw new OutOfTime();
    });
  } catch (error) {
    if (!(error instanceof OutOfTime)) throw error;
    optional.hasTime(without);
    return [];
  }
}

/** Moves the pointer where it stands on this revision; a newer upload's is left alone. */
async function advanceRevision(
  dataset: string,
  revision: string,
  next: Pick<DatasetPointer, 'status' | 'error'>,
  { data }: Services,
): Promise<void> {
  const pointer = await getDataset(data, dataset);
  if (pointer?.revision === revision) await advanceDataset(data, dataset, { ...next, source: pointer.source, revision });
}

/**
 * Starts the revision's run. Where it has ended before, as data may be uploaded again, its version is released once more.
 * @param by the release that prepared it, by which the run is named: another's, in an event that comes twice, finds its run, which says what to do if it has
 *   not ended
 */
async function startRun(
  dataset: string,
  revision: string,
  by: string,
  { data, models, executions, now }: Services,
  uploadedAt?: string,
): Promise<void> {
  const run = runOf(dataset, revision, by);
  const pointer = await getDataset(data, dataset);
  // Before it is asked whether there is a version: a run that ends meanwhile finds the upload.
  if (pointer?.revision === revision) await noteSource(models, run, pointer.source);
  const record: RunRecord = { run, dataset, revision, createdAt: now().toISOString(), ...(uploadedAt !== undefined && { uploadedAt }) };
  await putJson(models, modelKeys.run(run), record, once);
  await executions.start(record);
  const [registered, source] = await Promise.all([
    getJson<{ version: number }>(models, modelKeys.registered(run)),
    newestSource(models, run),
  ]);
  if (registered && source) await release(models, dataset, { version: registered.version, run, source }, now());
}

async function reject(dataset: string, revision: string, error: IngotError, services: Services): Promise<void> {
  await putJson(services.data, dataKeys.rejection(dataset, revision), error.toBody());
  await advanceRevision(dataset, revision, { status: 'REJECTED', error: error.toBody() }, services);
  services.count(metricNames.datasetsRejected);
}

export const handler = lambda(transform);
