/** Batch's HTTP API: an operation a path, JSON in and out, and the tags of whatever has an ARN. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Operations, ServiceError } from '../protocol/service.ts';
import { readBody, send } from '../protocol/wire.ts';
import type { JsonObject } from '../template/intrinsics.ts';
import type { Batch } from './batch.ts';
import { batchOperations } from './operations.ts';
import { parse, refused, requests } from './request.ts';

const json = 'application/json';

export function serveBatch(batch: Batch): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const operations = batchOperations(batch);
  return async (request, response) => {
    try {
      const output = await answer(batch, operations, request, await readBody(request));
      send(response, 200, json, JSON.stringify(output), {});
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      send(response, error.status, json, JSON.stringify({ message: error.message }), { 'x-amzn-errortype': error.code });
    }
  };
}

async function answer(batch: Batch, operations: Operations, request: IncomingMessage, body: Buffer): Promise<object> {
  const { pathname, searchParams } = new URL(request.url!, 'http://localhost');
  const [, operation = '', arn] = /^\/v1\/([a-z]+)(?:\/(.+))?$/.exec(pathname) ?? [];
  if (operation === 'tags' && arn) return tags(batch, request.method!, decodeURIComponent(arn), body, searchParams.getAll('tagKeys'));
  const act = Object.hasOwn(operations, operation) && request.method === 'POST' ? operations[operation] : undefined;
  if (!act) throw refused(`The laptop cloud does not offer ${request.method} ${pathname}; docs/laptop.md lists what it does.`);
  return act(parseJson(body), new AbortController().signal);
}

function tags(batch: Batch, method: string, arn: string, body: Buffer, removed: string[]): object {
  const found = tagsOf(batch, arn);
  if (!found) throw refused(`There is nothing with the ARN ${arn}.`);
  if (method === 'GET') return { tags: found };
  if (method === 'POST') Object.assign(found, parse(requests.tags, parseJson(body)).tags);
  else for (const key of removed) delete found[key];
  return {};
}

function tagsOf(batch: Batch, arn: string): Record<string, string> | undefined {
  const { environments, queues, policies, definitions } = batch;
  const named = environments.get(arn)?.settings ?? queues.get(arn)?.settings ?? policies.get(arn);
  return (named ?? definitions.all().find(({ jobDefinitionArn }) => jobDefinitionArn === arn) ?? batch.find(arn.split('/')[1] ?? '')?.spec)
    ?.tags;
}

function parseJson(body: Buffer): JsonObject {
  try {
    return body.length === 0 ? {} : (JSON.parse(body.toString('utf8')) as JsonObject);
  } catch {
    throw refused('The body is not valid JSON.');
  }
}
