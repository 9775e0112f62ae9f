import type { Cursor } from './key-order.ts';
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
  let cursor = later(order.seek(prefix), start && ('past' in start ? order.seekPast(start.past) : order.seek(start.after)));
  if (start && 'after' in start && order.keyAt(cursor) === start.after) cursor = order.next(cursor);
  for (let key = order.keyAt(cursor); key?.startsWith(prefix); key = order.keyAt(cursor)) {
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const folder = end < 0 ? undefined : key.slice(0, end + delimiter.length);
    const shown = visible(key);
    if (shown) yield folder === undefined ? { key } : { folder };
    cursor = shown && folder !== undefined ? order.seekPast(folder) : order.next(cursor);
  }
}

const later = (a: Cursor, b: Cursor | undefined): Cursor => (b && (b.chunk > a.chunk || (b.chunk === a.chunk && b.at > a.at)) ? b : a);

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
