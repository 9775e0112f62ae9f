/** The object store on S3. A condition that fails (412, or 409 where two writers race) is an answer, not an error. */
import { createReadStream, createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
  type S3ClientConfig,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { ObjectStore, ObjectSummary, PutCondition, StoredObject } from '../core/object-store.ts';

/** An S3 client for the environment: an emulator named by AWS_ENDPOINT_URL has its buckets in the path, as they have no DNS names. */
export function s3Client(config: S3ClientConfig = {}): S3Client {
  const endpoint = process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL'];
  return new S3Client({ ...(endpoint && { endpoint, forcePathStyle: true }), ...config });
}

function status(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}

/** S3 answers 404 for what is not there; undefined in our terms. */
async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (status(error) === 404) return undefined;
    throw error;
  }
}

export class S3ObjectStore implements ObjectStore {
  private readonly bucket: string;
  private readonly client: S3Client;

  constructor(bucket: string, client: S3Client = s3Client()) {
    this.bucket = bucket;
    this.client = client;
  }

  async get(key: string): Promise<StoredObject | undefined> {
    const object = await unlessMissing(this.client.send(new GetObjectCommand({ Bucket: this.bucket, Key: key })));
    return object && { body: await object.Body!.transformToByteArray(), etag: object.ETag! };
  }

  async head(key: string): Promise<{ size: number; etag: string } | undefined> {
    const object = await unlessMissing(this.client.send(new HeadObjectCommand({ Bucket: this.bucket, Key: key })));
    return object && { size: object.ContentLength!, etag: object.ETag! };
  }

  async put(
    key: string,
    body: Uint8Array | string,
    options: { contentType?: string; condition?: PutCondition } = {},
  ): Promise<string | undefined> {
    const { condition, contentType } = options;
    try {
      const put = await this.client.send(
        new PutObjectCommand({
          Bucket: this.bucket,
          Key: key,
          Body: body,
          ...(contentType && { ContentType: contentType }),
          ...(condition && ('ifMatch' in condition ? { IfMatch: condition.ifMatch } : { IfNoneMatch: '*' })),
        }),
      );
      return put.ETag!;
    } catch (error) {
      // 404: If-Match on an object that is gone.
      if (condition && [404, 409, 412].includes(status(error) ?? 0) && (error as Error).name !== 'NoSuchBucket') return undefined;
      throw error;
    }
  }

  async *list(prefix: string): AsyncIterable<ObjectSummary> {
    for await (const page of paginateListObjectsV2({ client: this.client }, { Bucket: this.bucket, Prefix: prefix })) {
      for (const { Key, Size, ETag, LastModified } of page.Contents ?? []) {
        yield { key: Key!, size: Size!, etag: ETag!, lastModified: LastModified! };
      }
    }
  }

  async *listFolders(prefix: string): AsyncIterable<string> {
    for await (const page of paginateListObjectsV2({ client: this.client }, { Bucket: this.bucket, Prefix: prefix, Delimiter: '/' })) {
      for (const { Prefix } of page.CommonPrefixes ?? []) yield Prefix!.slice(prefix.length, -1);
    }
  }

  async download(key: string, path: string, options?: { versionId?: string }): Promise<boolean> {
    const object = await unlessMissing(
      this.client.send(
        new GetObjectCommand({ Bucket: this.bucket, Key: key, ...(options?.versionId && { VersionId: options.versionId }) }),
      ),
    );
    if (!object) return false;
    await pipeline(object.Body as Readable, createWriteStream(path));
    return true;
  }

  async upload(path: string, key: string, options?: { contentType?: string }): Promise<void> {
    await new Upload({
      client: this.client,
      params: {
        Bucket: this.bucket,
        Key: key,
        Body: createReadStream(path),
        ...(options?.contentType && { ContentType: options.contentType }),
      },
    }).done();
  }

  async delete(key: string): Promise<void> {
    await this.client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: key }));
  }
}
