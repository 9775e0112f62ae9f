/**
 * Answers prediction requests. This is the hot path: one function, no framework, models in memory, the body parsed once; the S3 SDK is
 * imported when the first model is looked for. `POST /predict` without `"model"` asks the only model that is live, or the one that was
 * put live last.
 */
import { IngotError } from '../core/errors.ts';
import { environment, version as ingotVersion, metricNames } from '../core/names.ts';
import type { ObjectStore } from '../core/object-store.ts';
import { ModelCache, type ServedModel } from '../core/registry/model-cache.ts';
import { listVersions } from '../core/registry/versions.ts';
import { answerInfer, describeModel, parseInfer } from '../core/serving/formats/infer.ts';
import { answerInputData, parseInputData } from '../core/serving/formats/input-data.ts';
import { answerInvocation, parseInvocation } from '../core/serving/formats/invocations.ts';
import { mediaType, parsePredict } from '../core/serving/formats.ts';
import { parseJsonBody, type RawRows } from '../core/serving/rows.ts';
import { Counters } from './shared/counters.ts';
import { requireEnv } from './shared/environment.ts';
import {
  bodyText,
  decodeSegment,
  errorAnswer,
  fromRoot,
  type HttpAnswer,
  type HttpEvent,
  header,
  jsonAnswer,
  MethodNotAllowed,
  noSuchPath,
  withinLimit,
} from './shared/http.ts';

export type Predict = (event: HttpEvent) => Promise<HttpAnswer>;

export interface PredictOptions {
  /** Where models are; called when the first is looked for. */
  models: () => Promise<ObjectStore>;
  /** Writes a line of metrics; see `Counters`. */
  emit?: (line: string) => void;
}

export function createPredict({ models, emit }: PredictOptions): Predict {
  const cache = new ModelCache(models);
  const counters = new Counters(emit);

  return async (event) => {
    try {
      return withinLimit(await route(fromRoot(event)), 'Send fewer rows in one request.');
    } catch (error) {
      const answer = errorAnswer(error);
      if (answer.statusCode >= 500) counters.add(metricNames.predictionErrors, 1);
      return answer;
    } finally {
      counters.flushIfDue();
    }
  };

  function route(event: HttpEvent): HttpAnswer | Promise<HttpAnswer> {
    const path = event.path.length > 1 && event.path.endsWith('/') ? event.path.slice(0, -1) : event.path;
    if (path === '/predict') return method(event, 'POST', predictInputData);
    const found = /^\/models\/([^/]+)\/predict$/.exec(path);
    if (found) return method(event, 'POST', () => predictRows(event, decodeSegment(found[1]!)));
    if (path === '/invocations') return method(event, 'POST', invoke);
    if (path === '/ping') return method(event, 'GET', () => jsonAnswer('{}'));
    if (path === '/v2' || path.startsWith('/v2/')) return routeV2(event, path.slice('/v2'.length));
    throw noSuchPath(event.path);
  }

  async function predictInputData(event: HttpEvent): Promise<HttpAnswer> {
    expectJson(event);
    const body = parseJsonBody(bodyText(event)) as { model?: unknown } | null;
    const name = typeof body === 'object' ? body?.model : undefined;
    if (name !== undefined && name !== null && typeof name !== 'string') {
      throw new IngotError('InvalidRequest', 'The field model is not text.', {
        where: 'model',
        fix: 'Send the name of a model, or leave it out.',
      });
    }
    const { predictor } = await find(event, name ?? undefined);
    const rows = parseInputData(body, predictor.schema);
    counters.add(metricNames.predictions, rows.rows);
    return jsonAnswer(JSON.stringify(answerInputData(predictor.run(rows))));
  }

  async function predictRows(event: HttpEvent, name: string): Promise<HttpAnswer> {
    const model = await find(event, name);
    const { predictor, version } = model;
    const rows = parsePredict(mediaType(header(event, 'content-type')), bodyText(event), predictor.schema);
    counters.add(metricNames.predictions, rows.rows);
    const asked = event.queryStringParameters?.['explain'] === 'true';
    return jsonAnswer(JSON.stringify({ model: name, version, predictions: asked ? await explain(model, rows) : predictor.predict(rows) }));
  }

  /** What explains is loaded on the first request that asks, so that a cold start does not wait for it. */
  async function explain(model: ServedModel, rows: RawRows): Promise<object[]> {
    const { explainerOf } = await import('../core/explain/explainers.ts');
    const explainer = await explainerOf(model, await models());
    const answered = model.predictor.run(rows);
    const explanations = explainer.explain(model.predictor, rows, answered);
    return model.predictor.tell(answered).map((prediction, row) => ({ ...prediction, ...explanations[row] }));
  }

  async function invoke(event: HttpEvent): Promise<HttpAnswer> {
    const { predictor } = await find(event, event.queryStringParameters?.['model']);
    const type = mediaType(header(event, 'content-type'));
    const rows = parseInvocation(type, bodyText(event), predictor.schema);
    counters.add(metricNames.predictions, rows.rows);
    const { contentType, body } = answerInvocation(type, predictor.predict(rows));
    return { statusCode: 200, headers: { 'content-type': contentType }, body };
  }

  function routeV2(event: HttpEvent, path: string): HttpAnswer | Promise<HttpAnswer> {
    if (path === '') {
      return method(event, 'GET', () => jsonAnswer(JSON.stringify({ name: 'ingot', version: ingotVersion, extensions: [] })));
    }
    if (path === '/health/live') return method(event, 'GET', () => jsonAnswer('{"live":true}'));
    if (path === '/health/ready') return method(event, 'GET', ready);
    const found = /^\/models\/([^/]+)(?:\/versions\/([^/]+))?(?:\/(ready|infer))?$/.exec(path);
    if (!found) throw noSuchPath(event.path);
    const name = decodeSegment(found[1]!);
    const model = () => (found[2] === undefined ? find(event, name) : cache.byVersion(name, versionNumber(found[2], 'path')));
    if (found[3] === 'infer') return method(event, 'POST', async () => infer(event, await model()));
    return method(event, 'GET', async () => {
      const { predictor } = await model();
      if (found[3] === 'ready') return jsonAnswer(JSON.stringify({ name, ready: true }));
      return jsonAnswer(JSON.stringify(describeModel(predictor.card, await listVersions(await models(), name))));
    });
  }

  function infer(event: HttpEvent, { predictor, version }: ServedModel): HttpAnswer {
    expectJson(event);
    const request = parseInfer(parseJsonBody(bodyText(event)), predictor.schema);
    counters.add(metricNames.predictions, request.rows.rows);
    const answer = answerInfer(predictor.run(request.rows), predictor.labels, predictor.card, version, request);
    return jsonAnswer(JSON.stringify(answer));
  }

  /** Ready is who reaches its models; which model does not matter. */
  async function ready(): Promise<HttpAnswer> {
    try {
      await (await models()).head('models/ready');
    } catch (cause) {
      throw new IngotError('Unavailable', 'The model bucket does not answer.', { fix: 'Wait a moment and try again.', cause });
    }
    return jsonAnswer('{"ready":true}');
  }

  function find({ queryStringParameters }: HttpEvent, name: string | undefined): Promise<ServedModel> {
    const asked = queryStringParameters?.['version'];
    const alias = queryStringParameters?.['alias'];
    if (name === undefined) return cache.byDefault();
    if (asked === undefined) return cache.byAlias(name, alias);
    if (alias !== undefined) {
      throw new IngotError('InvalidRequest', 'The request names both an alias and a version.', {
        where: 'query',
        fix: 'Leave one of them out.',
      });
    }
    return cache.byVersion(name, versionNumber(asked, 'query version'));
  }
}

function method(
  event: HttpEvent,
  allowed: 'GET' | 'POST',
  answer: (event: HttpEvent) => HttpAnswer | Promise<HttpAnswer>,
): HttpAnswer | Promise<HttpAnswer> {
  if (event.httpMethod === allowed || (event.httpMethod === 'HEAD' && allowed === 'GET')) return answer(event);
  throw new MethodNotAllowed(event.httpMethod, event.path, [allowed]);
}

function expectJson(event: HttpEvent): void {
  const type = mediaType(header(event, 'content-type'));
  if (type === 'application/json') return;
  throw new IngotError('UnsupportedMediaType', `${event.path} does not read '${type}'.`, {
    where: 'Content-Type',
    fix: 'Send application/json.',
  });
}

function versionNumber(text: string, where: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new IngotError('InvalidRequest', `'${text}' is not the number of a version.`, { where, fix: 'Send a whole number from 1.' });
}

export const handler: Predict = createPredict({
  models: async () => {
    const { S3ObjectStore } = await import('../aws/s3-object-store.ts');
    store ??= new S3ObjectStore(requireEnv(environment.modelBucket));
    return store;
  },
});

let store: ObjectStore | undefined;
