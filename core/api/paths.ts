/** Every call of the HTTP API: what it takes, answers and refuses. The OpenAPI document and the answer to a wrong method come from here. */
import type * as z from 'zod/mini';
import type { ErrorCode } from '../errors.ts';
import {
  aliasRequest,
  aliasSchema,
  cardSchema,
  datasetSchema,
  inputDataSchema,
  modelSchema,
  modelsSchema,
  outputDataSchema,
  predictionsSchema,
  rowsSchema,
  runSchema,
  runsSchema,
  uploadsRequest,
  uploadsSchema,
} from './schemas.ts';

type Schema = z.ZodMiniType | 'any' | 'text';

export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With parameters in braces. */
  path: string;
  id: string;
  summary: string;
  /** Open to callers without a key. */
  open?: true;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  /** By media type. */
  body?: Record<string, Schema>;
  answer: { status: number; is: string; type?: string; schema: Schema };
  /** Besides those that every call may give: Forbidden, TooManyRequests, Internal, Unavailable. */
  errors: ErrorCode[];
}

const json = 'application/json';
const choice = { alias: 'Which alias answers; `live` by default.', version: 'Which version answers, instead of an alias.' };
const predictErrors: ErrorCode[] = ['InvalidRequest', 'InvalidRow', 'NotFound', 'PayloadTooLarge', 'UnsupportedMediaType'];
const ifMatch = { 'If-Match': 'The ETag of the state that the change is meant for, or `*`.' };

export const calls: Call[] = [
  {
    method: 'POST',
    path: '/predict',
    id: 'predict',
    summary:
      'Answers rows in the order of the feature columns: class probabilities, or the value. Without a model the one that was put live last answers.',
    body: { [json]: inputDataSchema },
    answer: { status: 200, is: 'A list for each row: class probabilities, or the value.', schema: outputDataSchema },
    errors: predictErrors,
  },
  {
    method: 'POST',
    path: '/models/{model}/predict',
    id: 'predictRows',
    summary: 'Answers rows by column name. Of JSON the list of them may stand alone.',
    query: {
      ...choice,
      explain: '`true`: what each column contributed to the raw output of each row, at most 200 rows; with the base they sum to it.',
    },
    body: {
      [json]: rowsSchema,
      'text/csv': 'text',
      'text/tab-separated-values': 'text',
      'application/x-ndjson': 'text',
      'application/jsonl': 'text',
    },
    answer: { status: 200, is: 'A prediction for each row.', schema: predictionsSchema },
    errors: predictErrors,
  },
  {
    method: 'GET',
    path: '/v2/health/live',
    id: 'live',
    summary: 'Whether the service runs.',
    open: true,
    answer: { status: 200, is: 'It does.', schema: 'any' },
    errors: [],
  },
  {
    method: 'GET',
    path: '/v2/health/ready',
    id: 'ready',
    summary: 'Whether the service can answer.',
    open: true,
    answer: { status: 200, is: 'It can.', schema: 'any' },
    errors: [],
  },
  {
    method: 'GET',
    path: '/v2',
    id: 'server',
    summary: 'Open Inference Protocol v2: the server.',
    answer: { status: 200, is: 'Name and version.', schema: 'any' },
    errors: [],
  },
  {
    method: 'GET',
    path: '/v2/models/{model}',
    id: 'describe',
    summary: 'Open Inference Protocol v2: what a model takes and gives.',
    query: choice,
    answer: { status: 200, is: 'Inputs and outputs.', schema: 'any' },
    errors: ['NotFound', 'InvalidRequest'],
  },
  {
    method: 'GET',
    path: '/v2/models/{model}/ready',
    id: 'modelReady',
    summary: 'Open Inference Protocol v2: whether a model can answer.',
    answer: { status: 200, is: 'It can.', schema: 'any' },
    errors: ['NotFound'],
  },
  {
    method: 'POST',
    path: '/v2/models/{model}/infer',
    id: 'infer',
    summary: 'Open Inference Protocol v2: answers tensors.',
    query: choice,
    body: { [json]: 'any' },
    answer: { status: 200, is: 'The output tensors.', schema: 'any' },
    errors: predictErrors,
  },
  {
    method: 'GET',
    path: '/v2/models/{model}/versions/{version}',
    id: 'describeVersion',
    summary: 'Open Inference Protocol v2: what a version takes and gives.',
    answer: { status: 200, is: 'Inputs and outputs.', schema: 'any' },
    errors: ['NotFound', 'InvalidRequest'],
  },
  {
    method: 'GET',
    path: '/v2/models/{model}/versions/{version}/ready',
    id: 'versionReady',
    summary: 'Open Inference Protocol v2: whether a version can answer.',
    answer: { status: 200, is: 'It can.', schema: 'any' },
    errors: ['NotFound', 'InvalidRequest'],
  },
  {
    method: 'POST',
    path: '/v2/models/{model}/versions/{version}/infer',
    id: 'inferVersion',
    summary: 'Open Inference Protocol v2: answers tensors by a version.',
    body: { [json]: 'any' },
    answer: { status: 200, is: 'The output tensors.', schema: 'any' },
    errors: predictErrors,
  },
  {
    method: 'GET',
    path: '/ping',
    id: 'ping',
    summary: 'SageMaker: whether the service runs.',
    open: true,
    answer: { status: 200, is: 'It does.', schema: 'any' },
    errors: [],
  },
  {
    method: 'POST',
    path: '/invocations',
    id: 'invocations',
    summary: 'SageMaker and MLflow: answers CSV without a header, or dataframe_split, dataframe_records, instances or inputs.',
    query: { model: 'Which model answers; the one that was put live last by default.', ...choice },
    body: { [json]: 'any', 'text/csv': 'text' },
    answer: { status: 200, is: 'A label or value for each row.', schema: 'any' },
    errors: predictErrors,
  },
  {
    method: 'GET',
    path: '/models',
    id: 'listModels',
    summary: 'All models with their versions and aliases.',
    answer: { status: 200, is: 'The models by name.', schema: modelsSchema },
    errors: [],
  },
  {
    method: 'GET',
    path: '/models/{model}',
    id: 'getModel',
    summary: 'A model with its versions and aliases.',
    answer: { status: 200, is: 'The model; versions ascending.', schema: modelSchema },
    errors: ['NotFound'],
  },
  {
    method: 'GET',
    path: '/models/{model}/versions/{version}',
    id: 'getVersion',
    summary: 'The card of a version: what it was made of, the leaderboard, how good it is.',
    answer: { status: 200, is: 'The card.', schema: cardSchema },
    errors: ['NotFound', 'InvalidRequest'],
  },
  {
    method: 'GET',
    path: '/models/{model}/aliases/{alias}',
    id: 'getAlias',
    summary: 'Where an alias stands and stood; its state is in the header ETag.',
    answer: { status: 200, is: 'The alias.', schema: aliasSchema },
    errors: ['NotFound'],
  },
  {
    method: 'PUT',
    path: '/models/{model}/aliases/{alias}',
    id: 'setAlias',
    summary: 'Points an alias at a version.',
    headers: ifMatch,
    body: { [json]: aliasRequest },
    answer: { status: 200, is: 'The alias as it stands now.', schema: aliasSchema },
    errors: ['InvalidRequest', 'InvalidName', 'NotFound', 'PreconditionFailed', 'UnsupportedMediaType'],
  },
  {
    method: 'POST',
    path: '/models/{model}/aliases/{alias}/rollback',
    id: 'rollBack',
    summary: 'Points an alias at the version that it pointed at before; again goes back further.',
    headers: ifMatch,
    answer: { status: 200, is: 'The alias as it stands now.', schema: aliasSchema },
    errors: ['NotFound', 'Conflict', 'PreconditionFailed'],
  },
  {
    method: 'GET',
    path: '/runs',
    id: 'listRuns',
    summary: 'The newest runs.',
    query: { limit: 'How many at most: 1 to 100, 50 by default.' },
    answer: { status: 200, is: 'The newest first.', schema: runsSchema },
    errors: ['InvalidRequest'],
  },
  {
    method: 'GET',
    path: '/runs/{run}',
    id: 'getRun',
    summary: 'How far a run is, its leaderboard and its model.',
    answer: { status: 200, is: 'The run.', schema: runSchema },
    errors: ['NotFound'],
  },
  {
    method: 'DELETE',
    path: '/runs/{run}',
    id: 'cancelRun',
    summary: 'Cancels a run that is under way.',
    answer: { status: 202, is: 'The run; it is about to end.', schema: runSchema },
    errors: ['NotFound', 'Conflict'],
  },
  {
    method: 'GET',
    path: '/datasets/{dataset}',
    id: 'getDataset',
    summary: 'The newest revision of a dataset and its cleaning report, or why it was rejected.',
    answer: { status: 200, is: 'The dataset.', schema: datasetSchema },
    errors: ['NotFound', 'InvalidName'],
  },
  {
    method: 'POST',
    path: '/datasets/{dataset}/uploads',
    id: 'createUploads',
    summary: 'Addresses to which files of a dataset can be put, without credentials, within the hour.',
    body: { [json]: uploadsRequest },
    answer: {
      status: 201,
      is: 'An address for each file: `curl -T file "url"`, for up to 5 GB; what is larger any client of S3 uploads in parts.',
      schema: uploadsSchema,
    },
    errors: ['InvalidRequest', 'InvalidName', 'UnsupportedMediaType'],
  },
  {
    method: 'GET',
    path: '/openapi.json',
    id: 'openapi',
    summary: 'This description.',
    answer: { status: 200, is: 'An OpenAPI 3.1 document.', schema: 'any' },
    errors: [],
  },
  {
    method: 'GET',
    path: '/console/{file}',
    id: 'console',
    summary: 'The web page.',
    open: true,
    answer: { status: 200, is: 'A file of the page.', type: 'text/html', schema: 'text' },
    errors: ['NotFound'],
  },
];

/** The methods that a path has; none where nobody knows it. */
export function methodsOf(path: string): string[] {
  return calls.filter((call) => patterns.get(call.path)!.test(path)).map(({ method }) => method);
}

const patterns = new Map(calls.map(({ path }) => [path, new RegExp(`^${path.replaceAll(/\{[a-z]+\}/g, '[^/]+')}/?$`)]));
