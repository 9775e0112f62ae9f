/** The one port, on the loopback alone: who a request is for is told by its signature, and without one by its path. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { IngotError } from '../core/errors.ts';
import { serveApiGateway } from './api/control.ts';
import type { RestApi, Stage } from './api/rest-api.ts';
import { serveBatch } from './batch/api.ts';
import type { Cloud } from './cloud.ts';
import { complain } from './complain.ts';
import { admit, sessionOf } from './iam/admission.ts';
import type { Session } from './iam/iam.ts';
import { serveLambda } from './lambda/api.ts';
import { queueOperations } from './messaging/queue.ts';
import { dashboardData, serveDashboard } from './observe/dashboard.ts';
import { cloudWatchOperations, logOperations } from './observe/operations.ts';
import { type Operations, ServiceError } from './protocol/service.ts';
import { send, serve } from './protocol/wire.ts';
import { stateOperations } from './states/operations.ts';
import { accountId } from './template/template.ts';

type Handle = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export class Front {
  readonly #server: Server;
  #handle: Handle = (_, response) =>
    refuse(response, new IngotError('Unavailable', 'Ingot is starting.', { fix: 'Try again in a moment.' }));
  #hosts = new Set<string>();

  constructor() {
    // Uploads may take long, and no page can hold a connection open from outside this machine.
    this.#server = createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 }, (request, response) => this.#receive(request, response));
  }

  /** @returns the port. @throws IngotError Conflict where it is taken. */
  async listen(port: number): Promise<number> {
    const listening = Promise.withResolvers<void>();
    this.#server.once('error', listening.reject).listen(port, '127.0.0.1', listening.resolve);
    await listening.promise.catch((cause: NodeJS.ErrnoException) => {
      throw new IngotError('Conflict', `Port ${port} cannot be opened (${cause.code}).`, {
        where: `127.0.0.1:${port}`,
        fix: 'Stop the program that uses it, or set INGOT_PORT to another port.',
        cause,
      });
    });
    const actual = (this.#server.address() as AddressInfo).port;
    this.#hosts = new Set([`127.0.0.1:${actual}`, `localhost:${actual}`]);
    return actual;
  }

  open(cloud: Cloud, home?: string): void {
    this.#handle = router(cloud, home);
  }

  close(): Promise<void> {
    return new Promise((done) => {
      this.#server.close(() => done());
      this.#server.closeAllConnections();
    });
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const { host, origin } = request.headers;
    // A page in the user's browser may send requests here, under our name or (by DNS rebinding) its own: neither gets in.
    if (!host || !this.#isOurs(host)) refuse(response, foreign(`Host ${host ?? '(none)'}`));
    else if (origin !== undefined && !this.#isOurOrigin(origin)) refuse(response, foreign(`Origin ${origin}`));
    else if (isEmbedded(request.headers)) refuse(response, foreign('a part of a page of another site'));
    else {
      try {
        this.#handle(request, response)?.catch((error: unknown) => fail(response, error));
      } catch (error) {
        fail(response, error);
      }
    }
  }

  #isOurOrigin(origin: string): boolean {
    return origin.startsWith('http://') && this.#hosts.has(origin.slice('http://'.length));
  }

  /** `<bucket>.localhost` is how SDKs address a bucket; browsers never let another machine answer for it. */
  #isOurs(host: string): boolean {
    return this.#hosts.has(host) || (host.includes('.localhost:') && this.#hosts.has(host.slice(host.lastIndexOf('.localhost:') + 1)));
  }
}

/** An image, script or frame of a foreign page bears no `Origin`, but browsers tell where it is used; a link that somebody follows is no harm. */
function isEmbedded(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  return (site === 'cross-site' || site === 'same-site') && headers['sec-fetch-dest'] !== 'document';
}

function foreign(where: string): IngotError {
  return new IngotError('Forbidden', 'The laptop cloud answers only programs on this machine.', {
    where,
    fix: 'Call it at the EndpointUrl of outputs.json, and not from a web page of another origin.',
  });
}

function refuse(response: ServerResponse, error: IngotError): void {
  response.req.resume();
  send(response, error.status, 'application/json', JSON.stringify({ error: error.toBody() }), {});
}

function fail(response: ServerResponse, error: unknown): void {
  complain(error);
  if (response.headersSent) response.destroy();
  else refuse(response, new IngotError('Internal', 'A defect in the laptop cloud; its output says which.'));
}

/** The service of a request's signature, in its header or its address; undefined where it is not signed. */
export function serviceOf(request: IncomingMessage): string | undefined {
  const { authorization } = request.headers;
  if (authorization) {
    const [, service] = /^AWS4-[A-Z0-9-]+ Credential=[^/]+(?:\/[^/]+)*?\/([a-z0-9-]+)\/aws4_request/.exec(authorization) ?? [];
    if (service) return service;
    if (authorization.startsWith('AWS ')) return 's3';
  }
  const { url } = request;
  if (!url!.includes('X-Amz-') && !url!.includes('AWSAccessKeyId=')) return undefined;
  const query = new URLSearchParams(url!.slice(url!.indexOf('?') + 1));
  if (query.has('AWSAccessKeyId')) return 's3';
  return query.get('X-Amz-Credential')?.split('/').at(-2);
}

function router(cloud: Cloud, home: string | undefined): Handle {
  const queuesByName = new Map([...cloud.queues.values()].map((queue) => [queue.settings.name, queue]));
  const identity = { UserId: 'laptop', Account: accountId, Arn: `arn:aws:iam::${accountId}:root` };
  const services: Record<string, Operations> = {
    states: stateOperations(cloud.machines),
    sqs: queueOperations(queuesByName),
    sns: cloud.topics.operations(),
    monitoring: cloudWatchOperations(cloud.metrics, cloud.alarms),
    logs: logOperations(cloud.logs),
    events: cloud.rules.operations(),
    sts: { GetCallerIdentity: () => identity },
  };
  const stages = new Map<string, { api: RestApi; stage: Stage }>();
  for (const api of cloud.apis) for (const stage of api.stages.values()) stages.set(stage.name, { api, stage });
  const data = () => dashboardData(cloud.graphs, cloud.metrics, cloud.alarms.values(), Date.now());
  const batch = serveBatch(cloud.batch);
  const functions = { find: (name: string) => cloud.findFunction(name), all: () => [...cloud.functions.values()] };

  const open = (service: string, request: IncomingMessage, response: ServerResponse) => {
    if (service === 'lambda') return serveLambda(request, response, functions, cloud.async);
    if (service === 'batch') return batch(request, response);
    if (service === 'apigateway') return serveApiGateway(request, response, cloud.keys, cloud.apis);
    refuse(
      response,
      new IngotError('NotFound', `The laptop cloud has no service '${service}'.`, { fix: 'docs/laptop.md lists what it has.' }),
    );
  };

  return async (request, response) => {
    const service = serviceOf(request);
    // A request to the API is for the API to judge.
    if (service === undefined || service === 'execute-api') return unsigned(request, response, stages, home, data);
    // S3 asks IAM itself, as it alone knows which objects a request is about.
    if (service === 's3') return cloud.s3.handle(request, response);
    const session = sessionOf(cloud.iam, request);
    const admitted = session && (() => admit(cloud.iam, session, service, request));
    const operations = Object.hasOwn(services, service) ? services[service] : undefined;
    if (operations && service === 'sts' && session)
      return serve({ GetCallerIdentity: () => callerOf(session) }, request, response, admitted);
    if (operations) return serve(operations, request, response, admitted);
    try {
      await admitted?.();
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      const body = JSON.stringify({ message: error.message, Message: error.message });
      return send(response, error.status, 'application/json', body, { 'x-amzn-errortype': error.code });
    }
    return open(service, request, response);
  };
}

const callerOf = ({ arn, accessKeyId }: Session) => ({ UserId: `${accessKeyId}:${arn.split('/').at(-1)}`, Account: accountId, Arn: arn });

function unsigned(
  request: IncomingMessage,
  response: ServerResponse,
  stages: Map<string, { api: RestApi; stage: Stage }>,
  home: string | undefined,
  data: () => object,
): void {
  const url = request.url!;
  const mark = url.indexOf('?');
  const full = mark < 0 ? url : url.slice(0, mark);
  const slash = full.indexOf('/', 1);
  const found = stages.get(slash < 0 ? full.slice(1) : full.slice(1, slash));
  if (found) {
    found.api.handle(request, response, found.stage, slash < 0 ? '/' : full.slice(slash), mark < 0 ? '' : url.slice(mark + 1));
  } else if (full === '/' && home) {
    response.writeHead(302, { location: home, 'content-length': 0 }).end();
  } else if (home && serveDashboard(full, response, home, data)) return;
  else refuse(response, noSuchPath(full, [...stages.keys()]));
}

function noSuchPath(path: string, stages: string[]): IngotError {
  return new IngotError(
    'NotFound',
    `There is no ${path} here: requests to AWS's services are signed, and the API is under /${stages.join('/, /')}/.`,
    {
      where: path,
      fix: 'See ApiUrl and EndpointUrl in outputs.json.',
    },
  );
}
