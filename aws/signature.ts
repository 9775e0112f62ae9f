/**
 * A request as AWS signs it, by Node's own means: for what has no SDK at hand.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash, createHmac } from 'node:crypto';

export interface Credentials {
  AccessKeyId: string;
  SecretAccessKey: string;
  Token?: string | undefined;
}

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/**
 * @param url whose path needs no encoding; without a query
 * @param body of a POST; S3 alone takes a GET whose body's hash is not told
 * @param more further headers, by their names in small letters
 * @returns all headers of the request
 */
export function signedHeaders(
  { AccessKeyId, SecretAccessKey, Token }: Credentials,
  url: URL,
  service: string,
  region: string,
  body?: string,
  more: Record<string, string> = {},
): Record<string, string> {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = [time.slice(0, 8), region, service, 'aws4_request'];
  const payload = body === undefined ? 'UNSIGNED-PAYLOAD' : sha256(body);
  const headers = Object.entries({
    host: url.host,
    'x-amz-content-sha256': payload,
    'x-amz-date': time,
    ...(Token && { 'x-amz-security-token': Token }),
    ...more,
  }).sort(([a], [b]) => (a < b ? -1 : 1));
  const names = headers.map(([name]) => name).join(';');
  const lines = headers.map(([name, value]) => `${name}:${value}\n`).join('');
  const request = [body === undefined ? 'GET' : 'POST', url.pathname, '', lines, names, payload].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope.join('/'), sha256(request)].join('\n');
  const signature = hmac(scope.reduce<string | Buffer>(hmac, `AWS4${SecretAccessKey}`) as Buffer, toSign).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${AccessKeyId}/${scope.join('/')}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...Object.fromEntries(headers), authorization };
}
