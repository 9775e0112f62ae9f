/** Lambda's HTTP API: Invoke, and enough of the rest to see what there is. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ServiceError } from '../protocol/service.ts';
import { readBody, send } from '../protocol/wire.ts';
import type { AsyncInvocations } from './async-invocations.ts';
import { type LambdaFunction, ThrottledError } from './function.ts';

const json = 'application/json';
/** Of a synchronous payload, which is the larger. */
const payloadLimit = 6 * 1024 * 1024;

/** @param find by name or ARN, with or without a qualifier. */
export async function serveLambda(
  request: IncomingMessage,
  response: ServerResponse,
  functions: { find(name: string): LambdaFunction | undefined; all(): LambdaFunction[] },
  asynchronous: AsyncInvocations,
): Promise<void> {
  const path = request.url!.split('?')[0]!;
  const [, name, action] = /^\/2015-03-31\/functions(?:\/([^/]+)(?:\/([a-z]+))?)?\/?$/.exec(path) ?? [];
  try {
    if (name === undefined && path.startsWith('/2015-03-31/functions') && request.method === 'GET') {
      return send(response, 200, json, JSON.stringify({ Functions: functions.all().map(describe) }), {});
    }
    if (name === undefined)
      throw new ServiceError('UnknownOperationException', `The laptop cloud does not offer ${request.method} ${path}.`, 404);
    const decoded = decodeURIComponent(name);
    const found = functions.find(decoded);
    if (!found) throw new ServiceError('ResourceNotFoundException', `Function not found: ${decoded}`, 404);
    if (request.method === 'GET' && (action === undefined || action === 'configuration')) {
      const configuration = describe(found);
      return send(response, 200, json, JSON.stringify(action ? configuration : { Configuration: configuration }), {});
    }
    if (request.method !== 'POST' || action !== 'invocations') {
      throw new ServiceError('UnknownOperationException', `The laptop cloud does not offer ${request.method} ${path}.`, 404);
    }
    await invoke(request, response, found, asynchronous);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const body = JSON.stringify({ Type: 'User', message: error.message, Message: error.message });
    send(response, error.status, json, body, { 'x-amzn-errortype': error.code });
  }
}

async function invoke(
  request: IncomingMessage,
  response: ServerResponse,
  found: LambdaFunction,
  asynchronous: AsyncInvocations,
): Promise<void> {
  const event = (await readBody(request, payloadLimit)).toString('utf8') || '{}';
  try {
    JSON.parse(event);
  } catch {
    throw new ServiceError('InvalidRequestContentException', 'Could not parse request body into json.');
  }
  switch (request.headers['x-amz-invocation-type'] ?? 'RequestResponse') {
    case 'Event':
      await asynchronous.enqueue(found.settings.arn, event);
      return send(response, 202, json, '', {});
    case 'DryRun':
      return send(response, 204, json, '', {});
    default: {
      const outcome = await found.invoke(event).catch((error: unknown) => {
        if (error instanceof ThrottledError) throw new ServiceError('TooManyRequestsException', error.message, 429);
        throw error;
      });
      send(response, 200, json, outcome.payload, {
        'x-amz-executed-version': '$LATEST',
        ...(outcome.failed && { 'x-amz-function-error': 'Unhandled' }),
      });
    }
  }
}

function describe({ settings }: LambdaFunction) {
  return {
    FunctionName: settings.name,
    FunctionArn: settings.arn,
    Runtime: settings.runtime,
    Handler: settings.handler,
    Timeout: settings.timeoutMs / 1000,
    MemorySize: settings.memoryMb,
    Version: '$LATEST',
    State: 'Active',
    LoggingConfig: { LogFormat: 'Text', LogGroup: settings.logGroup },
  };
}
