import { createHmac } from 'node:crypto';
import { S3Error } from './errors.ts';
import { hostBucket, parseQuery, type RequestHead, type Signed, sameSignature, splitUrl } from './sigv4.ts';

/** The parameters that version 2 signs; others may be added to a URL by anyone. */
const signedParameters = new Set(
  (
    'acl cors delete lifecycle location logging notification partNumber policy requestPayment restore tagging torrent uploadId uploads versionId ' +
    'versioning versions website response-cache-control response-content-disposition response-content-encoding response-content-language ' +
    'response-content-type response-expires'
  ).split(' '),
);

/**
 * Verifies a URL presigned with Signature Version 2, which boto3 and the AWS CLI still make for us-east-1 unless told otherwise.
 * Requests signed by header in version 2 are not taken.
 *
 * @throws S3Error AccessDenied (expired), InvalidAccessKeyId, SignatureDoesNotMatch
 */
export function verifySignatureV2(request: RequestHead, credentials: Record<string, string>, now: number, strangers = false): Signed {
  const [path, rawQuery] = splitUrl(request.url ?? '/');
  const query = new Map(parseQuery(rawQuery));
  const accessKeyId = query.get('AWSAccessKeyId') ?? '';
  const expires = query.get('Expires') ?? '';
  if (!/^\d{1,12}$/.test(expires))
    throw new S3Error('AccessDenied', 'Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters');
  if (now > Number(expires) * 1000)
    throw new S3Error('AccessDenied', 'Request has expired', { Expires: new Date(Number(expires) * 1000).toISOString() });
  const secret = Object.hasOwn(credentials, accessKeyId) ? credentials[accessKeyId] : undefined;
  const signed: Signed = {
    accessKeyId,
    payload: 'UNSIGNED-PAYLOAD',
    key: undefined,
    scope: '',
    date: '',
    signature: query.get('Signature') ?? '',
  };
  if (secret === undefined) {
    if (strangers) return signed;
    throw new S3Error('InvalidAccessKeyId', undefined, { AWSAccessKeyId: accessKeyId });
  }

  const header = (name: string) => (request.headers[name] as string | undefined) ?? query.get(name) ?? '';
  const amz = [...new Set([...Object.keys(request.headers), ...query.keys()].map((name) => name.toLowerCase()))].filter((name) =>
    name.startsWith('x-amz-'),
  );
  const parameters = [...query].filter(([name]) => signedParameters.has(name)).sort(([a], [b]) => (a < b ? -1 : 1));
  const inHost = hostBucket(request);
  const stringToSign = [
    request.method,
    header('content-md5'),
    header('content-type'),
    expires,
    ...amz.sort().map((name) => `${name}:${header(name).trim()}`),
    `${inHost === undefined ? '' : `/${inHost}`}${path}${parameters.length > 0 ? '?' : ''}${parameters.map(([name, value]) => (value === '' ? name : `${name}=${value}`)).join('&')}`,
  ].join('\n');
  const signature = createHmac('sha1', secret).update(Buffer.from(stringToSign, 'latin1')).digest('base64');
  if (!sameSignature(signature, signed.signature)) throw new S3Error('SignatureDoesNotMatch', undefined, { StringToSign: stringToSign });
  return signed;
}
