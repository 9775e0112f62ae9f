/** Holds requests to the services against the role of whose key they are signed with. */
import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../protocol/service.ts';
import { decode, readBody } from '../protocol/wire.ts';
import { type S3Call, S3Error } from '../s3/s3.ts';
import { splitUrl } from '../s3/sigv4.ts';
import type { Json, JsonObject } from '../template/intrinsics.ts';
import { callsOf, callsOfTask, restOperation, services } from './actions.ts';
import type { Iam, Session } from './iam.ts';
import type { Call } from './policy.ts';
import { accessKeyOf, verifyServiceSignature } from './signature.ts';

/** Who signed, where it is somebody in a role; the user, and programs with keys of other places, may do everything. */
export function sessionOf(iam: Iam, request: IncomingMessage): Session | undefined {
  const key = accessKeyOf(request);
  return key === undefined ? undefined : iam.session(key);
}

/**
 * Checks a request to a service other than S3.
 * @throws ServiceError where its signature is wrong, or its role does not allow it, as the service words that
 */
export async function admit(iam: Iam, session: Session, service: string, request: IncomingMessage): Promise<void> {
  const body = await verify(session, request);
  // Who one is may be asked by anyone.
  if (service === 'sts') return;
  const known = services[service];
  const asked = known && operationOf(service, request, body);
  if (!asked)
    throw new ServiceError(
      'AccessDeniedException',
      `User: ${session.arn} is not authorized to perform: ${service}: it is not known here.`,
      403,
    );
  for (const call of callsOf(service, asked.operation, asked.input)) {
    const words = iam.refusal(session.role, call, session.arn) ?? encryption(iam, session, call);
    if (words !== undefined) throw new ServiceError(known.refusal.code, words, known.refusal.status);
  }
}

/** @returns the request's body. @throws ServiceError */
export async function verify({ token, secretAccessKey }: Session, request: IncomingMessage): Promise<Buffer> {
  const body = await readBody(request);
  if (request.headers['x-amz-security-token'] !== token) {
    throw new ServiceError('UnrecognizedClientException', 'The security token included in the request is invalid.', 403);
  }
  verifyServiceSignature(request, body, secretAccessKey, Date.now());
  return body;
}

function operationOf(service: string, request: IncomingMessage, body: Buffer): { operation: string; input: JsonObject } | undefined {
  if (service === 'lambda' || service === 'apigateway' || service === 'batch') {
    const input = service === 'batch' && body.length > 0 ? (JSON.parse(body.toString('utf8')) as JsonObject) : {};
    return restOperation(service, request.method!, splitUrl(request.url!)[0], input);
  }
  const { operation, input } = decode(request, body, '');
  return { operation, input };
}

/** What S3 asks before it does anything. @throws S3Error InvalidToken */
export function authorizeS3(iam: Iam, { accessKeyId, token, action, resource, context, multipart }: S3Call): string | undefined {
  const session = iam.session(accessKeyId);
  if (!session) return undefined;
  if (token !== session.token) throw new S3Error('InvalidToken');
  const call = { action, resource, context };
  return iam.refusal(session.role, call, session.arn) ?? encryption(iam, session, call, multipart);
}

const decrypting = new Set(['s3:GetObject', 's3:GetObjectVersion', 'sqs:ReceiveMessage']);
const encrypting = new Set(['s3:PutObject', 'sqs:SendMessage', 'sns:Publish']);

/** What is encrypted with a key of the stack's needs the key as well. Queues and topics, and parts of objects, decrypt the data key that they use again. */
function encryption(
  iam: Iam,
  { role, arn }: Session,
  { action, resource }: Call,
  multipart = !action.startsWith('s3:'),
): string | undefined {
  const key = iam.encrypted.get(action.startsWith('s3:') ? resource.split('/')[0]! : resource);
  if (key === undefined) return undefined;
  const reads = decrypting.has(action) || (encrypting.has(action) && multipart);
  return (
    (encrypting.has(action) ? iam.refusal(role, { action: 'kms:GenerateDataKey', resource: key }, arn) : undefined) ??
    (reads ? iam.refusal(role, { action: 'kms:Decrypt', resource: key }, arn) : undefined)
  );
}

/** @returns undefined where a state machine's role allows a task, or AWS's words for why it does not. */
export function taskRefusal(iam: Iam, { role, arn }: Session, resource: string, input: Json): string | undefined {
  for (const call of callsOfTask(resource, (input ?? {}) as JsonObject)) {
    const words = iam.refusal(role, call, arn);
    if (words !== undefined) return words;
  }
  return undefined;
}
