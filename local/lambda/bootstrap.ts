/**
 * Runs in a function's process: loads the handler, then takes one invocation after the other from file descriptor 3, as Lambda's
 * runtime does. When the other end closes, because the laptop cloud stopped or was killed, the process ends.
 */
import { existsSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { Socket } from 'node:net';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { complain } from '../complain.ts';
import { encodeFrame, FrameReader, frameKinds } from './channel.ts';

type Handler = (event: unknown, context: unknown) => unknown;

const settings = process.env as Record<string, string>;
const timeout = Number(settings['INGOT_LAMBDA_TIMEOUT_MS']);
const channel = new Socket({ fd: 3, readable: true, writable: true });
const waiting: string[] = [];
const answers: Buffer[] = [];
/** Once it is loaded; an invocation may be here before. */
let handler: Handler | undefined;
let running = false;
let flushing = false;

const reader = new FrameReader((_, text) => waiting.push(text));
channel.on('data', (chunk) => {
  reader.push(chunk);
  if (!running && handler) void serve(handler);
});
channel.on('close', () => process.exit(0));
channel.on('error', () => process.exit(0));

function loadable(): string {
  const root = settings['LAMBDA_TASK_ROOT']!;
  const [file] = settings['_HANDLER']!.split(/\.(?=[^.]*$)/);
  const found = ['.mjs', '.js', '.cjs'].map((extension) => resolve(root, `${file}${extension}`)).find(existsSync);
  if (!found) throw Object.assign(new Error(`Cannot find module '${file}' in ${root}`), { name: 'Runtime.ImportModuleError' });
  return found;
}

async function load(): Promise<Handler | undefined> {
  try {
    const name = settings['_HANDLER']!.split('.').at(-1)!;
    const module = (await import(pathToFileURL(loadable()).href)) as Record<string, unknown> & { default?: Record<string, unknown> };
    const found = module[name] ?? module.default?.[name];
    if (typeof found === 'function') return found as Handler;
    throw Object.assign(new Error(`${settings['_HANDLER']} is undefined or not exported`), { name: 'Runtime.HandlerNotFound' });
  } catch (error) {
    complain(error);
    channel.end(encodeFrame(frameKinds.broken, describe(error)), () => process.exit(1));
    return undefined;
  }
}

/** An error as Lambda reports it. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify({ errorType: typeof error, errorMessage: String(error), trace: [] });
  return JSON.stringify({ errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') });
}

/** `{"id":"<36 characters>","event":…}`: the id is found by position. */
const idStart = '{"id":"'.length;
const idEnd = idStart + 36;

async function serve(run: Handler): Promise<void> {
  running = true;
  for (let text = waiting.shift(); text !== undefined; text = waiting.shift()) {
    const id = text.slice(idStart, idEnd);
    const deadline = Date.now() + timeout;
    try {
      const { event } = JSON.parse(text) as { event: unknown };
      const result = await run(event, makeContext(id, deadline));
      answer(encodeFrame(frameKinds.result, JSON.stringify(result) ?? 'null'));
    } catch (error) {
      complain(error);
      answer(encodeFrame(frameKinds.error, describe(error)));
    }
  }
  running = false;
  flush();
}

/** Answers leave together where more invocations wait, but none waits for a slow successor. */
function answer(frame: Buffer): void {
  answers.push(frame);
  if (waiting.length === 0) flush();
  else if (!flushing) {
    flushing = true;
    setImmediate(flush);
  }
}

function flush(): void {
  flushing = false;
  if (answers.length === 0) return;
  channel.write(answers.length === 1 ? answers[0]! : Buffer.concat(answers));
  answers.length = 0;
}

function makeContext(awsRequestId: string, deadline: number) {
  return {
    awsRequestId,
    callbackWaitsForEmptyEventLoop: true,
    functionName: settings['AWS_LAMBDA_FUNCTION_NAME'],
    functionVersion: '$LATEST',
    invokedFunctionArn: settings['INGOT_LAMBDA_ARN'],
    memoryLimitInMB: settings['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
    logGroupName: settings['AWS_LAMBDA_LOG_GROUP_NAME'],
    logStreamName: settings['AWS_LAMBDA_LOG_STREAM_NAME'],
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

/** A process is ended by a signal, which would lose what it has compiled; by then it has loaded what it loads late. */
const compiledAfterMs = 2000;

handler = await load();
if (handler) {
  setTimeout(flushCompileCache, compiledAfterMs).unref();
  channel.write(encodeFrame(frameKinds.ready, ''));
  if (waiting.length > 0) void serve(handler);
}
