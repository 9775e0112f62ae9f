/** Signatures of requests to a REST API whose methods ask IAM, and API Gateway's words where it refuses one. */
import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../protocol/service.ts';
import { S3Error } from '../s3/s3.ts';
import { accountId, region } from '../template/template.ts';
import type { Iam } from './iam.ts';
import { accessKeyOf, verifyServiceSignature } from './signature.ts';

export interface Refused {
  type: 'MISSING_AUTHENTICATION_TOKEN' | 'INVALID_SIGNATURE' | 'ACCESS_DENIED';
  message: string;
}

/** Who signed, as a function sees it in `requestContext.identity`. */
export interface Signer {
  accessKey: string;
  userArn: string;
}

export const isRefused = (answer: Signer | Refused): answer is Refused => 'type' in answer;

/** @param target `<api>/<stage>/<method>/<path>` */
export function signerOf(iam: Iam, request: IncomingMessage, body: Buffer, target: string): Signer | Refused {
  if (request.headers.authorization === undefined) return { type: 'MISSING_AUTHENTICATION_TOKEN', message: 'Missing Authentication Token' };
  const accessKey = accessKeyOf(request) ?? '';
  const session = iam.session(accessKey);
  const secret = Object.hasOwn(iam.secrets, accessKey) ? iam.secrets[accessKey] : undefined;
  if (secret === undefined || (session && request.headers['x-amz-security-token'] !== session.token)) {
    return { type: 'INVALID_SIGNATURE', message: 'The security token included in the request is invalid.' };
  }
  try {
    verifyServiceSignature(request, body, secret, Date.now());
  } catch (error) {
    if (error instanceof ServiceError || error instanceof S3Error) return { type: 'INVALID_SIGNATURE', message: error.message };
    throw error;
  }
  if (!session) return { accessKey, userArn: `arn:aws:iam::${accountId}:root` };
  const resource = `arn:aws:execute-api:${region}:${accountId}:${target}`;
  const words = iam.refusal(session.role, { action: 'execute-api:Invoke', resource }, session.arn);
  // API Gateway shows no more of the account than its last four digits.
  if (words)
    return { type: 'ACCESS_DENIED', message: words.replace(`:${accountId}:${target}`, `:********${accountId.slice(-4)}:${target}`) };
  return { accessKey, userArn: session.arn };
}
