/** The OpenAPI 3.1 document, made from the calls, their schemas and the list of errors. */
import * as z from 'zod/mini';
import { type ErrorCode, errorCodes } from '../errors.ts';
import { version } from '../names.ts';
import { type Call, calls } from './paths.ts';
import { errorSchema } from './schemas.ts';

const everywhere: ErrorCode[] = ['Internal', 'Unavailable'];
const behindTheKey: ErrorCode[] = ['Forbidden', 'TooManyRequests'];

export function openApi(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const call of calls) {
    paths[call.path] ??= {};
    paths[call.path]![call.method.toLowerCase()] = operation(call);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Ingot',
      version,
      description:
        'A dataset dropped in a bucket becomes a versioned, monitored model API. Every error is `{"error": {"code", "message", "where"?, "fix"?}}`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '.', description: 'Beside this document.' }],
    security: [{ key: [] }],
    paths,
    components: {
      securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'x-api-key' } },
      schemas: { Error: jsonSchema(errorSchema) },
    },
  };
}

function operation(call: Call): object {
  const { status, is, type = 'application/json', schema } = call.answer;
  const pathParameters = [...call.path.matchAll(/\{([a-z]+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: name === 'version' ? { type: 'integer', minimum: 1 } : { type: 'string' },
  }));
  const others = (place: 'query' | 'header', given: Record<string, string> = {}) =>
    Object.entries(given).map(([name, description]) => ({ name, in: place, description, schema: { type: 'string' } }));
  return {
    operationId: call.id,
    summary: call.summary,
    ...(call.open && { security: [] }),
    parameters: [...pathParameters, ...others('query', call.query), ...others('header', call.headers)],
    ...(call.body && {
      requestBody: {
        required: true,
        content: Object.fromEntries(Object.entries(call.body).map(([mediaType, body]) => [mediaType, { schema: schemaOf(body) }])),
      },
    }),
    responses: {
      [status]: { description: is, content: { [type]: { schema: schemaOf(schema) } } },
      ...errorAnswers([...call.errors, ...(call.open ? [] : behindTheKey), ...everywhere]),
    },
  };
}

/** One response a status; several codes may share one. */
function errorAnswers(codes: ErrorCode[]): Record<string, object> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) byStatus.set(errorCodes[code].status, [...(byStatus.get(errorCodes[code].status) ?? []), code]);
  return Object.fromEntries(
    [...byStatus].map(([status, shared]) => [
      status,
      {
        description: shared.map((code) => `${code}: ${errorCodes[code].meaning}`).join(' '),
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    ]),
  );
}

function schemaOf(schema: Call['answer']['schema']): object {
  if (schema === 'any') return {};
  return schema === 'text' ? { type: 'string' } : jsonSchema(schema);
}

function jsonSchema(schema: z.ZodMiniType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return rest;
}
