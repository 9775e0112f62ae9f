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
  /** The numbers of the rows that the table does not have; where there are any. */
  leftOut: (dataset: string, revision: string) => `clean/${dataset}/${revision}/left-out.parquet`,
  /** Written after the run has been started: classification alone. */
  suspiciousLabels: (dataset: string, revision: string) => `clean/${dataset}/${revision}/suspicious-labels.json`,
  suspiciousLabelsFile: (dataset: string, revision: string) => `clean/${dataset}/${revision}/suspicious-labels.csv`,
  /** Written last: where it exists, the clean table is whole. */
  report: (dataset: string, revision: string) => `clean/${dataset}/${revision}/report.json`,
  /** Written instead of a report where the file can't be used. */
  rejection: (dataset: string, revision: string) => `clean/${dataset}/${revision}/rejection.json`,
  /** What personal data are hashed with; made on first use, never changed. Only `clean` may read it. */
  secret: 'secrets/personal-data.key',
  train: (dataset: string, revision: string) => `features/${dataset}/${revision}/train.parquet`,
  /** What ties the train rows together, where dataset.json splits by groups or time. */
  trainKeys: (dataset: string, revision: string) => `features/${dataset}/${revision}/train-keys.json`,
  test: (dataset: string, revision: string) => `features/${dataset}/${revision}/test.parquet`,
  /** Which rows of the clean table are held out, so that the gate need not find them anew. */
  testRows: (dataset: string, revision: string) => `features/${dataset}/${revision}/test-rows.json`,
  /** Written last: where it exists, the features are whole. */
  preprocess: (dataset: string, revision: string) => `features/${dataset}/${revision}/preprocess.json`,
} as const;

export const modelKeys = {
  runs: 'runs/',
  /** Immutable, written before the execution starts: dataset, revision, when. */
  run: (run: string) => `runs/${run}/run.json`,
  /** The newest upload of what the run learns, moved by conditional write. */
  source: (run: string) => `runs/${run}/source.json`,
  plan: (run: string) => `runs/${run}/plan.json`,
  trial: (run: string, trial: string) => `runs/${run}/trials/${trial}.json`,
  trials: (run: string) => `runs/${run}/trials/`,
  /** When the first attempt of a trial, or of the fit, began; written under a budget. */
  begun: (run: string, work: string) => `runs/${run}/begun/${work}.json`,
  /** What made a job of the run fail, in its own words. */
  jobFailure: (run: string) => `runs/${run}/job-failure.json`,
  /** Written where Batch could not do the run's work, and functions took over. */
  fallback: (run: string) => `runs/${run}/fallback.json`,
  /** Who has come to a rung of an automatic search. */
  rung: (run: string, rung: number) => `runs/${run}/rungs/${rung}.json`,
  /** A candidate's model of a fold, and what it says of the fold's rows: float32, row-major. */
  foldModel: (run: string, rung: number, candidate: number, fold: number) => `runs/${run}/folds/${rung}-${candidate}-${fold}.bin`,
  foldAnswers: (run: string, rung: number, candidate: number, fold: number) => `runs/${run}/folds/${rung}-${candidate}-${fold}.f32`,
  leaderboard: (run: string) => `runs/${run}/leaderboard.json`,
  fitted: (run: string) => `runs/${run}/fitted.bin`,
  fit: (run: string) => `runs/${run}/fit.json`,
  /** How raw answers become honest ones; written before the fit's summary. */
  answers: (run: string) => `runs/${run}/answers.json`,
  graph: (run: string) => `runs/${run}/model.onnx`,
  /** The version's `explain.bin`. */
  explained: (run: string) => `runs/${run}/explain.bin`,
  optimised: (run: string) => `runs/${run}/optimised.json`,
  gate: (run: string) => `runs/${run}/gate.json`,
  registered: (run: string) => `runs/${run}/registered.json`,
  released: (run: string) => `runs/${run}/released.json`,
  failure: (run: string) => `runs/${run}/failure.json`,
  /** What a job has kept of a fit that is under way (or of all of a trial), part by part; names sort as the parts follow each other. What a cancelled run leaves expires. */
  checkpoints: (run: string, work: string) => `checkpoints/${run}/${work}/`,
  checkpoint: (run: string, work: string, part: number) => `checkpoints/${run}/${work}/${String(part).padStart(6, '0')}.bin`,
  models: 'models/',
  versions: (model: string) => `models/${model}/versions/`,
  /** The claim on a version number, put with If-None-Match. */
  claim: (model: string, version: number) => `models/${model}/versions/${version}/claim.json`,
  model: (model: string, version: number) => `models/${model}/versions/${version}/model.onnx`,
  /** What explanations of its answers need. */
  explain: (model: string, version: number) => `models/${model}/versions/${version}/explain.bin`,
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
