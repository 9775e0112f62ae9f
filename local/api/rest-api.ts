/** API Gateway REST APIs: from a request to a Lambda proxy event and back, by way of key, throttle and gateway responses. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isRefused, type Signer, signerOf } from '../iam/execute-api.ts';
import type { Iam } from '../iam/iam.ts';
import { ThrottledError } from '../lambda/function.ts';
import type { Metrics, Series } from '../observe/metrics.ts';
import { accountId } from '../template/template.ts';
import { type ApiKey, type ApiKeys, TokenBucket } from './keys.ts';
import { type ProxyResult, proxyEvent, readResult } from './proxy.ts';
import { type Method, type ProxyIntegration, Routes } from './routes.ts';

export interface GatewayResponse {
  status?: number;
  headers: Record<string, string>;
  /** By content type. */
  templates: Record<string, string>;
}

/** API Gateway's own answers: status, message, and the type whose settings count where it has none of its own. */
const ownAnswers = {
  INVALID_API_KEY: { status: 403, message: 'Forbidden' },
  MISSING_AUTHENTICATION_TOKEN: { status: 403, message: 'Missing Authentication Token' },
  INVALID_SIGNATURE: { status: 403, message: 'Forbidden' },
  ACCESS_DENIED: { status: 403, message: 'Forbidden' },
  THROTTLED: { status: 429, message: 'Too Many Requests' },
  QUOTA_EXCEEDED: { status: 429, message: 'Limit Exceeded' },
  REQUEST_TOO_LARGE: { status: 413, message: 'Request Too Long' },
  INTEGRATION_FAILURE: { status: 504, message: 'Internal server error' },
  INTEGRATION_TIMEOUT: { status: 504, message: 'Endpoint request timed out' },
  DEFAULT_5XX: { status: 502, message: 'Internal server error' },
} as const;

export type OwnAnswer = keyof typeof ownAnswers;

/** API Gateway takes 10 MB. */
const bodyLimit = 10 * 1024 * 1024;

/** Lambda takes 6 MB, the body and all that API Gateway adds; as JSON text, so a body that needs escaping has less room. */
const eventLimit = 6 * 1024 * 1024;
const clockMs = 250;

export interface Stage {
  name: string;
  throttle: TokenBucket | undefined;
}

interface Pending {
  deadline: number;
  response: ServerResponse;
}

export class RestApi {
  readonly id: string;
  readonly name: string;
  readonly rootId: string;
  readonly binaryTypes: readonly string[];
  /** Path by resource id. */
  readonly resources = new Map<string, string>();
  readonly routes = new Routes();
  readonly stages = new Map<string, Stage>();
  readonly responses = new Map<string, GatewayResponse>();
  readonly #keys: ApiKeys;
  readonly #iam: Iam;
  readonly #series: Record<'Count' | 'Latency' | '4XXError' | '5XXError', Series>;
  /** Requests at a function, to be given up in time: one clock for all. */
  readonly #pending = new Set<Pending>();
  readonly #clock: NodeJS.Timeout;

  constructor(id: string, name: string, binaryTypes: readonly string[], keys: ApiKeys, metrics: Metrics, iam: Iam) {
    this.id = id;
    this.name = name;
    this.rootId = `${id}-root`;
    this.binaryTypes = binaryTypes;
    this.resources.set(this.rootId, '/');
    this.#keys = keys;
    this.#iam = iam;
    const series = (metric: string, unit: string) => metrics.series('AWS/ApiGateway', metric, [{ Name: 'ApiName', Value: name }], unit);
    this.#series = {
      Count: series('Count', 'Count'),
      Latency: series('Latency', 'Milliseconds'),
      '4XXError': series('4XXError', 'Count'),
      '5XXError': series('5XXError', 'Count'),
    };
    this.#clock = setInterval(() => this.#tick(), clockMs).unref();
  }

  addStage(name: string, throttle?: { rate: number; burst: number }): void {
    this.stages.set(name, { name, throttle: throttle && new TokenBucket(throttle.rate, throttle.burst) });
  }

  /** Starts the functions behind it. */
  warm(): void {
    for (const { integration } of this.routes.all()) if (integration.type === 'AWS_PROXY') integration.lambda.warm();
  }

  close(): void {
    clearInterval(this.#clock);
  }

  /** Answers a request whose path (percent-encoded, without query) begins with the stage. */
  handle(request: IncomingMessage, response: ServerResponse, stage: Stage, path: string, query: string): void {
    const began = performance.now();
    const id = randomUUID();
    response.on('finish', () => this.#count(response.statusCode, performance.now() - began));
    const match = this.routes.find(request.method!, path);
    const proceed = (body: Buffer | undefined, { key }: { key?: ApiKey }, signer?: Signer) => {
      const { integration } = match!.method;
      if (!body) return this.#own(response, 'REQUEST_TOO_LARGE', id);
      if (integration.type === 'MOCK') return answer(response, integration.status, integration.headers, integration.body);
      const event = proxyEvent({ request, match: match!, body, query, id, key, signer, path, stage: stage.name, api: this, accountId });
      if (event.length > eventLimit) this.#own(response, 'REQUEST_TOO_LARGE', id);
      else this.#invoke(response, integration, event, id);
    };
    if (match?.method.signed) {
      // The signature is of the body too.
      this.#read(request, (body) => {
        const signer = body && signerOf(this.#iam, request, body, `${this.id}/${stage.name}/${request.method}${path}`);
        if (signer && isRefused(signer)) return this.#own(response, signer.type, id, signer.message);
        const admission = this.#admit(request, match.method, stage);
        return typeof admission === 'string' ? this.#own(response, admission, id) : proceed(body, admission, signer);
      });
      return;
    }
    const admission = match ? this.#admit(request, match.method, stage) : 'MISSING_AUTHENTICATION_TOKEN';
    if (typeof admission === 'string') this.#own(response, admission, id);
    else this.#read(request, (body) => proceed(body, admission));
  }

  #admit(request: IncomingMessage, method: Method, stage: Stage): { key?: ApiKey } | OwnAnswer {
    let admitted: { key?: ApiKey } = {};
    if (method.keyRequired) {
      const header = request.headers['x-api-key'];
      const admission = this.#keys.admit(Array.isArray(header) ? header[0] : header, `${this.id}/${stage.name}`);
      if (typeof admission === 'string') return admission;
      admitted = admission;
    }
    return stage.throttle && !stage.throttle.take() ? 'THROTTLED' : admitted;
  }

  /** Hands on the whole body, or undefined where it is too large. */
  #read(request: IncomingMessage, done: (body: Buffer | undefined) => void): void {
    const chunks: Buffer[] = [];
    let size = Number(request.headers['content-length'] ?? 0);
    if (size > bodyLimit) {
      done(undefined);
      return;
    }
    size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= bodyLimit) chunks.push(chunk);
    });
    request.on('end', () => done(size > bodyLimit ? undefined : chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
  }

  #invoke(response: ServerResponse, { lambda, timeoutMs }: ProxyIntegration, event: string, id: string): void {
    const pending = { deadline: performance.now() + timeoutMs, response };
    this.#pending.add(pending);
    lambda
      .invoke(event, id)
      .then((outcome) => {
        if (response.headersSent) return;
        const result = outcome.failed ? undefined : readResult(outcome.payload);
        if (result) send(response, result, id);
        else this.#own(response, 'DEFAULT_5XX', id);
      })
      // No room for it, or headers that HTTP does not have.
      .catch((error: unknown) => this.#own(response, error instanceof ThrottledError ? 'THROTTLED' : 'DEFAULT_5XX', id))
      .finally(() => this.#pending.delete(pending));
  }

  #tick(): void {
    const now = performance.now();
    for (const pending of this.#pending) {
      if (pending.deadline > now) continue;
      this.#pending.delete(pending);
      this.#own(pending.response, 'INTEGRATION_TIMEOUT', randomUUID());
    }
  }

  /** An answer of the gateway's own, as the template's gateway responses word it. */
  #own(response: ServerResponse, type: OwnAnswer, id: string, message: string = ownAnswers[type].message): void {
    if (response.headersSent) return;
    const { status } = ownAnswers[type];
    const configured = this.responses.get(type) ?? this.responses.get(status < 500 ? 'DEFAULT_4XX' : 'DEFAULT_5XX');
    const template = configured?.templates['application/json'] ?? '{"message":$context.error.messageString}';
    const body = fillTemplate(template, {
      requestId: id,
      'error.message': message,
      'error.messageString': JSON.stringify(message),
      'error.responseType': type,
    });
    answer(
      response,
      configured?.status ?? status,
      { 'content-type': 'application/json', 'x-amzn-requestid': id, ...configured?.headers },
      body,
    );
  }

  #count(status: number, ms: number): void {
    const now = Date.now();
    this.#series.Count.add(1, now);
    this.#series.Latency.add(ms, now);
    this.#series['4XXError'].add(status >= 400 && status < 500 ? 1 : 0, now);
    this.#series['5XXError'].add(status >= 500 ? 1 : 0, now);
  }
}

function fillTemplate(template: string, values: Record<string, string>): string {
  return template.replace(/\$context\.([A-Za-z.]+[A-Za-z])/g, (all, name: string) => values[name] ?? all);
}

function answer(response: ServerResponse, status: number, headers: Record<string, string>, body: string): void {
  const end = () => {
    if (response.headersSent) return;
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
    response.end(body);
  };
  // What is left of the request's body is not wanted. But many a client reads no answer before it has sent all, and a connection that is
  // closed under it loses the answer.
  if (response.req.complete) end();
  else response.req.once('end', end).resume();
}

function send(response: ServerResponse, { status, headers, body }: ProxyResult, id: string): void {
  headers['x-amzn-requestid'] = id;
  response.writeHead(status, headers);
  response.end(body);
}
