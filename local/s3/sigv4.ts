import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { S3Error } from './errors.ts';

/** What a signature covers, beside the body. */
export type RequestHead = Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'rawHeaders'>;

/** A request whose signature is right, and what is needed to verify the signatures of its chunks. */
export interface Signed {
  accessKeyId: string;
  /** A SHA-256 in hexadecimal, `UNSIGNED-PAYLOAD` or one of the `STREAMING-…` words. */
  payload: string;
  /** What chunks of the body are signed with; undefined where the signer is a stranger, whose signatures nobody can check. */
  key: Buffer | undefined;
  /** `<date>/<region>/s3/aws4_request`. */
  scope: string;
  /** `YYYYMMDDTHHMMSSZ`. */
  date: string;
  signature: string;
}

const algorithm = 'AWS4-HMAC-SHA256';
const minute = 60_000;
/** The longest that a presigned URL can live: 7 days, in seconds. */
const longestExpiry = 7 * 24 * 60 * 60;

export const sha256 = (text: string | Buffer) => createHash('sha256').update(text).digest('hex');
export const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
export const sameSignature = (a: string, b: string) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

/** RFC 3986: all but letters, digits and `-._~`. */
export const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/** @throws S3Error InvalidURI where the percent-encoding isn't one of UTF-8 */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error('InvalidURI');
  }
}

/** The name-value pairs of a query as they came, decoded. */
export function parseQuery(query: string): [name: string, value: string][] {
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name, value = ''] = pair.replaceAll('+', ' ').split(/=(.*)/s);
      return [decode(name!), decode(value)];
    });
}

/**
 * Verifies Signature Version 4 of a request signed by header or by query (presigned).
 *
 * @param credentials access key id → secret key
 * @param now milliseconds since 1970
 * @param strangers whether an unknown access key is let in unchecked; otherwise it is an InvalidAccessKeyId
 * @throws S3Error AccessDenied (unsigned, expired), InvalidAccessKeyId, SignatureDoesNotMatch, RequestTimeTooSkewed and the malformed ones
 */
export function verifySignature(request: RequestHead, credentials: Record<string, string>, now: number, strangers = false): Signed {
  const [path, query] = splitUrl(request.url ?? '/');
  const pairs = parseQuery(query);
  const inQuery = new Map(pairs);
  const authorization = request.headers.authorization;
  if (inQuery.has('X-Amz-Algorithm') || inQuery.has('X-Amz-Signature'))
    return verifyPresigned(request, path, pairs, credentials, now, strangers);
  if (authorization === undefined) throw new S3Error('AccessDenied');
  const match = new RegExp(`^${algorithm}\\s+Credential=([^,\\s]+),\\s*SignedHeaders=([^,\\s]+),\\s*Signature=([0-9a-f]{64})$`).exec(
    authorization.trim(),
  );
  if (!match)
    throw new S3Error(
      'AuthorizationHeaderMalformed',
      `The authorization header must be ${algorithm} with Credential, SignedHeaders and Signature.`,
    );
  const [, credential, signedHeaders, signature] = match as unknown as [string, string, string, string];
  const date = dateOf(request);
  if (Math.abs(now - parseDate(date)) > 15 * minute) throw new S3Error('RequestTimeTooSkewed');
  const payload = request.headers['x-amz-content-sha256'];
  if (typeof payload !== 'string') throw new S3Error('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  return check(
    request,
    path,
    pairs,
    { credential, signedHeaders: signedHeaders.split(';'), signature, date, payload },
    credentials,
    strangers,
  );
}

function verifyPresigned(
  request: RequestHead,
  path: string,
  pairs: [string, string][],
  credentials: Record<string, string>,
  now: number,
  strangers: boolean,
): Signed {
  const query = new Map(pairs);
  const field = (name: string) => {
    const value = query.get(`X-Amz-${name}`);
    if (value === undefined) throw new S3Error('AuthorizationQueryParametersError');
    return value;
  };
  if (field('Algorithm') !== algorithm) throw new S3Error('AuthorizationQueryParametersError');
  const date = field('Date');
  const expires = Number(field('Expires'));
  if (!Number.isInteger(expires) || expires < 0) throw new S3Error('AuthorizationQueryParametersError', 'X-Amz-Expires should be a number');
  if (expires > longestExpiry) {
    throw new S3Error(
      'AuthorizationQueryParametersError',
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
    );
  }
  const signedAt = parseDate(date);
  if (signedAt - now > 15 * minute) throw new S3Error('AccessDenied', 'Request is not yet valid');
  if (now > signedAt + expires * 1000) {
    const details = {
      'X-Amz-Expires': String(expires),
      Expires: new Date(signedAt + expires * 1000).toISOString(),
      ServerTime: new Date(now).toISOString(),
    };
    throw new S3Error('AccessDenied', 'Request has expired', details);
  }
  const header = request.headers['x-amz-content-sha256'];
  const payload = query.get('X-Amz-Content-Sha256') ?? (typeof header === 'string' ? header : 'UNSIGNED-PAYLOAD');
  const parts = {
    credential: field('Credential'),
    signedHeaders: field('SignedHeaders').split(';'),
    signature: field('Signature'),
    date,
    payload,
  };
  return check(
    request,
    path,
    pairs.filter(([name]) => name !== 'X-Amz-Signature'),
    parts,
    credentials,
    strangers,
  );
}

interface Parts {
  credential: string;
  signedHeaders: string[];
  signature: string;
  date: string;
  payload: string;
}

function check(
  request: RequestHead,
  path: string,
  pairs: [string, string][],
  parts: Parts,
  credentials: Record<string, string>,
  strangers: boolean,
): Signed {
  const { signedHeaders, signature, date, payload } = parts;
  const scopeParts = parts.credential.split('/').slice(-4);
  const accessKeyId = parts.credential.split('/').slice(0, -4).join('/');
  const [day, , service, terminator] = scopeParts;
  if (accessKeyId === '' || service !== 's3' || terminator !== 'aws4_request' || day !== date.slice(0, 8)) {
    throw new S3Error(
      'AuthorizationHeaderMalformed',
      'The credential must be <access key>/<date of the request>/<region>/s3/aws4_request.',
    );
  }
  const secret = Object.hasOwn(credentials, accessKeyId) ? credentials[accessKeyId] : undefined;
  const scope = scopeParts.join('/');
  if (secret === undefined) {
    if (strangers) return { accessKeyId, payload, key: undefined, scope, date, signature };
    throw new S3Error('InvalidAccessKeyId', undefined, { AWSAccessKeyId: accessKeyId });
  }
  const unsigned = Object.keys(request.headers).find(
    (name) => name.startsWith('x-amz-') && name !== 'x-amz-content-sha256' && !signedHeaders.includes(name),
  );
  if (unsigned !== undefined || !signedHeaders.includes('host')) {
    throw new S3Error('AccessDenied', 'There were headers present in the request which were not signed', {
      HeadersNotSigned: unsigned ?? 'host',
    });
  }

  const canonicalPath = decode(path).split('/').map(encode).join('/');
  const { canonical, stringToSign, key, expected } = computeSignature(request, canonicalPath, pairs, {
    signedHeaders,
    date,
    payload,
    scope,
    secret,
  });
  if (!sameSignature(expected, signature)) {
    const details = { AWSAccessKeyId: accessKeyId, StringToSign: stringToSign, SignatureProvided: signature, CanonicalRequest: canonical };
    throw new S3Error('SignatureDoesNotMatch', undefined, details);
  }
  return { accessKeyId, payload, key, scope, date, signature };
}

/** The signature that a request should bear, whatever the service, and what it is made from. */
export function computeSignature(
  request: RequestHead,
  canonicalPath: string,
  pairs: [string, string][],
  { signedHeaders, date, payload, scope, secret }: Record<'date' | 'payload' | 'scope' | 'secret', string> & { signedHeaders: string[] },
): { canonical: string; stringToSign: string; key: Buffer; expected: string } {
  const canonical = [
    request.method,
    canonicalPath,
    pairs
      .map(([name, value]) => [encode(name), encode(value)] as const)
      .sort((a, b) => (a[0] === b[0] ? order(a[1], b[1]) : order(a[0], b[0])))
      .map((pair) => pair.join('='))
      .join('&'),
    ...signedHeaders.map((name) => `${name}:${canonicalHeader(request, name)}`),
    '',
    signedHeaders.join(';'),
    payload,
  ].join('\n');
  // Headers come as the bytes of latin1, which is how they must be hashed.
  const stringToSign = [algorithm, date, scope, sha256(Buffer.from(canonical, 'latin1'))].join('\n');
  const [day, region, service] = scope.split('/') as [string, string, string];
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), service), 'aws4_request');
  return { canonical, stringToSign, key, expected: hmac(key, stringToSign).toString('hex') };
}

const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function canonicalHeader(request: RequestHead, name: string): string {
  const values: string[] = [];
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    if (request.rawHeaders[i]!.toLowerCase() === name) values.push(request.rawHeaders[i + 1]!.trim().replace(/ +/g, ' '));
  }
  return values.join(',');
}

function dateOf(request: RequestHead): string {
  const date = request.headers['x-amz-date'];
  if (typeof date === 'string') return date;
  const header = Date.parse(request.headers.date ?? '');
  if (Number.isNaN(header)) throw new S3Error('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header');
  return new Date(header).toISOString().replace(/[-:]|\.\d+/g, '');
}

export function parseDate(date: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date);
  if (!match) throw new S3Error('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header');
  const [, year, month, day, hour, minutes, seconds] = match.map(Number) as [number, number, number, number, number, number, number];
  return Date.UTC(year, month - 1, day, hour, minutes, seconds);
}

/** The path and the query of a request's target, as they came. */
export function splitUrl(url: string): [path: string, query: string] {
  const [path, query = ''] = url.replace(/^https?:\/\/[^/]*/i, '').split(/\?(.*)/s);
  return [path === '' ? '/' : path!, query];
}

/** The bucket of a virtual-hosted request, `<bucket>.localhost`; undefined where it is in the path. */
export function hostBucket(request: RequestHead): string | undefined {
  const name = /^(.+)\.localhost(?::\d+)?$/i
    .exec(request.headers.host ?? '')?.[1]
    ?.toLowerCase()
    .replace(/(^|\.)s3$/, '');
  return name === '' ? undefined : name;
}
