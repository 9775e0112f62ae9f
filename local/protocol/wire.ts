/** The protocols that AWS's clients speak: JSON 1.0 and 1.1, query with XML, and Smithy RPC v2 with CBOR. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { cbor, dateToTag } from '@smithy/core/cbor';
import { complain } from '../complain.ts';
import type { JsonObject } from '../template/intrinsics.ts';
import { type Operations, type Output, ServiceError } from './service.ts';

/** Requests to the control services are small; what is large goes to S3. */
const bodyLimit = 6 * 1024 * 1024;

/** Bodies that were read before the service had its turn, to check their signature. */
const bodies = new WeakMap<IncomingMessage, Buffer>();

export async function readBody(request: IncomingMessage, limit = bodyLimit): Promise<Buffer> {
  const before = bodies.get(request);
  if (before) return before;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new ServiceError('RequestEntityTooLargeException', `The body is larger than ${limit} bytes.`, 413);
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  bodies.set(request, body);
  return body;
}

interface Wire {
  operation: string;
  input: JsonObject;
  answer(output: Output): { type: string; body: string | Uint8Array };
  refuse(error: ServiceError): { type: string; body: string | Uint8Array };
  headers?: Record<string, string>;
}

/**
 * Answers one request to a service, in the protocol that it came in.
 * @param admit what is to be asked first, where the caller may not do everything
 */
export async function serve(
  operations: Operations,
  request: IncomingMessage,
  response: ServerResponse,
  admit?: () => Promise<void>,
): Promise<void> {
  const id = randomUUID();
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  let wire: Wire | undefined;
  try {
    wire = decode(request, await readBody(request), id);
    await admit?.();
    const operation = Object.hasOwn(operations, wire.operation) ? operations[wire.operation] : undefined;
    if (!operation) {
      throw new ServiceError(
        'UnknownOperationException',
        `The laptop cloud does not offer ${wire.operation}; docs/laptop.md lists what it does.`,
      );
    }
    const { type, body } = wire.answer(await operation(wire.input, gone.signal));
    send(response, 200, type, body, { 'x-amzn-requestid': id, ...wire.headers });
  } catch (error) {
    const known = error instanceof ServiceError ? error : new ServiceError('InternalFailure', (error as Error).message, 500);
    if (known !== error) complain(error);
    const { type, body } = (wire ?? jsonWire('', {}, 'application/x-amz-json-1.0')).refuse(known);
    send(response, known.status, type, body, { 'x-amzn-requestid': id, 'x-amzn-errortype': known.code, ...wire?.headers });
  }
}

export function send(
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Uint8Array,
  headers: Record<string, string>,
): void {
  if (response.destroyed) return;
  response.writeHead(status, { ...headers, 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** @throws ServiceError where the body is not of its protocol */
export function decode(request: IncomingMessage, body: Buffer, id: string): Wire {
  const target = request.headers['x-amz-target'];
  if (typeof target === 'string') {
    return jsonWire(target.split('.').at(-1)!, parseJson(body), request.headers['content-type'] ?? 'application/x-amz-json-1.0');
  }
  const rpc = /^\/service\/[^/]+\/operation\/(\w+)$/.exec(request.url ?? '');
  if (rpc) return cborWire(rpc[1]!, body.length === 0 ? {} : (plain(cbor.deserialize(body)) as JsonObject));
  const query = request.url?.split('?')[1] ?? '';
  const parameters = new URLSearchParams(body.length > 0 ? body.toString('utf8') : query);
  return queryWire(parameters.get('Action') ?? '', unflatten(parameters), id);
}

function parseJson(body: Buffer): JsonObject {
  try {
    return body.length === 0 ? {} : (JSON.parse(body.toString('utf8')) as JsonObject);
  } catch {
    throw new ServiceError('SerializationException', 'The body is not valid JSON.');
  }
}

function jsonWire(operation: string, input: JsonObject, type: string): Wire {
  const seconds = (_: string, value: unknown) => value;
  return {
    operation,
    input,
    answer: (output) => ({
      type,
      body: JSON.stringify(
        withDates(output, (date) => date.getTime() / 1000),
        seconds,
      ),
    }),
    refuse: (error) => ({ type, body: JSON.stringify({ __type: error.code, message: error.message }) }),
  };
}

function cborWire(operation: string, input: JsonObject): Wire {
  const type = 'application/cbor';
  return {
    operation,
    input,
    answer: (output) => ({ type, body: cbor.serialize(withDates(output, dateToTag)) }),
    refuse: (error) => ({ type, body: cbor.serialize({ __type: error.code, message: error.message }) }),
    headers: { 'smithy-protocol': 'rpc-v2-cbor' },
  };
}

function queryWire(operation: string, input: JsonObject, id: string): Wire {
  const type = 'text/xml';
  return {
    operation,
    input,
    answer: (output) => ({
      type,
      body: `<${operation}Response><${operation}Result>${xml(withDates(output, (date) => date.toISOString()))}</${operation}Result><ResponseMetadata><RequestId>${id}</RequestId></ResponseMetadata></${operation}Response>`,
    }),
    refuse: (error) => ({
      type,
      body: `<ErrorResponse><Error><Type>Sender</Type>${xml({ Code: error.code, Message: error.message })}</Error><RequestId>${id}</RequestId></ErrorResponse>`,
    }),
  };
}

function withDates(value: unknown, write: (date: Date) => unknown): unknown {
  if (value instanceof Date) return write(value);
  if (Array.isArray(value)) return value.map((item) => withDates(item, write));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[key, withDates(item, write)]])));
}

/** CBOR's tagged times as ISO strings, the form that the operations take times in. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  const tagged = value as { tag?: unknown; value?: unknown };
  if (tagged.tag === 1) return new Date(Number(tagged.value) * 1000).toISOString();
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

function xml(value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => `<member>${xml(item)}</member>`).join('');
  if (value !== null && typeof value === 'object') {
    return Object.entries(value)
      .map(([key, item]) => `<${key}>${xml(item)}</${key}>`)
      .join('');
  }
  return String(value ?? '').replace(/[<>&]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** `Tags.member.1.Key=a` as `{Tags: [{Key: 'a'}]}`. Keys come from outside, so objects have no prototype. */
function unflatten(parameters: URLSearchParams): JsonObject {
  const root = Object.create(null) as JsonObject;
  for (const [name, value] of parameters) {
    const path = name.split('.').filter((part) => part !== 'member' && part !== 'entry');
    let node = root as Record<string, unknown>;
    for (const part of path.slice(0, -1)) {
      node[part] ??= Object.create(null);
      if (typeof node[part] !== 'object') throw new ServiceError('MalformedQueryString', `'${name}' contradicts another parameter.`);
      node = node[part] as Record<string, unknown>;
    }
    node[path.at(-1)!] = value;
  }
  return lists(root) as JsonObject;
}

function lists(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([key, item]) => [key, lists(item)] as const);
  if (entries.length > 0 && entries.every(([key]) => /^\d+$/.test(key))) {
    return entries.sort(([a], [b]) => Number(a) - Number(b)).map(([, item]) => item);
  }
  return Object.fromEntries(entries);
}
