import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ChecksumAlgorithm, checksumAlgorithms, checksumHeader } from '../checksums.ts';
import { decodeChunked } from '../chunked.ts';
import { S3Error } from '../errors.ts';
import { decode, hostBucket, parseQuery, type Signed, splitUrl } from '../sigv4.ts';
import type { WriteCondition } from '../types.ts';
import { type Digest, type Incoming, startDigest, type WriteOptions } from '../write.ts';
import { Access, type Authorize } from './access.ts';
import { type Parsed, parseXml, toXml, type Xml } from './xml.ts';

/** Largest XML document read: 1,000 keys to delete, each 1,024 bytes, each byte escaped. */
const largestDocument = 8 << 20;
/** Of a PUT, a part too: 5 GB. */
const largestPut = 5 * 2 ** 30;
/** Sum of the names and values of user metadata, as on S3. */
const largestMetadata = 2048;

const storedHeaders = [
  'content-type',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
  'x-amz-website-redirect-location',
  'x-amz-storage-class',
];

/** One request and its answer, in S3's terms. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  /** Empty for the service itself. */
  readonly bucket: string;
  /** Empty for the bucket itself. */
  readonly key: string;
  readonly query: Map<string, string>;
  readonly signed: Signed;
  readonly access: Access;
  private readonly hoisted = new Map<string, string>();

  constructor(request: IncomingMessage, response: ServerResponse, signed: Signed, authorize?: Authorize) {
    this.request = request;
    this.response = response;
    this.signed = signed;
    this.access = new Access(this, authorize);
    this.method = request.method ?? 'GET';
    const [path, query] = splitUrl(request.url ?? '/');
    this.query = new Map(parseQuery(query));
    // Presigners move x-amz- headers into the query; as headers they would have come as latin1.
    for (const [name, value] of this.query)
      if (/^x-amz-/i.test(name)) this.hoisted.set(name.toLowerCase(), Buffer.from(value).toString('latin1'));
    const inHost = hostBucket(request);
    const [first = '', ...rest] = path.slice(1).split('/');
    this.bucket = inHost ?? decode(first);
    this.key = decode(inHost === undefined ? rest.join('/') : path.slice(1));
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name] ?? this.hoisted.get(name);
    return Array.isArray(value) ? value.join(', ') : value;
  }

  /** A whole number of the query. @throws S3Error InvalidArgument */
  number(name: string, fallback: number, most = Number.MAX_SAFE_INTEGER): number {
    const value = this.query.get(name);
    if (value === undefined || value === '') return fallback;
    if (!/^\d{1,10}$/.test(value)) {
      throw new S3Error('InvalidArgument', `Provided ${name} not an integer or within integer range`, {
        ArgumentName: name,
        ArgumentValue: value,
      });
    }
    return Math.min(Number(value), most);
  }

  /** The body as it must turn out: its length, hashes and checksums are verified when it has arrived. */
  incoming(): Incoming {
    const { payload } = this.signed;
    const trailers = new Map<string, string>();
    const named = checksumAlgorithms.find((algorithm) => this.header(checksumHeader(algorithm)) !== undefined);
    const trailing = this.header('x-amz-trailer')?.trim().toLowerCase();
    const inTrailer = checksumAlgorithms.find((algorithm) => checksumHeader(algorithm) === trailing);
    const algorithm = named ?? inTrailer ?? this.checksumAlgorithm('x-amz-sdk-checksum-algorithm');
    let stream: AsyncIterable<Buffer> = this.request;
    let length = this.request.headers['content-length'];
    if (payload.startsWith('STREAMING-')) {
      if (!/^STREAMING-(AWS4-HMAC-SHA256-PAYLOAD(-TRAILER)?|UNSIGNED-PAYLOAD-TRAILER)$/.test(payload)) {
        throw new S3Error('NotImplemented', `x-amz-content-sha256: ${payload} is not supported here; use AWS4-HMAC-SHA256.`);
      }
      length = this.header('x-amz-decoded-content-length');
      stream = decodeChunked(stream, payload.startsWith('STREAMING-UNSIGNED') ? undefined : this.signed, trailers);
    }
    if (length === undefined && this.request.headers['transfer-encoding'] === undefined) throw new S3Error('MissingContentLength');
    if (Number(length) > largestPut)
      throw new S3Error('EntityTooLarge', undefined, { ProposedSize: length!, MaxSizeAllowed: String(largestPut) });
    const signedBody = /^[0-9a-f]{64}$/.test(payload);
    return {
      stream,
      sha256: signedBody,
      ...(algorithm && { algorithm }),
      verify: (digest: Digest) => {
        if (length !== undefined && digest.size !== Number(length)) throw new S3Error('IncompleteBody');
        if (signedBody && digest.sha256 !== payload) throw new S3Error('XAmzContentSHA256Mismatch');
        verifyMd5(digest, this.header('content-md5'));
        const expected = named ? this.header(checksumHeader(named)) : inTrailer && (trailers.get(checksumHeader(inTrailer)) ?? '');
        if (expected !== undefined && expected !== digest.checksum) {
          throw new S3Error('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
        }
      },
    };
  }

  /** The body as a document; undefined where there is none. */
  async document(root: string): Promise<Parsed | undefined> {
    const incoming = this.incoming();
    const hashing = startDigest(incoming);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of incoming.stream) {
      size += chunk.length;
      if (size > largestDocument) throw new S3Error('MaxMessageLengthExceeded');
      hashing.update(chunk);
      chunks.push(chunk);
    }
    hashing.finish();
    return size === 0 ? undefined : parseXml(Buffer.concat(chunks).toString(), root);
  }

  checksumAlgorithm(header: string): ChecksumAlgorithm | undefined {
    const value = this.header(header)?.toUpperCase();
    if (value === undefined) return undefined;
    const algorithm = checksumAlgorithms.find((known) => known === value);
    if (!algorithm)
      throw new S3Error(
        'InvalidRequest',
        `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${checksumAlgorithms.join(', ')}]`,
      );
    return algorithm;
  }

  condition(): WriteCondition | undefined {
    const ifNoneMatch = this.header('if-none-match');
    const ifMatch = this.header('if-match');
    if (ifNoneMatch === undefined && ifMatch === undefined) return undefined;
    if (ifNoneMatch !== undefined && (ifNoneMatch.trim() !== '*' || ifMatch !== undefined)) {
      throw new S3Error('NotImplemented', 'A write takes If-None-Match: * or If-Match with one ETag.', { Header: 'If-None-Match' });
    }
    return ifNoneMatch !== undefined ? { ifNoneMatch: '*' } : { ifMatch: ifMatch!.trim().replace(/^"(.*)"$/, '$1') };
  }

  /** What is stored with an object: headers, metadata, tags. */
  attributes(): Required<Pick<WriteOptions, 'headers' | 'metadata'>> & Pick<WriteOptions, 'tags'> {
    const headers: Record<string, string> = {};
    for (const name of storedHeaders) {
      const value = this.header(name);
      if (value !== undefined) headers[name] = value;
    }
    const encodings = (headers['content-encoding'] ?? '').split(',').map((coding) => coding.trim());
    const kept = encodings.filter((coding) => coding !== '' && coding !== 'aws-chunked').join(',');
    if (kept) headers['content-encoding'] = kept;
    else delete headers['content-encoding'];

    const metadata = Object.fromEntries(
      [...Object.keys(this.request.headers), ...this.hoisted.keys()]
        .filter((name) => name.startsWith('x-amz-meta-'))
        .map((name) => [name.slice('x-amz-meta-'.length), this.header(name)!]),
    );
    const size = Object.entries(metadata).flat().join('').length;
    if (size > largestMetadata)
      throw new S3Error('MetadataTooLarge', undefined, { Size: String(size), MaxSizeAllowed: String(largestMetadata) });
    for (const [name, value] of Object.entries({ ...headers, ...metadata })) checkHeaderValue(name, value);
    const tagging = this.header('x-amz-tagging');
    return { headers, metadata, ...(tagging !== undefined && { tags: Object.fromEntries(parseQuery(tagging)) }) };
  }

  xml(root: string, content: { [name: string]: Xml }, headers: Record<string, string> = {}): void {
    const body = toXml(root, content);
    this.response.writeHead(200, { ...headers, 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) });
    this.response.end(body);
  }

  empty(status: number, headers: Record<string, string> = {}): void {
    this.response.writeHead(status, status === 204 || status === 304 ? headers : { ...headers, 'content-length': 0 });
    this.response.end();
  }
}

function verifyMd5(digest: Digest, header: string | undefined): void {
  if (header === undefined) return;
  const expected = Buffer.from(header, 'base64');
  if (expected.length !== 16 || expected.toString('base64') !== header.trim()) throw new S3Error('InvalidDigest');
  if (expected.toString('hex') !== digest.md5)
    throw new S3Error('BadDigest', 'The Content-MD5 you specified did not match what we received.');
}

/** What was stored or asked for must be sendable. @throws S3Error InvalidArgument */
export function checkHeaderValue(name: string, value: string): void {
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) {
    throw new S3Error('InvalidArgument', 'Header value cannot be represented using ISO-8859-1.', { ArgumentName: name });
  }
}
