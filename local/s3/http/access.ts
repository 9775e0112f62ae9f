/** What of IAM an operation needs: its action on the bucket or the object, and what its headers ask for besides. */
import { S3Error } from '../errors.ts';
import type { Signed } from '../sigv4.ts';

/** A call as IAM sees it. */
export interface S3Call {
  accessKeyId: string;
  token: string | undefined;
  /** `s3:GetObject` */
  action: string;
  resource: string;
  context: Record<string, string | undefined>;
  /** It is about a part of an object, whose encryption began with an earlier call. */
  multipart: boolean;
}

/** What of a request decides. */
interface Asked {
  readonly bucket: string;
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly signed: Signed;
  header(name: string): string | undefined;
}

/** @returns undefined where it is allowed, or S3's words for why it is not. @throws S3Error for a key that is not what it seems */
export type Authorize = (call: S3Call) => string | undefined;

/** Actions whose name tells whether a version is named. */
const ofVersions = new Set(['GetObject', 'DeleteObject', 'GetObjectAcl', 'GetObjectTagging', 'PutObjectTagging', 'DeleteObjectTagging']);

export class Access {
  readonly #x: Asked;
  readonly #authorize: Authorize | undefined;
  /** The bucket that a copy is from. */
  #source: string | undefined;

  constructor(x: Asked, authorize: Authorize | undefined) {
    this.#x = x;
    this.#authorize = authorize;
  }

  /** @throws S3Error AccessDenied where the operation's action, or what its headers ask for, is not allowed. */
  check(action: string): void {
    const x = this.#x;
    // DeleteObjects is checked key by key.
    if (!this.#authorize || action === 'DeleteObjects') return;
    const version = x.query.get('versionId');
    this.require(action, x.bucket, x.key, version);
    if (x.header('if-match') !== undefined && (action === 'PutObject' || action === 'DeleteObject'))
      this.require('GetObject', x.bucket, x.key);
    if (x.header('x-amz-tagging') !== undefined) this.require('PutObjectTagging', x.bucket, x.key);
  }

  /** @throws S3Error AccessDenied */
  copyFrom(bucket: string, key: string, versionId: string | undefined): void {
    this.#source = bucket;
    this.require('GetObject', bucket, key, versionId);
  }

  /** @throws S3Error AccessDenied */
  require(action: string, bucket: string, key: string, versionId?: string): void {
    const words = this.#refusal(action, bucket, key, versionId);
    if (words !== undefined) throw new S3Error('AccessDenied', words);
  }

  /** Who may not list a bucket does not learn that an object is missing. */
  disguise(error: unknown): unknown {
    if (!(error instanceof S3Error) || (error.code !== 'NoSuchKey' && error.code !== 'NoSuchVersion')) return error;
    const words = this.#refusal('ListBucket', this.#source ?? this.#x.bucket, '');
    return words === undefined ? error : new S3Error('AccessDenied', words);
  }

  #refusal(action: string, bucket: string, key: string, versionId?: string): string | undefined {
    const { query, signed } = this.#x;
    const listing = action === 'ListBucket' || action === 'ListBucketVersions' || action === 'ListBucketMultipartUploads';
    return this.#authorize?.({
      accessKeyId: signed.accessKeyId,
      token: this.#x.header('x-amz-security-token'),
      action: `s3:${action}${versionId !== undefined && ofVersions.has(action) ? 'Version' : ''}`.replace(
        /(Acl|Tagging)Version$/,
        'Version$1',
      ),
      resource: bucket === '' ? '*' : `arn:aws:s3:::${bucket}${key === '' ? '' : `/${key}`}`,
      context: {
        ...(listing &&
          this.#x.key === '' && {
            's3:prefix': query.get('prefix'),
            's3:delimiter': query.get('delimiter'),
            's3:max-keys': query.get('max-keys'),
          }),
        ...(versionId !== undefined && { 's3:VersionId': versionId }),
      },
      multipart: query.has('uploadId') || query.has('uploads'),
    });
  }
}
