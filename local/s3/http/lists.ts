import { S3Error } from '../errors.ts';
import { type Entry, entries, isFolder, isKey, type Position, positionAfter, take } from '../listing.ts';
import { encode } from '../sigv4.ts';
import type { Bucket, Store } from '../store.ts';
import type { Version } from '../types.ts';
import type { Exchange } from './exchange.ts';
import { quoted } from './objects.ts';
import type { Xml } from './xml.ts';

/** The account that owns everything here, as MiniStack and others name it. */
export const owner = { ID: '000000000000', DisplayName: 'ingot' };

const iso = (time: number) => new Date(time).toISOString();

/** The parameters that all lists share. */
export function listQuery(x: Exchange, limitName = 'max-keys') {
  const encodingType = x.query.get('encoding-type');
  if (encodingType !== undefined && encodingType !== 'url') {
    throw new S3Error('InvalidArgument', 'Invalid Encoding Method specified in Request', {
      ArgumentName: 'encoding-type',
      ArgumentValue: encodingType,
    });
  }
  const url = encodingType === 'url';
  return {
    prefix: x.query.get('prefix') ?? '',
    delimiter: x.query.get('delimiter') ?? '',
    limit: x.number(limitName, 1000, 1000),
    /** A key as the answer carries it. */
    shown: (key: string) => (url ? encode(key).replaceAll('%2F', '/') : key),
    encoding: { EncodingType: encodingType },
  };
}

const content = (version: Version, shown: (key: string) => string, withOwner: boolean): Xml => ({
  Key: shown(version.key),
  LastModified: iso(version.lastModified),
  ETag: quoted(version.etag),
  ChecksumAlgorithm: version.checksum?.algorithm,
  ChecksumType: version.checksum?.type,
  Size: version.size,
  Owner: withOwner ? owner : undefined,
  StorageClass: version.headers['x-amz-storage-class'] ?? 'STANDARD',
});

const folders = (page: Entry[], shown: (key: string) => string): Xml =>
  page.filter(isFolder).map(({ folder }) => ({ Prefix: shown(folder) }));

const contents = (store: Store, bucket: Bucket, page: Entry[], shown: (key: string) => string, withOwner: boolean): Xml =>
  page.filter(isKey).map(({ key }) => content(store.current(bucket, key)!, shown, withOwner));

export function listV2(store: Store, x: Exchange): void {
  const bucket = store.bucket(x.bucket);
  const { prefix, delimiter, limit, shown, encoding } = listQuery(x);
  const token = x.query.get('continuation-token');
  const startAfter = x.query.get('start-after');
  const start = token !== undefined ? readToken(token) : startAfter === undefined ? undefined : { after: startAfter };
  const { items, truncated } = take(
    entries(bucket, prefix, delimiter, start, (key) => store.current(bucket, key) !== undefined),
    limit,
  );
  x.xml('ListBucketResult', {
    Name: bucket.name,
    Prefix: shown(prefix),
    StartAfter: startAfter === undefined ? undefined : shown(startAfter),
    ContinuationToken: token,
    NextContinuationToken: truncated ? writeToken(positionAfter(items.at(-1)!)) : undefined,
    KeyCount: items.length,
    MaxKeys: limit,
    Delimiter: delimiter === '' ? undefined : shown(delimiter),
    IsTruncated: truncated,
    ...encoding,
    Contents: contents(store, bucket, items, shown, x.query.get('fetch-owner') === 'true'),
    CommonPrefixes: folders(items, shown),
  });
}

export function listV1(store: Store, x: Exchange): void {
  const bucket = store.bucket(x.bucket);
  const { prefix, delimiter, limit, shown, encoding } = listQuery(x);
  const marker = x.query.get('marker') ?? '';
  const { items, truncated } = take(
    entries(bucket, prefix, delimiter, markerPosition(marker, delimiter), (key) => store.current(bucket, key) !== undefined),
    limit,
  );
  const last = items.at(-1);
  x.xml('ListBucketResult', {
    Name: bucket.name,
    Prefix: shown(prefix),
    Marker: shown(marker),
    NextMarker: truncated && delimiter !== '' ? shown(nameOf(last!)) : undefined,
    MaxKeys: limit,
    Delimiter: delimiter === '' ? undefined : shown(delimiter),
    IsTruncated: truncated,
    ...encoding,
    Contents: contents(store, bucket, items, shown, true),
    CommonPrefixes: folders(items, shown),
  });
}

export function listVersions(store: Store, x: Exchange): void {
  const bucket = store.bucket(x.bucket);
  const { prefix, delimiter, limit, shown, encoding } = listQuery(x);
  const keyMarker = x.query.get('key-marker') ?? '';
  const idMarker = x.query.get('version-id-marker') ?? '';
  const { items, truncated } = take(versionsAfter(bucket, prefix, delimiter, keyMarker, idMarker), limit);
  const last = items.at(-1);
  const versions = items.filter((item) => 'version' in item);
  const element = ({ version, latest }: { version: Version; latest: boolean }) => ({
    ...(version.deleteMarker
      ? {}
      : { ETag: quoted(version.etag), Size: version.size, StorageClass: version.headers['x-amz-storage-class'] ?? 'STANDARD' }),
    Key: shown(version.key),
    VersionId: version.versionId,
    IsLatest: latest,
    LastModified: iso(version.lastModified),
    Owner: owner,
  });
  x.xml('ListVersionsResult', {
    Name: bucket.name,
    Prefix: shown(prefix),
    KeyMarker: shown(keyMarker),
    VersionIdMarker: idMarker,
    NextKeyMarker: truncated ? shown('version' in last! ? last.version.key : last!.folder) : undefined,
    NextVersionIdMarker: truncated && 'version' in last! ? last.version.versionId : undefined,
    MaxKeys: limit,
    Delimiter: delimiter === '' ? undefined : shown(delimiter),
    IsTruncated: truncated,
    ...encoding,
    Version: versions.filter(({ version }) => !version.deleteMarker).map(element),
    DeleteMarker: versions.filter(({ version }) => version.deleteMarker).map(element),
    CommonPrefixes: items.filter((item) => 'folder' in item).map(({ folder }) => ({ Prefix: shown(folder) })),
  });
}

type VersionEntry = { version: Version; latest: boolean } | { folder: string };

function* versionsAfter(bucket: Bucket, prefix: string, delimiter: string, keyMarker: string, idMarker: string): Generator<VersionEntry> {
  const of = (key: string) => (bucket.objects.get(key) ?? []).map((version, i) => ({ version, latest: i === 0 }));
  if (idMarker !== '' && keyMarker.startsWith(prefix)) {
    const rest = of(keyMarker);
    yield* rest.slice(rest.findIndex(({ version }) => version.versionId === idMarker) + 1);
  }
  for (const entry of entries(bucket, prefix, delimiter, markerPosition(keyMarker, delimiter), () => true)) {
    if (isFolder(entry)) yield entry;
    else yield* of(entry.key);
  }
}

const nameOf = (entry: Entry) => (isKey(entry) ? entry.key : entry.folder);

/** A marker that ends with the delimiter is a folder that the page before ended with. */
export function markerPosition(marker: string, delimiter: string): Position | undefined {
  if (marker === '') return undefined;
  return delimiter !== '' && marker.endsWith(delimiter) ? { past: marker } : { after: marker };
}

const writeToken = (position: Position) => Buffer.from(JSON.stringify(position)).toString('base64url');

function readToken(token: string): Position {
  try {
    const position = JSON.parse(Buffer.from(token, 'base64url').toString()) as Partial<Record<'after' | 'past', unknown>>;
    if (typeof position.past === 'string') return { past: position.past };
    if (typeof position.after === 'string') return { after: position.after };
  } catch {
    // Not one of ours: answered below.
  }
  throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect', { ArgumentName: 'continuation-token' });
}
