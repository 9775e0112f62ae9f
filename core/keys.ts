/** The keys of the data bucket and the model bucket, written down once. See docs/architecture.md for what each holds. */
import { IngotError } from './errors.ts';

export const dataKeys = {
  raw: (dataset: string, file: string) => `raw/${dataset}/${file}`,
  spec: (dataset: string) => `raw/${dataset}/dataset.json`,
  /** The pointer to the dataset's newest revision, moved by conditional write; see `core/registry/datasets.ts`. */
  current: (dataset: string) => `clean/${dataset}/current.json`,
  /** What the revision was made of: the spec (normalised) and the upload. Written first, never changed. */
  origin: (dataset: string, revision: string) => `clean/${dataset}/${revision}/origin.json`,
  table: (dataset: string, revision: string) => `clean/${dataset}/${revision}/table.parquet`,
  rejects: (dataset: string, revision: string) => `clean/${dataset}/${revision}/rejects.csv`,
  /** Written last: where it exists, the clean table is whole. */
  report: (dataset: string, revision: string) => `clean/${dataset}/${revision}/report.json`,
  /** Written instead of a report where the file can't be used. */
  rejection: (dataset: string, revision: string) => `clean/${dataset}/${revision}/rejection.json`,
  train: (dataset: string, revision: string) => `features/${dataset}/${revision}/train.parquet`,
  test: (dataset: string, revision: string) => `features/${dataset}/${revision}/test.parquet`,
  /** Written last: where it exists, the features are whole. */
  preprocess: (dataset: string, revision: string) => `features/${dataset}/${revision}/preprocess.json`,
} as const;

export const modelKeys = {
  runs: 'runs/',
  /** Immutable, written before the execution starts: dataset, revision, when. */
  run: (run: string) => `runs/${run}/run.json`,
  plan: (run: string) => `runs/${run}/plan.json`,
  trial: (run: string, trial: string) => `runs/${run}/trials/${trial}.json`,
  trials: (run: string) => `runs/${run}/trials/`,
  /** When the first attempt of a trial, or of the fit, began; written under a budget. */
  begun: (run: string, work: string) => `runs/${run}/begun/${work}.json`,
  /** What made a job of the run fail, in its own words. */
  jobFailure: (run: string) => `runs/${run}/job-failure.json`,
  /** Written where Batch could not do the run's work, and functions took over. */
  fallback: (run: string) => `runs/${run}/fallback.json`,
  leaderboard: (run: string) => `runs/${run}/leaderboard.json`,
  fitted: (run: string) => `runs/${run}/fitted.bin`,
  fit: (run: string) => `runs/${run}/fit.json`,
  graph: (run: string) => `runs/${run}/model.onnx`,
  optimised: (run: string) => `runs/${run}/optimised.json`,
  gate: (run: string) => `runs/${run}/gate.json`,
  registered: (run: string) => `runs/${run}/registered.json`,
  released: (run: string) => `runs/${run}/released.json`,
  failure: (run: string) => `runs/${run}/failure.json`,
  models: 'models/',
  versions: (model: string) => `models/${model}/versions/`,
  /** The claim on a version number, put with If-None-Match. */
  claim: (model: string, version: number) => `models/${model}/versions/${version}/claim.json`,
  model: (model: string, version: number) => `models/${model}/versions/${version}/model.onnx`,
  baseline: (model: string, version: number) => `models/${model}/versions/${version}/baseline.json`,
  /** Written last: where it exists, the version is whole. */
  card: (model: string, version: number) => `models/${model}/versions/${version}/card.json`,
  alias: (model: string, alias: string) => `models/${model}/aliases/${alias}.json`,
  aliases: (model: string) => `models/${model}/aliases/`,
} as const;

/** A dataset or model name: one path segment of an S3 key and of a URL, and (with a hash) an execution name. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

export function checkName(kind: 'dataset' | 'model' | 'alias', name: string): string {
  if (namePattern.test(name)) return name;
  throw new IngotError('InvalidName', `'${name}' cannot be the name of a ${kind}.`, {
    where: `${kind} name`,
    fix: 'Use 1 to 63 letters, digits, dots, underscores and hyphens, the first a letter or a digit.',
  });
}

/** `raw/<dataset>/<file>` taken apart; undefined where the key is something else. */
export function parseRawKey(key: string): { dataset: string; file: string } | undefined {
  const match = /^raw\/([^/]+)\/(.+)$/.exec(key);
  return match ? { dataset: match[1]!, file: match[2]! } : undefined;
}
