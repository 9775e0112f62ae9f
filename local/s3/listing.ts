import type { Bucket } from './store.ts';

/** A key, or a "folder": what lies between the prefix and the next delimiter, taken once for all keys that start with it. */
export type Entry = { key: string } | { folder: string };

/** Where a listing goes on: after a key, or past all keys of a folder. */
export type Position = { after: string } | { past: string };

/**
 * Keys and folders under a prefix in S3's order. A folder is jumped over: its cost is log n, however many keys it holds.
 *
 * @param visible which keys count: those with a current object, or all that have versions
 */
export function* entries(
  bucket: Bucket,
  prefix: string,
  delimiter: string,
  start: Position | undefined,
  visible: (key: string) => boolean,
): Generator<Entry> {
  const { order } = bucket;
  let i = order.seek(prefix);
  if (start && 'past' in start) i = Math.max(i, order.seekPast(start.past));
  else if (start) {
    const at = order.seek(start.after);
    i = Math.max(i, order.keys[at] === start.after ? at + 1 : at);
  }
  for (; i < order.keys.length; i++) {
    const key = order.keys[i]!;
    if (!key.startsWith(prefix)) return;
    if (!visible(key)) continue;
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    if (end < 0) yield { key };
    else {
      const folder = key.slice(0, end + delimiter.length);
      yield { folder };
      i = order.seekPast(folder) - 1;
    }
  }
}

/** The first `limit` of them, and whether there are more. */
export function take<T>(items: Iterable<T>, limit: number): { items: T[]; truncated: boolean } {
  const taken: T[] = [];
  if (limit === 0) return { items: taken, truncated: false };
  for (const item of items) {
    if (taken.length === limit) return { items: taken, truncated: true };
    taken.push(item);
  }
  return { items: taken, truncated: false };
}

export const isKey = (entry: Entry): entry is { key: string } => 'key' in entry;
export const isFolder = (entry: Entry): entry is { folder: string } => 'folder' in entry;
export const positionAfter = (entry: Entry): Position => (isKey(entry) ? { after: entry.key } : { past: entry.folder });
