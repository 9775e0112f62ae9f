/** Signature Version 4 of services other than S3, whose body is read before it is judged. */
import { ServiceError } from '../protocol/service.ts';
import { computeSignature, encode, parseDate, parseQuery, type RequestHead, sameSignature, sha256, splitUrl } from '../s3/sigv4.ts';

const algorithm = 'AWS4-HMAC-SHA256';
const skewMs = 15 * 60_000;

/** The key that a request says it is signed with, in its header or its address. */
export function accessKeyOf({ headers: { authorization }, url = '' }: Pick<RequestHead, 'headers' | 'url'>): string | undefined {
  const inHeader = /^AWS4-[A-Z0-9-]+\s+Credential=([^/,\s]+)\//.exec(authorization ?? '')?.[1];
  return (
    inHeader ??
    (url.includes('X-Amz-Credential=') ? new Map(parseQuery(splitUrl(url)[1])).get('X-Amz-Credential')?.split('/')[0] : undefined)
  );
}

/**
 * Verifies a request signed by header.
 * @param secret of the key that it names
 * @param now milliseconds since 1970
 * @throws ServiceError IncompleteSignature, InvalidSignatureException
 */
export function verifyServiceSignature(request: RequestHead, body: Buffer, secret: string, now: number): void {
  const { authorization = '' } = request.headers;
  const match = new RegExp(`^${algorithm}\\s+Credential=([^,\\s]+),\\s*SignedHeaders=([^,\\s]+),\\s*Signature=([0-9a-f]{64})$`).exec(
    authorization.trim(),
  );
  const date = request.headers['x-amz-date'];
  if (!match || typeof date !== 'string') {
    throw new ServiceError(
      'IncompleteSignature',
      `Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters, and either a 'X-Amz-Date' or a 'Date' header.`,
      403,
    );
  }
  const [, credential, signedHeaders, signature] = match as unknown as [string, string, string, string];
  if (Math.abs(now - parseDate(date)) > skewMs)
    throw new ServiceError('InvalidSignatureException', `Signature expired: ${date} is not now.`, 403);
  const [path, query] = splitUrl(request.url ?? '/');
  const declared = request.headers['x-amz-content-sha256'];
  const payload = sha256(body);
  // All services but S3 encode the path as it is sent once more.
  const { expected } = computeSignature(request, path.split('/').map(encode).join('/'), parseQuery(query), {
    signedHeaders: signedHeaders.split(';'),
    date,
    payload: declared === 'UNSIGNED-PAYLOAD' ? declared : payload,
    scope: credential.split('/').slice(1).join('/'),
    secret,
  });
  if (!sameSignature(expected, signature)) {
    throw new ServiceError(
      'InvalidSignatureException',
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
      403,
    );
  }
}
