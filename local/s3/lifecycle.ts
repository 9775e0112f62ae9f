/** A bucket's lifecycle rules: what S3 removes by itself. https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html */
import { S3Error } from './errors.ts';
import { abortUpload } from './multipart.ts';
import type { Store } from './store.ts';
import type { Version } from './types.ts';

export interface LifecycleRule {
  /** Which objects it is for: all where nothing is said. Sizes in bytes. */
  prefix: string;
  tags: Record<string, string>;
  largerThan?: number | undefined;
  smallerThan?: number | undefined;
  /** Days that current objects have, or the moment from which they have none left, in milliseconds since 1970. */
  days?: number | undefined;
  from?: number | undefined;
  /** Days that versions have once they are not current, but for so many of the newest. */
  noncurrent?: { days: number; keep: number } | undefined;
  /** Whether delete markers go that are all that is left of their object. */
  markers: boolean;
  /** Days that a multipart upload may take. */
  uploadDays?: number | undefined;
}

const day = 24 * 3600_000;

/** S3 counts to the midnight after the day on which the last of the days ends, UTC. */
const isOver = (days: number, since: number, now: number) => now >= (Math.floor(since / day) + 1 + days) * day;

/**
 * Removes what the rules say, as S3 does once a day: a current object of a versioned bucket by a delete marker, all else for good.
 * @param now milliseconds since 1970
 * @param isClosing asked between two removals
 * @returns how many were removed
 */
export async function expire(
  store: Store,
  bucket: string,
  rules: readonly LifecycleRule[],
  now: number,
  isClosing: () => boolean = () => false,
): Promise<number> {
  const { objects, uploads } = store.bucket(bucket);
  let removed = 0;
  const remove = async (removal: () => Promise<unknown>) => {
    if (isClosing()) return;
    try {
      await removal();
      removed++;
    } catch (error) {
      // Somebody was quicker: it is gone already, or is not what it was.
      if (!(error instanceof S3Error)) throw error;
    }
  };
  for (const [key, kept] of [...objects]) {
    const versions = [...kept];
    for (const [place, version] of versions.entries()) {
      if (!rules.some((rule) => isDue(rule, versions, place, now))) continue;
      const expires = place === 0 && !version.deleteMarker;
      const holds = (current: Version | undefined) => {
        if ((current === version) !== expires) throw new S3Error('PreconditionFailed');
      };
      await remove(() => store.deleteVersion(bucket, key, expires ? undefined : version.versionId, holds, 'LifecycleExpiration'));
    }
  }
  for (const { id, key, initiated } of [...uploads.values()]) {
    const isDue = rules.some(
      ({ prefix, uploadDays }) => key.startsWith(prefix) && uploadDays !== undefined && isOver(uploadDays, initiated, now),
    );
    if (isDue) await remove(() => abortUpload(store, bucket, id));
  }
  return removed;
}

/** @param versions of one key, the newest first */
function isDue(rule: LifecycleRule, versions: Version[], place: number, now: number): boolean {
  const version = versions[place]!;
  if (!isFor(rule, version)) return false;
  if (place > 0) {
    const since = versions[place - 1]!.lastModified;
    return rule.noncurrent !== undefined && place > rule.noncurrent.keep && isOver(rule.noncurrent.days, since, now);
  }
  if (version.deleteMarker) return rule.markers && versions.length === 1;
  return (rule.days !== undefined && isOver(rule.days, version.lastModified, now)) || (rule.from !== undefined && now >= rule.from);
}

function isFor({ prefix, tags, largerThan = -1, smallerThan = Number.POSITIVE_INFINITY }: LifecycleRule, version: Version): boolean {
  return (
    version.key.startsWith(prefix) &&
    Object.entries(tags).every(([name, value]) => version.tags?.[name] === value) &&
    (version.deleteMarker === true || (version.size > largerThan && version.size < smallerThan))
  );
}
