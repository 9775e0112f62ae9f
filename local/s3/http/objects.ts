import { pipeline } from 'node:stream/promises';
import { type ChecksumAlgorithm, checksumHeader } from '../checksums.ts';
import { S3Error } from '../errors.ts';
import { decode } from '../sigv4.ts';
import type { Bucket, Store } from '../store.ts';
import type { Version } from '../types.ts';
import { copyObject, putObject } from '../write.ts';
import { checkRead, parseRange } from './conditions.ts';
import { checkHeaderValue, type Exchange } from './exchange.ts';
import { type Parsed, text, type Xml } from './xml.ts';

export const quoted = (etag: string) => `"${etag}"`;

/** The version header, where the bucket has versions. */
export function versionHeader(bucket: Bucket, versionId: string | undefined): Record<string, string> {
  return versionId === undefined || bucket.versioning === 'Off' ? {} : { 'x-amz-version-id': versionId };
}

export function checksumHeaders(version: Version): Record<string, string> {
  const { checksum } = version;
  return checksum ? { [checksumHeader(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': checksum.type } : {};
}

const checksumElements = (version: Version) =>
  version.checksum ? { [`Checksum${version.checksum.algorithm}`]: version.checksum.value, ChecksumType: version.checksum.type } : {};

export async function put(store: Store, x: Exchange): Promise<void> {
  const condition = x.condition();
  const version = await putObject(store, x.bucket, x.key, x.incoming(), { ...x.attributes(), ...(condition && { condition }) });
  x.empty(200, { etag: quoted(version.etag), ...checksumHeaders(version), ...versionHeader(store.bucket(x.bucket), version.versionId) });
}

/** What a request may have answered otherwise than it was stored. */
const responseHeaders = ['content-type', 'content-language', 'expires', 'cache-control', 'content-disposition', 'content-encoding'];

/** GetObject and HeadObject. */
export async function get(store: Store, x: Exchange): Promise<void> {
  const version = store.find(x.bucket, x.key, x.query.get('versionId'));
  checkRead((name) => x.header(name), version);
  const part = partRange(version, x.query.get('partNumber'));
  const rangeHeader = x.header('range');
  if (part && rangeHeader !== undefined)
    throw new S3Error('InvalidRequest', 'Cannot specify both Range header and partNumber query parameter');
  const range = part ?? parseRange(rangeHeader, version.size);
  const { from, to } = range ?? { from: 0, to: version.size };

  const headers: Record<string, string | number> = {
    'content-type': 'binary/octet-stream',
    ...version.headers,
    ...Object.fromEntries(Object.entries(version.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])),
    'accept-ranges': 'bytes',
    'content-length': to - from,
    etag: quoted(version.etag),
    'last-modified': new Date(version.lastModified).toUTCString(),
    ...versionHeader(store.bucket(x.bucket), version.versionId),
    // Of the whole object: on a part of it clients would take it for the part's.
    ...(x.header('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED' && (!range || to - from === version.size) && checksumHeaders(version)),
    ...(version.tags && { 'x-amz-tagging-count': Object.keys(version.tags).length }),
    ...(range && { 'content-range': `bytes ${from}-${to - 1}/${version.size}` }),
    ...(part && version.parts && { 'x-amz-mp-parts-count': version.parts.length }),
  };
  for (const name of responseHeaders) {
    const value = x.query.get(`response-${name}`);
    if (value === undefined) continue;
    checkHeaderValue(`response-${name}`, value);
    headers[name] = value;
  }
  x.response.writeHead(range ? 206 : 200, headers);
  if (x.method === 'HEAD' || from === to) x.response.end();
  else await pipeline(store.read(version.segments, from, to), x.response);
}

function partRange(version: Version, partNumber: string | undefined): { from: number; to: number } | undefined {
  if (partNumber === undefined) return undefined;
  const index = Number(partNumber) - 1;
  const parts = version.parts ?? [version];
  if (!Number.isInteger(index) || index < 0 || index >= parts.length)
    throw new S3Error('InvalidPartNumber', undefined, { PartNumberRequested: partNumber });
  const from = parts.slice(0, index).reduce((sum, part) => sum + part.size, 0);
  return version.size === 0 ? undefined : { from, to: from + parts[index]!.size };
}

/** The source of a copy, by `x-amz-copy-source`, its conditions checked. */
export function copySource(store: Store, x: Exchange): { bucket: string; version: Version } {
  const [path, query] = x
    .header('x-amz-copy-source')!
    .replace(/^\//, '')
    .split(/\?(.*)/s) as [string, string | undefined];
  const [, bucket, key] = /^([^/]+)\/(.+)$/s.exec(decode(path)) ?? [];
  if (bucket === undefined || key === undefined) {
    throw new S3Error('InvalidArgument', 'Invalid copy source object key', { ArgumentName: 'x-amz-copy-source' });
  }
  const versionId = /^versionId=(.+)$/.exec(query ?? '')?.[1];
  x.access.copyFrom(bucket, key, versionId);
  const version = store.find(bucket, key, versionId && decode(versionId));
  checkRead((name) => x.header(name), version, 'x-amz-copy-source-');
  return { bucket, version };
}

export async function copy(store: Store, x: Exchange): Promise<void> {
  const source = copySource(store, x);
  const { version } = source;
  const directive = (name: string) => (x.header(name) ?? 'COPY').toUpperCase();
  const replace = directive('x-amz-metadata-directive') === 'REPLACE';
  const own = x.attributes();
  if (source.bucket === x.bucket && version.key === x.key && !replace && !x.header('x-amz-copy-source')?.includes('versionId=')) {
    throw new S3Error(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const tags = directive('x-amz-tagging-directive') === 'REPLACE' ? own.tags : version.tags;
  const condition = x.condition();
  const algorithm: ChecksumAlgorithm | undefined = x.checksumAlgorithm('x-amz-checksum-algorithm');
  const result = await copyObject(store, source, x.bucket, x.key, {
    headers: replace ? own.headers : version.headers,
    metadata: replace ? own.metadata : version.metadata,
    ...(tags && { tags }),
    ...(condition && { condition }),
    ...(algorithm && { algorithm }),
  });
  x.xml(
    'CopyObjectResult',
    { LastModified: new Date(result.lastModified).toISOString(), ETag: quoted(result.etag), ...checksumElements(result) },
    {
      ...versionHeader(store.bucket(x.bucket), result.versionId),
      ...(store.bucket(source.bucket).versioning !== 'Off' && { 'x-amz-copy-source-version-id': version.versionId }),
    },
  );
}

export async function remove(store: Store, x: Exchange): Promise<void> {
  const ifMatch = x
    .header('if-match')
    ?.trim()
    .replace(/^"(.*)"$/, '$1');
  const result = await store.deleteVersion(
    x.bucket,
    x.key,
    x.query.get('versionId'),
    ifMatch === undefined ? undefined : holdsEtag(ifMatch),
  );
  const marker = result?.deleteMarker ? { 'x-amz-delete-marker': 'true' } : {};
  x.empty(204, { ...marker, ...versionHeader(store.bucket(x.bucket), result?.versionId) });
}

const holdsEtag = (etag: string) => (version: Version | undefined) => {
  if (!version) throw new S3Error('NoSuchKey');
  if (etag !== '*' && etag !== version.etag) throw new S3Error('PreconditionFailed', undefined, { Condition: 'If-Match' });
};

/** DeleteObjects: each key by itself, so that one that fails doesn't stop the others. */
export async function removeMany(store: Store, x: Exchange): Promise<void> {
  const document = await x.document('Delete');
  const objects = (document?.['Object'] ?? []) as Parsed[];
  if (objects.length === 0 || objects.length > 1000) throw new S3Error('MalformedXML');
  store.bucket(x.bucket);
  const quiet = text(document, 'Quiet')?.trim() === 'true';
  const answers = await Promise.all(objects.map((object) => removeOne(store, x, object)));
  x.xml('DeleteResult', {
    Deleted: quiet ? undefined : answers.flatMap((answer) => answer.deleted ?? []),
    Error: answers.flatMap((answer) => answer.error ?? []),
  });
}

async function removeOne(store: Store, x: Exchange, object: Parsed): Promise<{ deleted?: Xml; error?: Xml }> {
  const Key = text(object, 'Key') ?? '';
  const VersionId = text(object, 'VersionId');
  const etag = text(object, 'ETag')?.replace(/^"(.*)"$/, '$1');
  try {
    x.access.require('DeleteObject', x.bucket, Key, VersionId);
    const result = await store.deleteVersion(x.bucket, Key, VersionId, etag === undefined ? undefined : holdsEtag(etag));
    const marker = result?.deleteMarker ? { DeleteMarker: true, DeleteMarkerVersionId: result.versionId } : {};
    return { deleted: { Key, VersionId, ...marker } };
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    return { error: { Key, VersionId, Code: error.code, Message: error.message } };
  }
}

/** GetObjectTagging, PutObjectTagging, DeleteObjectTagging. */
export async function tagging(store: Store, x: Exchange): Promise<void> {
  const version = store.find(x.bucket, x.key, x.query.get('versionId'));
  const headers = versionHeader(store.bucket(x.bucket), version.versionId);
  if (x.method === 'GET') {
    const Tag = Object.entries(version.tags ?? {}).map(([Key, Value]) => ({ Key, Value }));
    return x.xml('Tagging', { TagSet: { Tag } }, headers);
  }
  const set = x.method === 'PUT' ? (await x.document('Tagging'))?.['TagSet']?.[0] : undefined;
  const pairs = typeof set === 'object' ? (set['Tag'] ?? []) : [];
  const tags = Object.fromEntries(pairs.map((tag) => [text(tag, 'Key') ?? '', text(tag, 'Value') ?? '']));
  await store.change(x.bucket, [{ t: 'tags', bucket: x.bucket, key: x.key, versionId: version.versionId, tags }]);
  x.empty(x.method === 'PUT' ? 200 : 204, headers);
}
