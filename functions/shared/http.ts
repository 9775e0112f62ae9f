/** What API Gateway's REST proxy integration sends and takes, as far as we use it. */
import { IngotError } from '../../core/errors.ts';
import { environment } from '../../core/names.ts';

export interface HttpEvent {
  httpMethod: string;
  /** Without the stage. */
  path: string;
  /** As the client spelt them. */
  headers?: Record<string, string | undefined> | null;
  queryStringParameters?: Record<string, string | undefined> | null;
  body?: string | null;
  isBase64Encoded?: boolean;
}

/** The event as if the API lay at the root. */
export function fromRoot<E extends HttpEvent>(event: E): E {
  const base = process.env[environment.basePath];
  if (base === undefined || !`${event.path}/`.startsWith(`${base}/`)) return event;
  return { ...event, path: event.path.slice(base.length) || '/' };
}

export interface HttpAnswer {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}

const jsonHeaders = { 'content-type': 'application/json' };

/** @param body JSON text */
export function jsonAnswer(body: string, statusCode = 200): HttpAnswer {
  return { statusCode, headers: jsonHeaders, body };
}

/** What Lambda hands back at most, less what it adds (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html). */
const largestAnswer = 6_000_000;

/**
 * @param fix what to do about a larger one
 * @throws IngotError PayloadTooLarge; Lambda would throw the answer away and say nothing of why
 */
export function withinLimit(answer: HttpAnswer, fix: string): HttpAnswer {
  // A UTF-16 unit is at most three bytes of UTF-8: only long answers need counting.
  if (answer.body.length <= largestAnswer / 3 || Buffer.byteLength(answer.body) <= largestAnswer) return answer;
  throw new IngotError('PayloadTooLarge', 'The answer is larger than 6 MB.', { where: 'body', fix });
}

/** The contract's error; whatever is not ours is a defect, logged with its stack and told without. */
export function errorAnswer(error: unknown): HttpAnswer {
  const known = asIngotError(error);
  const answer = jsonAnswer(JSON.stringify({ error: known.toBody() }), known.status);
  return known.headers === undefined ? answer : { ...answer, headers: { ...jsonHeaders, ...known.headers } };
}

export function asIngotError(error: unknown): IngotError & { headers?: Record<string, string> } {
  if (error instanceof IngotError) return error;
  const told = error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${JSON.stringify({ level: 'ERROR', message: 'A request failed.', error: told })}\n`);
  return new IngotError('Internal', 'The request failed by a defect in Ingot.', { fix: 'Try again; the logs of the function say more.' });
}

export class MethodNotAllowed extends IngotError {
  readonly headers: Record<string, string>;

  constructor(method: string, path: string, allowed: readonly string[]) {
    super('MethodNotAllowed', `${method} is not a method of ${path}.`, { where: 'method', fix: `Use ${allowed.join(' or ')}.` });
    this.headers = { allow: allowed.join(', ') };
  }
}

export function noSuchPath(path: string): IngotError {
  return new IngotError('NotFound', `There is no path ${path}.`, { where: 'path', fix: 'GET /openapi.json lists the paths.' });
}

export function header(event: HttpEvent, name: string): string | undefined {
  const { headers } = event;
  if (!headers) return undefined;
  const exact = headers[name];
  if (exact !== undefined) return exact;
  for (const key in headers) if (key.length === name.length && key.toLowerCase() === name) return headers[key];
  return undefined;
}

/** The body, without the byte order mark that Windows' tools put before it. */
export function bodyText(event: HttpEvent): string {
  const body = event.body ?? '';
  const text = event.isBase64Encoded ? Buffer.from(body, 'base64').toString('utf8') : body;
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/** A segment of a path. @throws IngotError InvalidRequest where its percent-encoding is broken */
export function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    throw new IngotError('InvalidRequest', 'The path has a broken percent-encoding.', { where: 'path', fix: 'Write % as %25.', cause });
  }
}
