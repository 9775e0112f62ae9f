import type { HttpEvent } from '../../functions/shared/http.ts';

/** A request as API Gateway's REST proxy integration hands it on, cut to what has a meaning here. */
export function apiEvent(httpMethod: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const [pathname, query] = path.split('?') as [string, string | undefined];
  const hasType = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type');
  return {
    resource: '/{proxy+}',
    path: pathname,
    httpMethod,
    headers: { ...(!hasType && { 'Content-Type': 'application/json' }), Host: 'api.example', 'X-Forwarded-Proto': 'https', ...headers },
    queryStringParameters: query === undefined ? null : Object.fromEntries(new URLSearchParams(query)),
    pathParameters: { proxy: pathname.slice(1) },
    stageVariables: null,
    requestContext: { stage: 'prod', requestId: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef', identity: { sourceIp: '192.0.2.3' } },
    body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    isBase64Encoded: false,
  } satisfies HttpEvent & Record<string, unknown>;
}
