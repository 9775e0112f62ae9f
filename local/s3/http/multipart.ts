import { type ChecksumAlgorithm, type ChecksumType, checksumHeader } from '../checksums.ts';
import { S3Error } from '../errors.ts';
import { compareKeys } from '../key-order.ts';
import { take } from '../listing.ts';
import { abortUpload, completeUpload, createUpload, type NamedPart, putPart } from '../multipart.ts';
import type { Store } from '../store.ts';
import type { Part, Upload } from '../types.ts';
import { parseRange } from './conditions.ts';
import type { Exchange } from './exchange.ts';
import { listQuery, markerPosition, owner } from './lists.ts';
import { copySource, quoted, versionHeader } from './objects.ts';
import { text } from './xml.ts';

const iso = (time: number) => new Date(time).toISOString();

export async function create(store: Store, x: Exchange): Promise<void> {
  const algorithm = x.checksumAlgorithm('x-amz-checksum-algorithm');
  const type = checksumType(x, algorithm);
  const upload = await createUpload(store, x.bucket, {
    key: x.key,
    ...x.attributes(),
    ...(algorithm && type && { checksum: { algorithm, type } }),
  });
  x.xml(
    'InitiateMultipartUploadResult',
    { Bucket: x.bucket, Key: x.key, UploadId: upload.id },
    algorithm && type ? { 'x-amz-checksum-algorithm': algorithm, 'x-amz-checksum-type': type } : {},
  );
}

/** CRC64NVME is always of the full object, SHA never; the others are composite unless told. */
function checksumType(x: Exchange, algorithm: ChecksumAlgorithm | undefined): ChecksumType | undefined {
  const told = x.header('x-amz-checksum-type')?.toUpperCase();
  if (algorithm === undefined) return undefined;
  const type = told ?? (algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE');
  const impossible = (algorithm === 'CRC64NVME' && type !== 'FULL_OBJECT') || (algorithm.startsWith('SHA') && type !== 'COMPOSITE');
  if (impossible || (type !== 'FULL_OBJECT' && type !== 'COMPOSITE')) {
    throw new S3Error('InvalidRequest', `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`);
  }
  return type;
}

const uploadId = (x: Exchange) => x.query.get('uploadId') ?? '';

/** The upload, where it is one of this key. */
function own(store: Store, x: Exchange): Upload & { parts: Map<number, Part> } {
  const upload = store.upload(x.bucket, uploadId(x));
  if (upload.key !== x.key) throw new S3Error('NoSuchUpload', undefined, { UploadId: upload.id });
  return upload;
}

const partChecksum = (algorithm: ChecksumAlgorithm | undefined, part: Part) =>
  algorithm && part.checksum !== undefined ? { algorithm, value: part.checksum } : undefined;

export async function uploadPart(store: Store, x: Exchange): Promise<void> {
  const upload = own(store, x);
  const incoming = x.incoming();
  const part = await putPart(store, x.bucket, upload.id, Number(x.query.get('partNumber')), incoming);
  const checksum = partChecksum(upload.checksum?.algorithm ?? incoming.algorithm, part);
  x.empty(200, { etag: quoted(part.etag), ...(checksum && { [checksumHeader(checksum.algorithm)]: checksum.value }) });
}

export async function uploadPartCopy(store: Store, x: Exchange): Promise<void> {
  const upload = own(store, x);
  const { bucket, version } = copySource(store, x);
  const rangeHeader = x.header('x-amz-copy-source-range');
  const range = parseRange(rangeHeader, version.size);
  if (rangeHeader !== undefined && !range)
    throw new S3Error('InvalidArgument', 'The x-amz-copy-source-range value must be of the form bytes=first-last');
  const { from, to } = range ?? { from: 0, to: version.size };
  const stream = store.read(version.segments, from, to);
  const part = await putPart(store, x.bucket, upload.id, Number(x.query.get('partNumber')), { stream });
  const checksum = partChecksum(upload.checksum?.algorithm, part);
  x.xml(
    'CopyPartResult',
    {
      ETag: quoted(part.etag),
      LastModified: iso(part.lastModified),
      ...(checksum && { [`Checksum${checksum.algorithm}`]: checksum.value }),
    },
    store.bucket(bucket).versioning === 'Off' ? {} : { 'x-amz-copy-source-version-id': version.versionId },
  );
}

export async function complete(store: Store, x: Exchange): Promise<void> {
  const upload = own(store, x);
  const document = await x.document('CompleteMultipartUpload');
  const checksumElement = upload.checksum && `Checksum${upload.checksum.algorithm}`;
  const parts = (document?.['Part'] ?? []).map((part): NamedPart => {
    const number = Number(text(part, 'PartNumber'));
    const etag = text(part, 'ETag')
      ?.trim()
      .replace(/^"(.*)"$/, '$1');
    if (!Number.isInteger(number) || etag === undefined) throw new S3Error('MalformedXML');
    const checksum = checksumElement && text(part, checksumElement);
    return { number, etag, ...(checksum !== undefined && { checksum }) };
  });
  const condition = x.condition();
  const size = x.header('x-amz-mp-object-size');
  const checksum = upload.checksum && x.header(checksumHeader(upload.checksum.algorithm));
  const version = await completeUpload(store, x.bucket, upload.id, parts, {
    ...(condition && { condition }),
    ...(size !== undefined && { size: Number(size) }),
    ...(checksum !== undefined && { checksum }),
  });
  x.xml(
    'CompleteMultipartUploadResult',
    {
      Location: `http://${x.request.headers.host}/${x.bucket}/${x.key}`,
      Bucket: x.bucket,
      Key: x.key,
      ETag: quoted(version.etag),
      ...(version.checksum && { [`Checksum${version.checksum.algorithm}`]: version.checksum.value, ChecksumType: version.checksum.type }),
    },
    versionHeader(store.bucket(x.bucket), version.versionId),
  );
}

export async function abort(store: Store, x: Exchange): Promise<void> {
  await abortUpload(store, x.bucket, own(store, x).id);
  x.empty(204);
}

export function listParts(store: Store, x: Exchange): void {
  const upload = own(store, x);
  const limit = x.number('max-parts', 1000, 1000);
  const marker = x.number('part-number-marker', 0);
  const after = [...upload.parts.values()].filter(({ number }) => number > marker).sort((a, b) => a.number - b.number);
  const { items, truncated } = take(after, limit);
  x.xml('ListPartsResult', {
    Bucket: x.bucket,
    Key: x.key,
    UploadId: upload.id,
    PartNumberMarker: marker,
    NextPartNumberMarker: items.at(-1)?.number ?? 0,
    MaxParts: limit,
    IsTruncated: truncated,
    ChecksumAlgorithm: upload.checksum?.algorithm,
    ChecksumType: upload.checksum?.type,
    Part: items.map((part) => ({
      PartNumber: part.number,
      LastModified: iso(part.lastModified),
      ETag: quoted(part.etag),
      ...(upload.checksum && { [`Checksum${upload.checksum.algorithm}`]: part.checksum }),
      Size: part.size,
    })),
    Initiator: owner,
    Owner: owner,
    StorageClass: 'STANDARD',
  });
}

/** Uploads in the order of key, then of their start. */
export function listUploads(store: Store, x: Exchange): void {
  const bucket = store.bucket(x.bucket);
  const { prefix, delimiter, limit, shown, encoding } = listQuery(x, 'max-uploads');
  const keyMarker = x.query.get('key-marker') ?? '';
  const idMarker = x.query.get('upload-id-marker') ?? '';
  const sorted = [...bucket.uploads.values()]
    .filter(({ key }) => key.startsWith(prefix))
    .sort((a, b) => compareKeys(a.key, b.key) || a.initiated - b.initiated || compareKeys(a.id, b.id));
  const { items, truncated } = take(uploadsAfter(sorted, prefix, delimiter, keyMarker, idMarker), limit);
  const last = items.at(-1);
  const uploads = items.filter((item) => typeof item !== 'string');
  x.xml('ListMultipartUploadsResult', {
    Bucket: bucket.name,
    KeyMarker: shown(keyMarker),
    UploadIdMarker: idMarker,
    NextKeyMarker: truncated ? shown(typeof last === 'string' ? last : last!.key) : undefined,
    NextUploadIdMarker: truncated && typeof last !== 'string' ? last!.id : undefined,
    Prefix: shown(prefix),
    Delimiter: delimiter === '' ? undefined : shown(delimiter),
    MaxUploads: limit,
    IsTruncated: truncated,
    ...encoding,
    Upload: uploads.map((upload) => ({
      Key: shown(upload.key),
      UploadId: upload.id,
      Initiator: owner,
      Owner: owner,
      StorageClass: 'STANDARD',
      Initiated: iso(upload.initiated),
      ChecksumAlgorithm: upload.checksum?.algorithm,
      ChecksumType: upload.checksum?.type,
    })),
    CommonPrefixes: items.filter((item) => typeof item === 'string').map((folder) => ({ Prefix: shown(folder) })),
  });
}

/** Uploads, and folders as strings, after the markers. */
function* uploadsAfter(
  sorted: Upload[],
  prefix: string,
  delimiter: string,
  keyMarker: string,
  idMarker: string,
): Generator<Upload | string> {
  const position = markerPosition(keyMarker, delimiter);
  const markerAt = sorted.findIndex(({ key, id }) => key === keyMarker && id === idMarker);
  let folderBefore: string | undefined;
  for (const [i, upload] of sorted.entries()) {
    if (position && 'past' in position && (upload.key.startsWith(position.past) || compareKeys(upload.key, position.past) < 0)) continue;
    if (position && 'after' in position && (markerAt >= 0 ? i <= markerAt : compareKeys(upload.key, position.after) <= 0)) continue;
    const end = delimiter === '' ? -1 : upload.key.indexOf(delimiter, prefix.length);
    if (end < 0) yield upload;
    else {
      const folder = upload.key.slice(0, end + delimiter.length);
      if (folder !== folderBefore) yield folder;
      folderBefore = folder;
    }
  }
}
