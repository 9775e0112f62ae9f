/** API Gateway's own HTTP API: who asks for the value of a key gets it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { send } from '../protocol/wire.ts';
import type { ApiKey, ApiKeys } from './keys.ts';
import type { RestApi } from './rest-api.ts';

export function serveApiGateway(request: IncomingMessage, response: ServerResponse, keys: ApiKeys, apis: readonly RestApi[]): void {
  const { status, body, error } = answerTo(request, keys, apis);
  send(response, status, 'application/json', JSON.stringify(body), error ? { 'x-amzn-errortype': error } : {});
}

function answerTo(request: IncomingMessage, keys: ApiKeys, apis: readonly RestApi[]): { status: number; body: unknown; error?: string } {
  const url = new URL(request.url!, 'http://localhost');
  const [, collection, id] = url.pathname.split('/');
  if (request.method !== 'GET')
    return { status: 400, body: { message: 'The laptop cloud only reads here.' }, error: 'BadRequestException' };
  if (collection === 'apikeys' && !id) {
    const values = url.searchParams.get('includeValues') === 'true';
    return { status: 200, body: { item: [...keys.keys.values()].map((each) => describe(each, values)) } };
  }
  const key = collection === 'apikeys' && id ? keys.keys.get(id) : undefined;
  if (key) return { status: 200, body: describe(key, url.searchParams.get('includeValue') === 'true') };
  if (collection === 'restapis' && !id) {
    return { status: 200, body: { item: apis.map((api) => ({ id: api.id, name: api.name, rootResourceId: api.rootId })) } };
  }
  return { status: 404, body: { message: 'There is no such thing here.' }, error: 'NotFoundException' };
}

function describe({ id, name, enabled, value }: ApiKey, withValue: boolean) {
  return { id, name, enabled, ...(withValue && { value }) };
}
