/**
 * `raw/<dataset>/dataset.json`: what a user may say about a dataset. Everything in it is optional; what is left out is inferred,
 * and the cleaning report says what was inferred and why. One schema: parsed here, published as JSON Schema.
 */
import * as z from 'zod/mini';
import { laneNames } from './compute/lane.ts';
import { IngotError } from './errors.ts';
import { parseJson } from './json.ts';

export const metricKeys = [
  'accuracy',
  'balancedAccuracy',
  'precisionMacro',
  'precisionWeighted',
  'recallMacro',
  'recallWeighted',
  'f1Macro',
  'f1Weighted',
  'rocAuc',
  'logLoss',
  'mcc',
  'r2',
  'rmse',
  'mae',
] as const;

export type MetricName = (typeof metricKeys)[number];

export const columnTypes = ['number', 'boolean', 'category', 'date', 'text'] as const;
export type ColumnType = (typeof columnTypes)[number];
export const columnRoles = ['feature', 'target', 'ignore'] as const;

/** Families of models that a spec may ask for; core/models/families.ts has each. */
export const familyNames = ['forest', 'extraTrees', 'linear', 'svm', 'boosting', 'network'] as const;

const columnSpec = z.strictObject({
  role: z.optional(z.enum(columnRoles)),
  type: z.optional(z.enum(columnTypes)),
  /** Of dates like 3/4/2026: whether the first number is the day. */
  dayFirst: z.optional(z.boolean()),
  /** Of numbers like 1,234: the decimal mark. */
  decimal: z.optional(z.enum(['.', ','])),
});

/** What becomes of personal data: left out, hashed with a secret of the installation, or kept as they are. */
export const personalPolicies = ['drop', 'hash', 'keep'] as const;
export type PersonalPolicy = (typeof personalPolicies)[number];

export const datasetSpecSchema = z.strictObject({
  $schema: z.optional(z.string()),
  /** File names beside dataset.json that together are the dataset; the spec, uploaded last, starts it. */
  files: z.optional(z.array(z.string().check(z.minLength(1))).check(z.minLength(1))),
  target: z.optional(z.string()),
  task: z.optional(z.enum(['classification', 'regression'])),
  columns: z.optional(z.record(z.string(), columnSpec)),
  /** Further strings that mean "missing", besides the usual ones. */
  missing: z.optional(z.array(z.string())),
  header: z.optional(z.boolean()),
  delimiter: z.optional(z.string().check(z.minLength(1), z.maxLength(1))),
  encoding: z.optional(z.enum(['utf-8', 'utf-16', 'latin-1'])),
  metric: z.optional(z.enum(metricKeys)),
  /** What rows of a class count for in training: all classes the same, or a factor by label (1 where it is left out). */
  classWeights: z.optional(z.union([z.enum(['balanced', 'none']), z.record(z.string(), z.number().check(z.positive()))])),
  /** How often prediction sets and intervals hold the truth. */
  coverage: z.optional(z.number().check(z.minimum(0.5), z.maximum(0.99))),
  /** How models are searched: 'auto' (the default) tries good starting points and mixes the best; 'grid' (where grids are given) every combination. */
  search: z.optional(z.enum(['auto', 'grid'])),
  families: z.optional(z.array(z.enum(familyNames)).check(z.minLength(1))),
  /** For each family, the values to try of each parameter, e.g. `{"forest": {"maxDepth": [null, 10]}}`; null is "none". */
  grids: z.optional(
    z.partialRecord(
      z.enum(familyNames),
      z.record(z.string(), z.array(z.union([z.number(), z.string(), z.boolean(), z.null()])).check(z.minLength(1))),
    ),
  ),
  /** A column whose equal values tie rows together: all of a group are on one side of every split. It is no feature. */
  groups: z.optional(z.string()),
  /** A column that orders the rows in time: the latest are held out, and folds are validated on what comes after. It is no feature. */
  time: z.optional(z.string()),
  folds: z.optional(z.int().check(z.minimum(2), z.maximum(20))),
  /** The share of rows held out for the final test: 250,000 rows at most, and 10 million cells. */
  testFraction: z.optional(z.number().check(z.minimum(0.05), z.maximum(0.5))),
  /**
   * Which of rows that are equal in every column to keep: the first ('drop') or all ('keep'). By default the first; but all where more than half
   * of the rows equal an earlier one, which few columns of few values do without any accident.
   */
  duplicates: z.optional(z.enum(['drop', 'keep'])),
  /** By default `drop`; `columns` says otherwise of single ones, and that a column is personal where that does not show. */
  pii: z.optional(
    z.strictObject({
      policy: z.optional(z.enum(personalPolicies)),
      columns: z.optional(z.record(z.string(), z.enum(personalPolicies))),
    }),
  ),
  budget: z.optional(
    z.strictObject({ dollars: z.optional(z.number().check(z.positive())), minutes: z.optional(z.number().check(z.positive())) }),
  ),
  /**
   * What to run on: `lambda` (functions), `cpu` or `gpu` (Batch). By default the smallest that can do the work, as plan.json says with its reason.
   */
  lane: z.optional(z.enum(laneNames)),
  /** 0 (whenever) to 100 (urgent). Jobs of Batch go by it; 50 where it is left out. */
  priority: z.optional(z.int().check(z.minimum(0), z.maximum(100))),
  seed: z.optional(z.int().check(z.minimum(0), z.maximum(0xffff_ffff))),
});

export type DatasetSpec = z.infer<typeof datasetSpecSchema>;

/**
 * Parses the bytes of a dataset.json.
 * @throws IngotError InvalidSpec, with line and column for broken JSON and the field's path otherwise.
 */
export function parseSpec(text: string): DatasetSpec {
  const json = parseJson(
    text.replace(/^\uFEFF/, ''),
    ({ place, what, cause }) =>
      new IngotError('InvalidSpec', `dataset.json is not valid JSON: ${what}.`, {
        where: `dataset.json, ${place}`,
        fix: 'Mend the JSON and upload dataset.json again.',
        cause,
      }),
  );
  const parsed = datasetSpecSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const path = [...issue.path.map(String), ...(unknown === undefined ? [] : [unknown])].join('.');
  throw new IngotError(
    'InvalidSpec',
    unknown === undefined ? `dataset.json: ${describe(issue)}` : `dataset.json has an unknown field '${unknown}'.`,
    {
      where: `dataset.json, field ${path || '(the whole document)'}`,
      fix:
        unknown === undefined || issue.path.length > 0
          ? 'See docs/dataset.schema.json for what the field takes.'
          : `The fields are ${Object.keys(datasetSpecSchema.shape).join(', ')}.`,
    },
  );
}

function describe(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return `expected one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}.`;
  if (issue.code === 'invalid_type') return `expected ${issue.expected}.`;
  if (issue.code === 'too_small') return `expected ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}.`;
  if (issue.code === 'too_big') return `expected at most ${issue.maximum}.`;
  return `${issue.message}.`;
}
