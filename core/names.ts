/** Names that more than one room relies on: environment variables, metric names, the functions and the stages of a run. */

/** Environment variables that infra sets and functions read. */
export const environment = {
  dataBucket: 'DATA_BUCKET',
  modelBucket: 'MODEL_BUCKET',
  stateMachineArn: 'STATE_MACHINE_ARN',
  alarmTopicArn: 'ALARM_TOPIC_ARN',
  /** JSON of what the functions are and cost (core/compute/lane.ts), for estimates. */
  lane: 'LANE',
  /** JSON of the queues and job definitions of Batch (core/compute/batch.ts); not set where there is no Batch. */
  batch: 'BATCH',
  /** What a job does (`jobStages`), and the event that it does it for, as JSON. */
  jobStage: 'INGOT_JOB_STAGE',
  jobEvent: 'INGOT_JOB_EVENT',
  /** MB that a job may use. */
  jobMemory: 'INGOT_JOB_MEMORY',
  /** Where a job's code is: `<bucket>/<key>` of a zip, the hash of its files (infra/assets.ts), and, on a laptop, a folder in its place. */
  jobCode: 'INGOT_JOB_CODE',
  jobHash: 'INGOT_JOB_HASH',
  jobAsset: 'INGOT_JOB_ASSET',
} as const;

/** What a job of Batch does: a slice of a run's trials; all from the fit to the gate; or the preparation of a large upload. */
export const jobStages = ['Search', 'Finish', 'Clean', 'Transform'] as const;
export type JobStage = (typeof jobStages)[number];

/**
 * Shares of a Batch queue, by the least priority that a dataset's jobs must have to be in it. Batch gives a share room in proportion to
 * 1 / weight, so that even the last one goes on while the first is in use.
 */
export const shares = [
  { name: 'urgent', from: 67, weight: 0.25 },
  { name: 'normal', from: 34, weight: 1 },
  { name: 'whenever', from: 0, weight: 4 },
] as const;
export type Share = (typeof shares)[number]['name'];

export const metricsNamespace = 'Ingot';

/** CloudWatch metrics that our code emits (EMF); AWS's own are not listed. */
export const metricNames = {
  datasetsCleaned: 'DatasetsCleaned',
  datasetsRejected: 'DatasetsRejected',
  rowsRead: 'RowsRead',
  rowsRejected: 'RowsRejected',
  runsSucceeded: 'RunsSucceeded',
  runsFailed: 'RunsFailed',
  predictions: 'Predictions',
  predictionErrors: 'PredictionErrors',
} as const;

/** CloudWatch metrics of compute, by the queue's name as the dimension `JobQueue`. */
export const computeMetricNames = {
  /** Jobs that could run and wait for room, and the seconds that the oldest of them has waited. */
  jobsWaiting: 'JobsWaiting',
  oldestJob: 'OldestJobWaiting',
  jobsRunning: 'JobsRunning',
  jobsSucceeded: 'JobsSucceeded',
  jobsFailed: 'JobsFailed',
  /** Attempts that a spot machine took with it. */
  jobsInterrupted: 'JobsInterrupted',
  /** Of what a job asked for, in per cent. */
  jobCpu: 'JobCpuUtilization',
  jobMemory: 'JobMemoryUtilization',
} as const;

/** The stages of a run, in order, and the share of the progress bar that is full once each is done. */
export const stages = [
  { name: 'Plan', done: 0.05 },
  { name: 'Search', done: 0.6 },
  { name: 'Select', done: 0.65 },
  { name: 'Fit', done: 0.8 },
  { name: 'Optimise', done: 0.85 },
  { name: 'Gate', done: 0.92 },
  { name: 'Register', done: 0.96 },
  { name: 'Release', done: 1 },
] as const;

export type Stage = (typeof stages)[number]['name'];

/** The Lambda functions: `functions/<name>.lambda.ts` exports `handler`. */
export const functionNames = [
  'clean',
  'transform',
  'plan',
  'search',
  'select',
  'fit',
  'optimise',
  'gate',
  'register',
  'release',
  'fail',
  'api',
  'predict',
] as const;

export type FunctionName = (typeof functionNames)[number];

/** Tagged on every version, hashed into every run: same data, seed and version give the same bytes. */
export const version = '0.1.0';
