/**
 * Lambda proxy events (REST, version 1.0), written as JSON text straight away, since the function's process is what reads them,
 * and what a function answers to one.
 */
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Signer } from '../iam/execute-api.ts';
import type { ApiKey } from './keys.ts';
import type { Match } from './routes.ts';

export interface EventSource {
  request: IncomingMessage;
  match: Match;
  body: Buffer;
  query: string;
  id: string;
  key: ApiKey | undefined;
  signer: Signer | undefined;
  /** Percent-encoded, without the stage. */
  path: string;
  stage: string;
  api: { id: string; binaryTypes: readonly string[] };
  accountId: string;
}

export function proxyEvent({ request, match, body, query, id, key, signer, path, stage, api, accountId }: EventSource): string {
  const { headers } = request;
  const { resource, resourceId } = match.method;
  const binary = body.length > 0 && isBinary(api.binaryTypes, headers['content-type']);
  const bodyText = body.length === 0 ? 'null' : JSON.stringify(binary ? body.toString('base64') : body.toString('utf8'));
  const now = Date.now();
  const method = request.method!;
  const parameters = match.parameters ? JSON.stringify(match.parameters) : 'null';
  const identity = `"identity":{"sourceIp":"127.0.0.1","userAgent":${JSON.stringify(headers['user-agent'] ?? null)}${
    key ? `,"apiKey":${JSON.stringify(key.value)},"apiKeyId":${JSON.stringify(key.id)}` : ''
  }${signer ? `,"accessKey":${JSON.stringify(signer.accessKey)},"userArn":${JSON.stringify(signer.userArn)}` : ''}}`;
  return `{"resource":${JSON.stringify(resource)},"path":${JSON.stringify(decodedPath(path))},"httpMethod":"${method}",${headerFields(
    request.rawHeaders,
  )},${queryFields(query)},"pathParameters":${parameters},"stageVariables":null,"requestContext":{"resourceId":"${resourceId}","resourcePath":${JSON.stringify(
    resource,
  )},"httpMethod":"${method}","path":${JSON.stringify(`/${stage}${path}`)},"accountId":"${accountId}","apiId":"${api.id}","stage":"${stage}","protocol":"HTTP/1.1","domainName":"127.0.0.1","requestId":"${id}","extendedRequestId":"${id}","requestTimeEpoch":${now},${identity}},"body":${bodyText},"isBase64Encoded":${binary}}`;
}

/** API Gateway hands on the decoded path; one that cannot be decoded, as it is. */
function decodedPath(path: string): string {
  if (!path.includes('%')) return path || '/';
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** The fields for a set of headers, which a client sends again and again. */
const headerCache = new Map<string, string>();
const headerCacheLimit = 256;

function headerFields(raw: readonly string[]): string {
  const cacheKey = raw.join('\n');
  const cached = headerCache.get(cacheKey);
  if (cached !== undefined) return cached;
  const all = new Map<string, string[]>();
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index]!;
    const values = all.get(name);
    if (values) values.push(raw[index + 1]!);
    else all.set(name, [raw[index + 1]!]);
  }
  const single = Object.fromEntries([...all].map(([name, values]) => [name, values.at(-1)]));
  const fields = `"headers":${JSON.stringify(single)},"multiValueHeaders":${JSON.stringify(Object.fromEntries(all))}`;
  if (headerCache.size >= headerCacheLimit) headerCache.clear();
  headerCache.set(cacheKey, fields);
  return fields;
}

function queryFields(query: string): string {
  if (query === '') return '"queryStringParameters":null,"multiValueQueryStringParameters":null';
  const all = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(query)) all.set(name, [...(all.get(name) ?? []), value]);
  const single = Object.fromEntries([...all].map(([name, values]) => [name, values.at(-1)]));
  return `"queryStringParameters":${JSON.stringify(single)},"multiValueQueryStringParameters":${JSON.stringify(Object.fromEntries(all))}`;
}

function isBinary(types: readonly string[], contentType = 'application/json'): boolean {
  if (types.length === 0) return false;
  const type = contentType.split(';')[0]!.trim().toLowerCase();
  return types.some((each) => each === '*/*' || each === type || (each.endsWith('/*') && type.startsWith(each.slice(0, -1))));
}

export interface ProxyResult {
  status: number;
  headers: OutgoingHttpHeaders;
  body: string | Buffer;
}

interface ProxyAnswer {
  statusCode?: unknown;
  headers?: Record<string, string | number | boolean>;
  multiValueHeaders?: Record<string, string[]>;
  body?: unknown;
  isBase64Encoded?: boolean;
}

/** @returns undefined where it is not what API Gateway takes from a function (there: 502). */
export function readResult(payload: string): ProxyResult | undefined {
  const result = JSON.parse(payload) as ProxyAnswer | null;
  const status = Number(result?.statusCode);
  if (!result || !Number.isInteger(status) || status < 100 || status > 599) return undefined;
  const body = typeof result.body === 'string' ? result.body : '';
  const bytes = result.isBase64Encoded ? Buffer.from(body, 'base64') : body;
  const headers: OutgoingHttpHeaders = {};
  for (const name in result.headers) headers[name.toLowerCase()] = String(result.headers[name]);
  for (const name in result.multiValueHeaders) headers[name.toLowerCase()] = result.multiValueHeaders[name];
  headers['content-type'] ??= 'application/json';
  headers['content-length'] = Buffer.byteLength(bytes);
  return { status, headers, body: bytes };
}
