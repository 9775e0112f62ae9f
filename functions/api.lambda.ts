/** The HTTP API but for predictions: models and aliases, runs, datasets, the description and the web page. */
import { Hono } from 'hono';
import { handle, type LambdaEvent } from 'hono/aws-lambda';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { type Presign, presigner } from '../aws/presign.ts';
import { openApi } from '../core/api/openapi.ts';
import { methodsOf } from '../core/api/paths.ts';
import { aliasRequest, parseBody, uploadsRequest } from '../core/api/schemas.ts';
import { type Machines, parseBatch } from '../core/compute/batch.ts';
import { whyWaiting } from '../core/compute/waiting.ts';
import { IngotError } from '../core/errors.ts';
import { checkName, dataKeys } from '../core/keys.ts';
import { environment } from '../core/names.ts';
import { getJson, type ObjectStore } from '../core/object-store.ts';
import { type AliasState, getAlias, listAliases, rollBack, setAlias } from '../core/registry/aliases.ts';
import type { ModelCard } from '../core/registry/card.ts';
import { type DoubtedLabels, getDataset } from '../core/registry/datasets.ts';
import { getRun, listRuns, type RunDetail } from '../core/registry/runs.ts';
import { getCard, listModels, listVersions } from '../core/registry/versions.ts';
import { mediaType } from '../core/serving/formats.ts';
import { parseJsonBody } from '../core/serving/rows.ts';
import type { CleanReport } from '../core/table/report.ts';
import { consoleFile } from './shared/console-files.ts';
import { requireEnv } from './shared/environment.ts';
import { preparationJob } from './shared/hand-over.ts';
import {
  asIngotError,
  bodyText,
  errorAnswer,
  fromRoot,
  type HttpAnswer,
  type HttpEvent,
  MethodNotAllowed,
  noSuchPath,
  withinLimit,
} from './shared/http.ts';
import { awsServices } from './shared/lambda.ts';
import type { Services } from './shared/services.ts';

export interface ApiServices extends Pick<Services, 'data' | 'models' | 'executions' | 'jobs' | 'now'> {
  presign: Presign;
}

const uploadSeconds = 3600;

/** Milliseconds after an upload from which a job may be at work on it. */
const jobsFrom = 30_000;

/** Any name but those that lead elsewhere: no separators, no control characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
const fileName = /^(?!\.{1,2}$)[^/\\\u0000-\u001f\u007f]{1,200}$/;

function createApi(connect: () => ApiServices): Hono {
  const app = new Hono({ strict: false });

  app.get('/models', async (c) => {
    const { models } = connect();
    const found = await Promise.all((await listModels(models)).map((name) => describeModel(models, name)));
    return c.json({ models: found.filter((model) => model !== undefined) });
  });

  app.get('/models/:model', async (c) => {
    const found = await describeModel(connect().models, c.req.param('model'));
    return c.json(found ?? refuse(noModel(c.req.param('model'))));
  });

  app.get('/models/:model/versions/:version', async (c) => {
    const { model, version } = c.req.param();
    if (!/^[1-9]\d{0,8}$/.test(version)) {
      throw new IngotError('InvalidRequest', `'${version}' is not the number of a version.`, {
        where: 'path',
        fix: 'Send a whole number from 1.',
      });
    }
    const card = await getCard(connect().models, model, Number(version));
    return c.json(
      card ??
        refuse(
          new IngotError('NotFound', `The model '${model}' has no version ${version}.`, {
            where: 'path',
            fix: `GET /models/${model} lists the versions.`,
          }),
        ),
    );
  });

  const answerAlias = ({ etag, version, history }: AliasState) => Response.json({ version, history }, { headers: { etag } });

  app.get('/models/:model/aliases/:alias', async (c) => {
    const { model, alias } = c.req.param();
    const state = await getAlias(connect().models, model, alias);
    return answerAlias(
      state ??
        refuse(
          new IngotError('NotFound', `The model '${model}' has no alias '${alias}'.`, {
            where: 'path',
            fix: `GET /models/${model} lists the aliases.`,
          }),
        ),
    );
  });

  app.put('/models/:model/aliases/:alias', async (c) => {
    const { model, alias } = c.req.param();
    checkName('model', model);
    checkName('alias', alias);
    const { version, canary, shadow } = parseBody(aliasRequest, await jsonBody(c.req));
    const unready = canary !== undefined ? 'canary' : shadow !== undefined ? 'shadow' : undefined;
    if (unready) {
      throw new IngotError('InvalidRequest', `An alias cannot have a ${unready} yet.`, {
        where: unready,
        fix: `Send {"version": ${version}} alone.`,
      });
    }
    const { models, now } = connect();
    return answerAlias(await setAlias(models, model, alias, version, now(), c.req.header('if-match')));
  });

  app.post('/models/:model/aliases/:alias/rollback', async (c) => {
    const { model, alias } = c.req.param();
    const { models, now } = connect();
    return answerAlias(await rollBack(models, model, alias, now(), c.req.header('if-match')));
  });

  app.get('/runs', async (c) => {
    const limit = c.req.query('limit') ?? '50';
    if (!/^([1-9]\d?|100)$/.test(limit)) {
      throw new IngotError('InvalidRequest', `'${limit}' is not a limit.`, {
        where: 'query limit',
        fix: 'Send a whole number from 1 to 100.',
      });
    }
    const { models, executions } = connect();
    return c.json({ runs: await listRuns(models, executions, Number(limit)) });
  });

  const needRun = async (id: string): Promise<RunDetail> => {
    const { models, executions, jobs } = connect();
    // An id that no run can have is not worth asking the services for.
    const run = /^[A-Za-z0-9_-]{1,80}$/.test(id) ? await getRun(models, executions, id, waitingOf(jobs)) : undefined;
    return run ?? refuse(new IngotError('NotFound', `There is no run '${id}'.`, { where: 'path', fix: 'GET /runs lists the runs.' }));
  };

  app.get('/runs/:run', async (c) => c.json(await needRun(c.req.param('run'))));

  app.delete('/runs/:run', async (c) => {
    const { id, status } = await needRun(c.req.param('run'));
    if (status !== 'RUNNING') {
      throw new IngotError('Conflict', `The run ${id} is not under way: its status is ${status}.`, {
        where: 'path',
        fix: 'There is nothing to cancel.',
      });
    }
    await connect().executions.stop(id, 'Cancelled by DELETE /runs.');
    return c.json(await needRun(id), 202);
  });

  app.get('/datasets/:dataset', async (c) => {
    const dataset = c.req.param('dataset');
    const { data, jobs, now } = connect();
    const pointer = await getDataset(data, dataset);
    if (!pointer) {
      checkName('dataset', dataset);
      throw new IngotError('NotFound', `There is no dataset '${dataset}'.`, {
        where: 'path',
        fix: `Upload a file to ${dataKeys.raw(dataset, '<file>')} in the data bucket.`,
      });
    }
    const { revision, status, source, error } = pointer;
    const report = revision === undefined ? undefined : await getJson<CleanReport>(data, dataKeys.report(dataset, revision));
    const suspiciousLabels =
      revision === undefined ? undefined : await getJson<DoubtedLabels>(data, dataKeys.suspiciousLabels(dataset, revision));
    // Uploads that functions prepare are ready within minutes; only what takes longer is asked about.
    const since = new Date(source.eventTime);
    const asked = now().getTime() - since.getTime() > jobsFrom ? preparationJob({ dataset, status, since }, { jobs }) : {};
    const job = await Promise.resolve(asked).catch(() => ({}));
    return c.json({
      dataset,
      revision: revision ?? null,
      status,
      ...(report && { report }),
      ...(suspiciousLabels && { suspiciousLabels }),
      ...job,
      ...(error && { error }),
    });
  });

  app.post('/datasets/:dataset/uploads', async (c) => {
    const dataset = checkName('dataset', c.req.param('dataset'));
    const { files } = parseBody(uploadsRequest, await jsonBody(c.req));
    files.forEach((file, i) => {
      if (!fileName.test(file)) {
        throw new IngotError('InvalidName', `'${file}' cannot be the name of a file.`, {
          where: `files.${i}`,
          fix: 'Use a name of 1 to 200 characters without slashes and control characters.',
        });
      }
    });
    const { presign, now } = connect();
    const expiresAt = new Date(now().getTime() + uploadSeconds * 1000).toISOString();
    const uploads = files.map(async (file) => {
      const key = dataKeys.raw(dataset, file);
      return { file, key, method: 'PUT', url: await presign(key, uploadSeconds), expiresAt };
    });
    return c.json({ uploads: await Promise.all(uploads) }, 201);
  });

  let description: string | undefined;
  app.get('/openapi.json', (c) => {
    description ??= JSON.stringify(openApi());
    return c.body(description, 200, { 'content-type': 'application/json' });
  });

  app.get('/console/*', async (c) => {
    const { pathname } = new URL(c.req.url);
    const file = await consoleFile(pathname.slice('/console/'.length));
    if (!file) throw noSuchPath(pathname);
    // The page's links are relative to an address that ends with a slash; gateways differ in whether they keep it, so no redirect.
    const text = pathname.endsWith('/console') ? file.text.replace('<head>', '<head><base href="console/">') : file.text;
    return c.body(text, 200, { 'content-type': file.type, 'cache-control': 'no-cache' });
  });

  app.notFound((c) => {
    const methods = methodsOf(c.req.path);
    return refuse(methods.length > 0 ? new MethodNotAllowed(c.req.method, c.req.path, methods) : noSuchPath(c.req.path));
  });

  app.onError((error, c) => {
    const known = asIngotError(error);
    return c.json({ error: known.toBody() }, known.status as ContentfulStatusCode, known.headers);
  });
  return app;
}

/** Batch's answer is of use, but a run is shown without it where Batch does not give one. */
function waitingOf(jobs: ApiServices['jobs']) {
  return async (run: string, machines: Machines): Promise<string | undefined> => {
    const queue = parseBatch(process.env[environment.batch])?.queues[machines]?.queue;
    if (!queue) return undefined;
    try {
      const open = await (await jobs()).open(queue, `${run}-`);
      return open.map(whyWaiting).find((sentence) => sentence !== undefined);
    } catch (error) {
      return `Batch does not say how its job is: ${(error as Error).message}`;
    }
  };
}

/** For the right side of `??`. */
function refuse(error: IngotError): never {
  throw error;
}

function noModel(name: string): IngotError {
  return new IngotError('NotFound', `There is no model '${name}'.`, { where: 'path', fix: 'GET /models lists the models.' });
}

async function jsonBody(request: { header(name: string): string | undefined; text(): Promise<string> }): Promise<unknown> {
  const type = mediaType(request.header('content-type'));
  if (type !== 'application/json') {
    throw new IngotError('UnsupportedMediaType', `The call does not read '${type}'.`, {
      where: 'Content-Type',
      fix: 'Send application/json.',
    });
  }
  return parseJsonBody(await request.text());
}

/** What a list of versions says of each. */
type VersionSummary = Pick<ModelCard, 'version' | 'createdAt' | 'metric' | 'score' | 'task' | 'family' | 'run' | 'revision'> & {
  bytes: number;
};

/** Versions never change: what was read once is kept. */
const summaries = new WeakMap<ObjectStore, Map<string, VersionSummary>>();

async function summarize(models: ObjectStore, model: string, version: number): Promise<VersionSummary | undefined> {
  const kept = summaries.get(models) ?? new Map<string, VersionSummary>();
  summaries.set(models, kept);
  const key = `${model}/${version}`;
  const known = kept.get(key);
  if (known) return known;
  const card = await getCard(models, model, version);
  if (!card) return undefined;
  const { createdAt, metric, score, task, family, run, revision, sizes } = card;
  const summary = { version, createdAt, metric, score, task, family, run, revision, bytes: sizes.graph };
  kept.set(key, summary);
  return summary;
}

/** @returns undefined where nothing is registered under the name */
async function describeModel(models: ObjectStore, name: string): Promise<object | undefined> {
  const [numbers, aliases] = await Promise.all([listVersions(models, name), listAliases(models, name)]);
  if (numbers.length === 0) return undefined;
  const versions = await Promise.all(numbers.map((version) => summarize(models, name, version)));
  return { name, versions: versions.filter((version) => version !== undefined), aliases };
}

/** The API as a Lambda handler. Bodies are text; that of a GET, which is legal, has no meaning, and a Request cannot be made of it. */
export function createHandler(connect: () => ApiServices): (event: HttpEvent) => Promise<HttpAnswer> {
  const answer = handle(createApi(connect), { isContentTypeBinary: () => false });
  return async (event) => {
    const body = /^(GET|HEAD)$/.test(event.httpMethod) ? null : bodyText(event);
    const given = (await answer({ ...fromRoot(event), body, isBase64Encoded: false } as LambdaEvent)) as HttpAnswer;
    try {
      return withinLimit(
        given,
        'Read the object itself from its bucket: report.json, card.json and leaderboard.json lie where docs/architecture.md says.',
      );
    } catch (error) {
      return errorAnswer(error);
    }
  };
}

let services: ApiServices | undefined;

export const handler = createHandler(() => {
  services ??= { ...awsServices(), presign: presigner(requireEnv(environment.dataBucket)) };
  return services;
});
