/**
 * The shapes of the HTTP API, written once: requests are parsed by them, and the OpenAPI document is made from them. Answers are typed by
 * the registry; a test holds the two against each other.
 */
import * as z from 'zod/mini';
import { laneNames } from '../compute/lane.ts';
import { type ErrorCode, errorCodes, IngotError } from '../errors.ts';
import { stages } from '../names.ts';
import { personalKinds } from '../table/report.ts';

export const errorSchema = z.object({
  error: z.object({
    code: z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]),
    message: z.string(),
    where: z.optional(z.string()),
    fix: z.optional(z.string()),
  }),
});

const errorBody = errorSchema.shape.error;
const value = z.union([z.number(), z.string(), z.boolean(), z.null()]);
const label = z.union([z.string(), z.number(), z.boolean()]);

/** Of a prediction that was asked for with explain=true: the contributions and the base add up to the raw value. */
const explained = {
  contributions: z.optional(z.record(z.string(), z.number())),
  base: z.optional(z.number()),
  raw: z.optional(z.object({ is: z.enum(['value', 'probability', 'log-odds', 'score']), class: z.optional(label), value: z.number() })),
};

export const inputDataSchema = z.object({
  input_data: z.array(z.array(value)),
  model: z.optional(z.string()),
});
export const outputDataSchema = z.object({ output_data: z.array(z.array(z.number())) });

const rows = z.array(z.record(z.string(), value));
export const rowsSchema = z.union([z.object({ rows }), rows]);
export const predictionsSchema = z.object({
  model: z.string(),
  version: z.int(),
  predictions: z.array(
    z.union([
      z.object({
        label,
        probabilities: z.record(z.string(), z.number()),
        /** The classes among which the true one is, as often as the model's coverage says (mostly 0.9); none where no class is likely enough. */
        set: z.optional(z.array(label)),
        ...explained,
      }),
      z.object({
        value: z.number(),
        /** Between which the true value lies, as often as the model's coverage says (mostly 0.9). */
        interval: z.optional(z.array(z.number()).check(z.length(2))),
        ...explained,
      }),
    ]),
  ),
});

const aliasMove = z.object({
  version: z.int(),
  at: z.string(),
  by: z.string(),
  why: z.enum(['release', 'set', 'rollback']),
  /** Of a release: the upload that brought it about. */
  source: z.optional(z.object({ key: z.string(), versionId: z.optional(z.string()), sequencer: z.string(), eventTime: z.string() })),
  restores: z.optional(z.int()),
});
export const aliasSchema = z.object({ version: z.int(), history: z.array(aliasMove) });

/** `canary` and `shadow` are read so that the error can say that they are not there yet. */
export const aliasRequest = z.strictObject({
  version: z.int().check(z.minimum(1)),
  canary: z.optional(z.unknown()),
  shadow: z.optional(z.unknown()),
});

export const modelSchema = z.object({
  name: z.string(),
  versions: z.array(
    z.object({
      version: z.int(),
      createdAt: z.string(),
      metric: z.string(),
      score: z.nullable(z.number()),
      task: z.enum(['classification', 'regression']),
      family: z.string(),
      run: z.string(),
      revision: z.string(),
      bytes: z.int(),
    }),
  ),
  aliases: z.record(z.string(), aliasSchema),
});
export const modelsSchema = z.object({ models: z.array(modelSchema) });

/** The whole card; see `ModelCard`. */
export const cardSchema = z.looseObject({ model: z.string(), version: z.int(), createdAt: z.string(), run: z.string() });

const interval = z.object({ low: z.number(), point: z.number(), high: z.number() });

const runFields = {
  id: z.string(),
  dataset: z.string(),
  revision: z.string(),
  status: z.enum(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED']),
  stage: z.enum(stages.map(({ name }) => name)),
  progress: z.number().check(z.minimum(0), z.maximum(1)),
  startedAt: z.string(),
  error: z.optional(errorBody),
};
export const runsSchema = z.object({ runs: z.array(z.object(runFields)) });
export const runSchema = z.object({
  ...runFields,
  seconds: z.number(),
  trials: z.optional(z.object({ done: z.int(), planned: z.int() })),
  leaderboard: z.optional(
    z.object({
      metric: z.string(),
      best: z.int(),
      entries: z.array(
        z.object({
          rank: z.int(),
          candidate: z.int(),
          family: z.string(),
          params: z.record(z.string(), value),
          mean: z.record(z.string(), z.number()),
          std: z.record(z.string(), z.number()),
          perFold: z.array(z.number()),
          rung: z.optional(z.int()),
        }),
      ),
      /** Candidates that could not be fitted, and why; the others do not suffer for it. */
      failed: z.optional(z.array(z.object({ candidates: z.array(z.int()), message: z.string() }))),
    }),
  ),
  /** What the run was expected to take, each with the bounds that nine in ten runs keep to; memory in bytes. */
  estimate: z.optional(
    z.object({
      ...{ coreSeconds: interval, memory: z.number(), seconds: interval, dollars: interval },
      /** By which list the dollars are reckoned, and those that are spent. */
      prices: z.optional(z.object({ region: z.string(), asOf: z.string(), source: z.string() })),
    }),
  ),
  /** What it runs on, and why. */
  lane: z.optional(z.object({ name: z.enum(laneNames), reason: z.string() })),
  /** Why a job of it is not under way yet, in a sentence. */
  waiting: z.optional(z.string()),
  /** Of functions and jobs, by the stages that are done; jobs at the price on demand, though most run on spot capacity. */
  spent: z.optional(z.object({ seconds: z.number(), dollars: z.number() })),
  /** Seconds that are expected to be left. */
  remaining: z.optional(z.number()),
  model: z.optional(z.object({ name: z.string(), version: z.int(), live: z.optional(z.boolean()) })),
});

export const datasetSchema = z.object({
  dataset: z.string(),
  revision: z.nullable(z.string()),
  status: z.enum(['CLEANING', 'CLEAN', 'READY', 'REJECTED']),
  /** See `core/table/report.ts`. */
  report: z.optional(
    z.looseObject({
      columns: z.array(
        z.looseObject({
          name: z.string(),
          role: z.enum(['feature', 'target', 'ignored']),
          why: z.string(),
          personal: z.optional(
            z.object({
              kinds: z.array(z.enum(personalKinds)),
              cells: z.int(),
              of: z.int(),
              treatment: z.enum(['dropped', 'hashed', 'masked', 'kept']),
            }),
          ),
          leak: z.optional(
            z.object({
              kind: z.enum(['copy', 'monotone', 'afterwards']),
              measure: z.string(),
              score: z.number(),
              next: z.optional(z.number()),
              rows: z.int(),
              treatment: z.enum(['quarantined', 'kept']),
            }),
          ),
          sameAs: z.optional(z.string()),
        }),
      ),
    }),
  ),
  /** Rows that are likely mislabelled; `row` counts from 1 the rows of the files that could be read. */
  suspiciousLabels: z.optional(
    z.object({
      count: z.int(),
      of: z.int(),
      rows: z.array(z.object({ row: z.int(), given: z.string(), suggested: z.string(), confidence: z.number() })),
    }),
  ),
  /** Why the job that prepares a large upload is not under way yet, in a sentence. */
  waiting: z.optional(z.string()),
  error: z.optional(errorBody),
});

export const uploadsRequest = z.strictObject({ files: z.array(z.string()).check(z.minLength(1), z.maxLength(100)) });
export const uploadsSchema = z.object({
  uploads: z.array(z.object({ file: z.string(), key: z.string(), method: z.literal('PUT'), url: z.string(), expiresAt: z.string() })),
});

/** @throws IngotError InvalidRequest that names the field, what it takes and what it got */
export function parseBody<T>(schema: z.ZodMiniType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const where = [...issue.path.map(String), ...(unknown === undefined ? [] : [unknown])].join('.') || 'body';
  throw new IngotError('InvalidRequest', unknown === undefined ? describe(issue, where) : `There is no field '${unknown}'.`, {
    where,
    fix: 'GET /openapi.json describes the body.',
  });
}

function describe(issue: z.core.$ZodIssue, where: string): string {
  if (issue.code === 'invalid_type') return `${where} takes ${issue.expected}.`;
  if (issue.code === 'too_small') return `${where} takes at least ${issue.minimum}.`;
  if (issue.code === 'too_big') return `${where} takes at most ${issue.maximum}.`;
  return `${where} does not fit: ${issue.message}.`;
}
