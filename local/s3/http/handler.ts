import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { S3Error } from '../errors.ts';
import { verifySignatureV2 } from '../sigv2.ts';
import { verifySignature } from '../sigv4.ts';
import type { Store } from '../store.ts';
import type { Authorize } from './access.ts';
import * as buckets from './buckets.ts';
import { Exchange } from './exchange.ts';
import * as lists from './lists.ts';
import * as multipart from './multipart.ts';
import * as objects from './objects.ts';
import { toXml } from './xml.ts';

export interface HandlerOptions {
  region: string;
  /** Access key id → secret key. */
  credentials: Record<string, string>;
  /** Whether other access keys are let in, their signatures unchecked. */
  strangers: boolean;
  /** Left out, whoever is let in may do everything. */
  authorize?: Authorize;
}

type Operation = (store: Store, x: Exchange, region: string) => void | Promise<void>;

/** Method, place and the query parameter (or header) that names the operation, and its action in IAM; of those that fit the first is it. */
const operations: [method: string, place: 'service' | 'bucket' | 'object', sign: string | undefined, Operation, action: string][] = [
  ['GET', 'service', undefined, buckets.listBuckets, 'ListAllMyBuckets'],

  ['GET', 'bucket', 'location', buckets.location, 'GetBucketLocation'],
  ['GET', 'bucket', 'versioning', buckets.versioning, 'GetBucketVersioning'],
  ['PUT', 'bucket', 'versioning', buckets.versioning, 'PutBucketVersioning'],
  ['GET', 'bucket', 'acl', buckets.acl, 'GetBucketAcl'],
  ['GET', 'bucket', 'versions', lists.listVersions, 'ListBucketVersions'],
  ['GET', 'bucket', 'uploads', multipart.listUploads, 'ListBucketMultipartUploads'],
  ['POST', 'bucket', 'delete', objects.removeMany, 'DeleteObjects'],
  ['GET', 'bucket', 'list-type', lists.listV2, 'ListBucket'],
  ['GET', 'bucket', undefined, lists.listV1, 'ListBucket'],
  ['HEAD', 'bucket', undefined, buckets.headBucket, 'ListBucket'],
  ['PUT', 'bucket', undefined, buckets.createBucket, 'CreateBucket'],
  ['DELETE', 'bucket', undefined, buckets.deleteBucket, 'DeleteBucket'],

  ['GET', 'object', 'acl', buckets.acl, 'GetObjectAcl'],
  ['GET', 'object', 'tagging', objects.tagging, 'GetObjectTagging'],
  ['PUT', 'object', 'tagging', objects.tagging, 'PutObjectTagging'],
  ['DELETE', 'object', 'tagging', objects.tagging, 'DeleteObjectTagging'],
  ['POST', 'object', 'uploads', multipart.create, 'PutObject'],
  ['POST', 'object', 'uploadId', multipart.complete, 'PutObject'],
  ['GET', 'object', 'uploadId', multipart.listParts, 'ListMultipartUploadParts'],
  ['DELETE', 'object', 'uploadId', multipart.abort, 'AbortMultipartUpload'],
  ['PUT', 'object', 'uploadId', multipart.uploadPart, 'PutObject'],
  ['GET', 'object', undefined, objects.get, 'GetObject'],
  ['HEAD', 'object', undefined, objects.get, 'GetObject'],
  ['PUT', 'object', undefined, objects.put, 'PutObject'],
  ['DELETE', 'object', undefined, objects.remove, 'DeleteObject'],
];

/** Parameters that name operations which we don't have: without this list they would be taken for the plain GET or PUT. */
const unsupported = new Set(
  (
    'accelerate acl analytics attributes cors encryption intelligent-tiering inventory legal-hold lifecycle logging metadataTable metrics notification ' +
    'object-lock ownershipControls policy policyStatus publicAccessBlock replication requestPayment restore retention select session tagging torrent website'
  ).split(' '),
);

/** Answers S3's REST API from a store, path-style or with the bucket in the host (`<bucket>.localhost`). */
export function createHandler(
  store: Store,
  { region, credentials, strangers, authorize }: HandlerOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    const requestId = randomBytes(8).toString('hex').toUpperCase();
    response.setHeader('x-amz-request-id', requestId);
    response.setHeader('server', 'Ingot');
    let x: Exchange | undefined;
    try {
      const verify = /[?&]AWSAccessKeyId=/.test(request.url ?? '') ? verifySignatureV2 : verifySignature;
      x = new Exchange(request, response, verify(request, credentials, Date.now(), strangers), authorize);
      const { operation, action } = operationOf(x);
      x.access.check(action);
      await operation(store, x, region);
    } catch (error) {
      fail(request, response, requestId, x ? x.access.disguise(error) : error);
    }
  };
}

function operationOf(x: Exchange): { operation: Operation; action: string } {
  const place = x.bucket === '' ? 'service' : x.key === '' ? 'bucket' : 'object';
  const found = operations.find(([method, at, sign]) => method === x.method && at === place && (sign === undefined || x.query.has(sign)));
  const unknown = found?.[2] === undefined ? [...x.query.keys()].find((name) => unsupported.has(name)) : undefined;
  if (unknown !== undefined || (!found && place !== 'service' && x.method === 'POST')) {
    throw new S3Error('NotImplemented', `${x.method} with ?${unknown ?? [...x.query.keys()][0] ?? ''} is not part of S3 on the laptop.`);
  }
  if (!found) throw new S3Error('MethodNotAllowed', undefined, { Method: x.method, ResourceType: place.toUpperCase() });
  const [, , , operation, action] = found;
  if (x.method === 'PUT' && place === 'object' && x.header('x-amz-copy-source') !== undefined) {
    if (operation === multipart.uploadPart) return { operation: multipart.uploadPartCopy, action };
    if (operation === objects.put) return { operation: objects.copy, action };
  }
  return { operation, action };
}

function fail(request: IncomingMessage, response: ServerResponse, requestId: string, error: unknown): void {
  // The client went away in the middle, or the answer is half sent: an error can only be told by breaking off.
  const isGone = (request.destroyed && !request.complete) || (error as NodeJS.ErrnoException).code === 'ECONNRESET';
  if (response.headersSent || isGone) {
    response.destroy();
    return;
  }
  if (!(error instanceof S3Error))
    process.stderr.write(`S3: ${request.method} ${request.url}: ${error instanceof Error ? error.stack : error}\n`);
  const known = error instanceof S3Error ? error : new S3Error('InternalError');
  const { status, code, message, details, headers } = known;
  const [Resource] = (request.url ?? '/').split('?', 1);
  const body =
    request.method === 'HEAD' || status === 304
      ? ''
      : toXml('Error', { Code: code, Message: message, ...details, Resource, RequestId: requestId });
  response.writeHead(status, {
    ...headers,
    ...(status !== 304 && { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) }),
  });
  response.end(body);
}
