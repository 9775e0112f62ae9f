/**
 * The pointer to a dataset's newest revision, `clean/<dataset>/current.json`. Uploads of one key are put in order by the sequencer of
 * their events, not by arrival; S3 compares sequencers within a key only, so uploads of different keys go by the time of their events.
 * The pointer moves by conditional write and never back: neither to an older upload nor to an earlier state of the same one.
 */
import type { ErrorBody } from '../errors.ts';
import { dataKeys } from '../keys.ts';
import { getJson, type ObjectStore, putJson } from '../object-store.ts';

/** The upload that a revision was made of. */
export interface DataSource {
  key: string;
  versionId?: string;
  /** Hexadecimal; see https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
  sequencer: string;
  eventTime: string;
}

/** `CLEANING` → `CLEAN` → `READY` (features made), or `REJECTED`. */
export type DatasetStatus = 'CLEANING' | 'CLEAN' | 'READY' | 'REJECTED';

export interface DatasetPointer {
  status: DatasetStatus;
  source: DataSource;
  /** Absent until the content has been read. */
  revision?: string;
  /** Why it was rejected; or what befell the last attempt, which is made again. */
  error?: ErrorBody;
}

/** Rows that are likely mislabelled, the surest first; the file beside it lists more. */
export interface DoubtedLabels {
  /** How many there are among the `of` rows that were looked at. */
  count: number;
  of: number;
  /** `row` counts from 1 the rows of the files that could be read: without header and rejects. */
  rows: { row: number; given: string; suggested: string; confidence: number }[];
}

const rank: Record<DatasetStatus, number> = { CLEANING: 0, CLEAN: 1, READY: 2, REJECTED: 2 };

/** Negative where a came before b, positive where after, 0 where they are one upload or uploads of two keys in one instant. */
export function compareSources(a: DataSource, b: DataSource): number {
  if (a.key !== b.key) return Date.parse(a.eventTime) - Date.parse(b.eventTime);
  // Sequencers may differ in length: the shorter is padded with zeros on the right.
  const length = Math.max(a.sequencer.length, b.sequencer.length);
  const [left, right] = [a, b].map((source) => source.sequencer.toUpperCase().padEnd(length, '0')) as [string, string];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** What a dataset says of itself while an attempt at it has failed by no fault of the data. */
export function troubleOf(error: unknown): ErrorBody {
  return {
    code: 'Internal',
    message: `An attempt to prepare the dataset failed: ${error instanceof Error ? error.message : error}`,
    fix: 'It is tried again twice. Where that does not help, the logs of the function say more; then upload the file again.',
  };
}

function isBehind(next: DatasetPointer, current: DatasetPointer): boolean {
  if (next.status !== current.status) return rank[next.status] < rank[current.status];
  if (next.error) return false;
  return next.revision === undefined || next.revision === current.revision;
}

export function getDataset(data: ObjectStore, dataset: string): Promise<DatasetPointer | undefined> {
  return getJson<DatasetPointer>(data, dataKeys.current(dataset));
}

/**
 * Moves the pointer on.
 * @returns where the pointer stands afterwards; its source is the caller's unless a newer upload has taken over
 */
export async function advanceDataset(data: ObjectStore, dataset: string, next: DatasetPointer): Promise<DatasetPointer> {
  for (;;) {
    const object = await data.get(dataKeys.current(dataset));
    if (object) {
      const current = JSON.parse(new TextDecoder().decode(object.body)) as DatasetPointer;
      const order = compareSources(next.source, current.source);
      const isSameUpload = order === 0 && next.source.key === current.source.key;
      if (order < 0 || (isSameUpload && isBehind(next, current))) return current;
    }
    if (await putJson(data, dataKeys.current(dataset), next, object ? { ifMatch: object.etag } : { ifNoneMatch: '*' })) return next;
  }
}
