import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { S3Error } from '../errors.ts';
import { verifySignatureV2 } from '../sigv2.ts';
import { verifySignature } from '../sigv4.ts';
import type { Store } from '../store.ts';
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
}

type Operation = (store: Store, x: Exchange, region: string) => void | Promise<void>;

/** Method, place and the query parameter (or header) that names the operation; of those that fit the first is it. */
const operations: [method: string, place: 'service' | 'bucket' | 'object', sign: string | undefined, Operation][] = [
  ['GET', 'service', undefined, buckets.listBuckets],

  ['GET', 'bucket', 'location', buckets.location],
  ['GET', 'bucket', 'versioning', buckets.versioning],
  ['PUT', 'bucket', 'versioning', buckets.versioning],
  ['GET', 'bucket', 'acl', buckets.acl],
  ['GET', 'bucket', 'versions', lists.listVersions],
  ['GET', 'bucket', 'uploads', multipart.listUploads],
  ['POST', 'bucket', 'delete', objects.removeMany],
  ['GET', 'bucket', 'list-type', lists.listV2],
  ['GET', 'bucket', undefined, lists.listV1],
  ['HEAD', 'bucket', undefined, buckets.headBucket],
  ['PUT', 'bucket', undefined, buckets.createBucket],
  ['DELETE', 'bucket', undefined, buckets.deleteBucket],

  ['GET', 'object', 'acl', buckets.acl],
  ['GET', 'object', 'tagging', objects.tagging],
  ['PUT', 'object', 'tagging', objects.tagging],
  ['DELETE', 'object', 'tagging', objects.tagging],
  ['POST', 'object', 'uploads', multipart.create],
  ['POST', 'object', 'uploadId', multipart.complete],
  ['GET', 'object', 'uploadId', multipart.listParts],
  ['DELETE', 'object', 'uploadId', multipart.abort],
  ['PUT', 'object', 'uploadId', multipart.uploadPart],
  ['GET', 'object', undefined, objects.get],
  ['HEAD', 'object', undefined, objects.get],
  ['PUT', 'object', undefined, objects.put],
  ['DELETE', 'object', undefined, objects.remove],
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
  { region, credentials, strangers }: HandlerOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    const requestId = randomBytes(8).toString('hex').toUpperCase();
    response.setHeader('x-amz-request-id', requestId);
    response.setHeader('server', 'Ingot');
    try {
      const verify = /[?&]AWSAccessKeyId=/.test(request.url ?? '') ? verifySignatureV2 : verifySignature;
      const x = new Exchange(request, response, verify(request, credentials, Date.now(), strangers));
      await operationOf(x)(store, x, region);
    } catch (error) {
      fail(request, response, requestId, error);
    }
  };
}

function operationOf(x: Exchange): Operation {
  const place = x.bucket === '' ? 'service' : x.key === '' ? 'bucket' : 'object';
  const found = operations.find(([method, at, sign]) => method === x.method && at === place && (sign === undefined || x.query.has(sign)));
  const unknown = found?.[2] === undefined ? [...x.query.keys()].find((name) => unsupported.has(name)) : undefined;
  if (unknown !== undefined || (!found && place !== 'service' && x.method === 'POST')) {
    throw new S3Error('NotImplemented', `${x.method} with ?${unknown ?? [...x.query.keys()][0] ?? ''} is not part of S3 on the laptop.`);
  }
  if (!found) throw new S3Error('MethodNotAllowed', undefined, { Method: x.method, ResourceType: place.toUpperCase() });
  if (x.method === 'PUT' && place === 'object' && x.header('x-amz-copy-source') !== undefined) {
    return found[3] === multipart.uploadPart ? multipart.uploadPartCopy : found[3] === objects.put ? objects.copy : found[3];
  }
  return found[3];
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
