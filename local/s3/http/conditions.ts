import { S3Error } from '../errors.ts';
import type { Version } from '../types.ts';

const seconds = (milliseconds: number) => Math.floor(milliseconds / 1000);

function matches(header: string, etag: string): boolean {
  return header.split(',').some((candidate) => {
    const bare = candidate
      .trim()
      .replace(/^W\//, '')
      .replace(/^"(.*)"$/, '$1');
    return bare === '*' || bare === etag;
  });
}

/**
 * RFC 9110's preconditions in its order, and S3's: a time counts only where the etag's condition beside it is absent.
 *
 * @param prefix `x-amz-copy-source-` for the conditions on a copy's source, where "not modified" too is a 412
 * @throws S3Error PreconditionFailed (412), NotModified (304, without a body)
 */
export function checkRead(header: (name: string) => string | undefined, version: Version, prefix = ''): void {
  const date = (name: string) => {
    const value = Date.parse(header(prefix + name) ?? '');
    return Number.isNaN(value) ? undefined : seconds(value);
  };
  const failed = (condition: string) => new S3Error('PreconditionFailed', undefined, { Condition: condition });
  const modified = seconds(version.lastModified);

  const ifMatch = header(`${prefix}if-match`);
  const unmodifiedSince = date('if-unmodified-since');
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, version.etag)) throw failed('If-Match');
  } else if (unmodifiedSince !== undefined && modified > unmodifiedSince) throw failed('If-Unmodified-Since');

  const ifNoneMatch = header(`${prefix}if-none-match`);
  const modifiedSince = date('if-modified-since');
  const same = ifNoneMatch !== undefined ? matches(ifNoneMatch, version.etag) : modifiedSince !== undefined && modified <= modifiedSince;
  if (!same) return;
  if (prefix) throw failed(ifNoneMatch !== undefined ? 'If-None-Match' : 'If-Modified-Since');
  throw new S3Error(
    'NotModified',
    undefined,
    {},
    { etag: `"${version.etag}"`, 'last-modified': new Date(version.lastModified).toUTCString() },
  );
}

/**
 * One range of bytes. As on S3 what isn't a single well-formed range is ignored.
 *
 * @returns from and to (exclusive), or undefined for the whole
 * @throws S3Error InvalidRange where it lies outside
 */
export function parseRange(header: string | undefined, size: number): { from: number; to: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const [first, last] = [match[1]!, match[2]!].map((digits) => (digits === '' ? undefined : Number(digits)));
  if (first !== undefined && last !== undefined && last < first) return undefined;
  const from = first ?? Math.max(size - last!, 0);
  const to = first === undefined || last === undefined ? size : Math.min(last + 1, size);
  if (from < to) return { from, to };
  throw new S3Error(
    'InvalidRange',
    undefined,
    { RangeRequested: header!, ActualObjectSize: String(size) },
    { 'content-range': `bytes */${size}` },
  );
}
