/**
 * `raw/<dataset>/<file>` → `clean/<dataset>/<revision>/`. What starts the cleaning of what:
 *
 * - a file: itself, under the dataset's spec where there is one. A spec that names files waits for its own upload instead.
 * - `dataset.json`: the files that it names, or the newest file beside it; where there are none yet, nothing.
 *
 * A file that can't be used is an answer (`rejection.json`, status REJECTED), not an error: trying again would not mend it.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { usualPriority } from '../core/compute/batch.ts';
import { OptionalParts } from '../core/compute/preparation.ts';
import { cleaningBytes } from '../core/compute/table-memory.ts';
import { type ErrorBody, IngotError } from '../core/errors.ts';
import { checkName, dataKeys, parseRawKey } from '../core/keys.ts';
import { metricNames, version } from '../core/names.ts';
import { type ObjectStore, putJson } from '../core/object-store.ts';
import { advanceDataset, type DataSource, troubleOf } from '../core/registry/datasets.ts';
import { type RevisionOrigin, revisionOf } from '../core/registry/identity.ts';
import { type DatasetSpec, parseSpec } from '../core/spec.ts';
import { cleanTable, leftOutFile } from '../core/table/clean.ts';
import { duckdbMemory, isJob, mayGrow, memoryBytes } from './shared/environment.ts';
import { handOver } from './shared/hand-over.ts';
import { lambda } from './shared/lambda.ts';
import { once } from './shared/objects.ts';
import { forEachObject } from './shared/s3-event.ts';
import { withScratch } from './shared/scratch.ts';
import { personalSecret } from './shared/secret.ts';
import type { Services } from './shared/services.ts';
import { isOutOfDisk, isOutOfMemory } from './shared/used-up.ts';

const specFile = 'dataset.json';

export function clean(event: unknown, services: Services): Promise<void> {
  return forEachObject(event, (source) => cleanUpload(source, services));
}

/** Cleans what an upload has made complete. */
export async function cleanUpload(source: DataSource, services: Services): Promise<void> {
  const { data, count, log, now } = services;
  const raw = parseRawKey(source.key);
  // Consoles make "folders" by empty objects whose keys end with a slash.
  if (!raw || raw.file.endsWith('/')) return;
  const { dataset, file } = raw;
  let revision: string | undefined;
  try {
    checkName('dataset', dataset);
    const spec = await readSpec(data, dataset);
    const names = await filesOf(data, dataset, file, spec);
    if (names.length === 0) return;
    const standing = await advanceDataset(data, dataset, { status: 'CLEANING', source });
    if (standing.source.key !== source.key || standing.source.sequencer !== source.sequencer) {
      log('A newer upload has taken over.', { source, standing: standing.source });
      return;
    }
    const bytes = await sizeOf(data, dataset, names);
    const priority = spec.priority ?? usualPriority;
    const work = { dataset, stage: 'Clean', event: source, priority, bytes: cleaningBytes(bytes) } as const;
    if (await handOver({ ...work, isLarge: (most) => bytes >= most }, services)) return;
    const toLarger = () => handOver({ ...work, bytes: Math.max(work.bytes, 2 * memoryBytes()), isLarge: () => true }, services);
    const cleaning = withinDisk(bytes, toLarger, async (directory) => {
      const files = await download(data, dataset, names, source, directory);
      revision = revisionOf(files, spec, version);
      await cleanRevision(files, spec, revision, directory);
    });
    await withinMemory(cleaning, names, toLarger);
  } catch (error) {
    if (error instanceof IngotError && error.status < 500) return reject(error.toBody());
    await advanceDataset(data, dataset, { status: 'CLEANING', source, ...(revision && { revision }), error: troubleOf(error) });
    throw error;
  }

  async function cleanRevision(files: LocalFile[], spec: DatasetSpec, revision: string, directory: string): Promise<void> {
    await advanceDataset(data, dataset, { status: 'CLEANING', source, revision });
    const done = await data.get(dataKeys.report(dataset, revision));
    if (done) {
      // The same bytes again: their event makes `transform` look whether its work is done, and mends it where it is not.
      await data.put(dataKeys.report(dataset, revision), done.body, { contentType: 'application/json' });
    } else {
      const origin: RevisionOrigin = {
        dataset,
        revision,
        spec,
        files: files.map(({ name, sha256, bytes }) => ({ name, sha256, bytes })),
        source,
      };
      await putJson(data, dataKeys.origin(dataset, revision), origin, once);
      // Where a job does it, its wait is not counted.
      const optional = OptionalParts.within(spec.budget, isJob() ? undefined : source.eventTime, now);
      const asked = { dataset, revision, files, spec, directory, memoryLimit: duckdbMemory() };
      const report = await cleanTable({ ...asked, secret: () => personalSecret(data), isHurried: () => optional.isOver });
      await data.upload(join(directory, 'table.parquet'), dataKeys.table(dataset, revision));
      await data.upload(join(directory, 'rejects.csv'), dataKeys.rejects(dataset, revision), { contentType: 'text/csv; charset=utf-8' });
      const leftOut = join(directory, leftOutFile);
      if (existsSync(leftOut)) await data.upload(leftOut, dataKeys.leftOut(dataset, revision));
      if (await putJson(data, dataKeys.report(dataset, revision), report, once)) {
        count(metricNames.datasetsCleaned);
        count(metricNames.rowsRead, report.rows.read);
        count(metricNames.rowsRejected, report.rows.rejected);
      }
    }
    await advanceDataset(data, dataset, { status: 'CLEAN', source, revision });
  }

  async function reject(error: ErrorBody): Promise<void> {
    log('The dataset was rejected.', { dataset, revision, code: error.code });
    if (revision !== undefined) await putJson(data, dataKeys.rejection(dataset, revision), error);
    await advanceDataset(data, dataset, { status: 'REJECTED', source, error, ...(revision && { revision }) });
    count(metricNames.datasetsRejected);
  }
}

/** Where the memory is used up, a larger job goes on; without one that is final. @throws IngotError UnreadableDataset */
async function withinMemory(work: Promise<void>, names: string[], toLarger: () => Promise<boolean>): Promise<void> {
  try {
    await work;
  } catch (cause) {
    if (!isOutOfMemory(cause) || mayGrow()) throw cause;
    if (await toLarger()) return;
    throw new IngotError('UnreadableDataset', `The table is too large for the memory that cleaning has, ${duckdbMemory()} for the data.`, {
      where: names.join(', '),
      fix: 'Leave out columns (width costs the most), or give the functions more memory: `pipelineMemory` in the configuration.',
      cause,
    });
  }
}

/** So is the disk, which all jobs have alike. @throws IngotError UnreadableDataset */
async function withinDisk(bytes: number, toJob: () => Promise<boolean>, work: (directory: string) => Promise<void>): Promise<void> {
  const tooLarge = (cause?: unknown) =>
    new IngotError(
      'UnreadableDataset',
      `The disk on which the upload of ${Math.ceil(bytes / 2 ** 20)} MB is cleaned is too small for it.`,
      {
        where: 'file',
        fix: 'Upload it in parts of its own, or deploy with more disk: `pipelineDisk`, and of jobs `jobDisk`, in the configuration.',
        cause,
      },
    );
  const { bavail, bsize } = await statfs(tmpdir());
  let cause: unknown;
  if (bytes <= bavail * bsize) {
    try {
      return await withScratch(work);
    } catch (error) {
      if (!isOutOfDisk(error)) throw error;
      cause = error;
    }
  }
  if (!(await toJob())) throw tooLarge(cause);
}

async function readSpec(data: ObjectStore, dataset: string): Promise<DatasetSpec> {
  const object = await data.get(dataKeys.spec(dataset));
  return object ? parseSpec(new TextDecoder().decode(object.body)) : {};
}

/** The names of the files that an upload of `file` starts the cleaning of; none where it starts nothing. */
async function filesOf(data: ObjectStore, dataset: string, file: string, spec: DatasetSpec): Promise<string[]> {
  if (file !== specFile) return spec.files ? [] : [file];
  if (spec.files) return spec.files;
  const folder = dataKeys.raw(dataset, '');
  let newest: { name: string; at: Date } | undefined;
  for await (const { key, lastModified } of data.list(folder)) {
    const name = key.slice(folder.length);
    if (name !== specFile && !name.endsWith('/') && (!newest || lastModified > newest.at)) newest = { name, at: lastModified };
  }
  return newest ? [newest.name] : [];
}

/** Bytes of the files; one that is not there is said to be missing by whoever reads it. */
async function sizeOf(data: ObjectStore, dataset: string, names: string[]): Promise<number> {
  const found = await Promise.all(names.map((name) => data.head(dataKeys.raw(dataset, name))));
  return found.reduce((sum, object) => sum + (object?.size ?? 0), 0);
}

interface LocalFile {
  name: string;
  path: string;
  sha256: string;
  bytes: number;
}

/** Copies the files into the directory: of the event's own file the version that the event tells of, of the others the present one. */
async function download(data: ObjectStore, dataset: string, names: string[], source: DataSource, directory: string): Promise<LocalFile[]> {
  const files: LocalFile[] = [];
  for (const [place, name] of names.entries()) {
    const key = dataKeys.raw(dataset, name);
    const path = join(directory, `raw-${place}`);
    const found = await data.download(key, path, key === source.key && source.versionId ? { versionId: source.versionId } : {});
    if (!found) {
      const isNamed = source.key === dataKeys.spec(dataset);
      throw new IngotError(isNamed ? 'InvalidSpec' : 'UnreadableDataset', `The file '${name}' is not there.`, {
        where: isNamed ? `${specFile}, field files` : key,
        fix: isNamed
          ? `Upload '${name}' to ${key}, and then ${specFile} again.`
          : 'It was deleted before it could be read; upload it again.',
      });
    }
    const hash = createHash('sha256');
    await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
    files.push({ name, path, sha256: hash.digest('hex'), bytes: (await stat(path)).size });
  }
  return files;
}

export const handler = lambda(clean);
