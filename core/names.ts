/** Names that more than one room relies on: environment variables, metric names, the functions and the stages of a run. */

/** Environment variables that infra sets and functions read. */
export const environment = {
  dataBucket: 'DATA_BUCKET',
  modelBucket: 'MODEL_BUCKET',
  stateMachineArn: 'STATE_MACHINE_ARN',
  alarmTopicArn: 'ALARM_TOPIC_ARN',
  /** The path of an API of somebody else's under which ours lies: `/ml`; not set where it lies at the root. */
  basePath: 'BASE_PATH',
  /** JSON of what the functions are and cost (core/compute/lane.ts), for estimates. */
  lane: 'LANE',
  /** JSON of the queues and job definitions of Batch (core/compute/batch.ts); not set where there is no Batch. */
  batch: 'BATCH',
  /** What a job does (`jobStages`), and the event that it does it for, as JSON. */
  jobStage: 'INGOT_JOB_STAGE',
  jobEvent: 'INGOT_JOB_EVENT',
  /** MB and vCPUs that a job may use. */
  jobMemory: 'INGOT_JOB_MEMORY',
  jobVcpus: 'INGOT_JOB_VCPUS',
  /** Set where a larger job takes over from one whose memory was used up. */
  jobMayGrow: 'INGOT_JOB_MAY_GROW',
  /** Seconds between two checkpoints of a fit, where they are not to be the usual. */
  checkpointSeconds: 'INGOT_CHECKPOINT_SECONDS',
  /** Seconds after which a job ends a trial or a fit that does not come to its end, where they are not to be those of its plan. */
  trialSeconds: 'INGOT_TRIAL_SECONDS',
  /** Where a job's code is: `<bucket>/<key>` of a zip, the hash of its files (infra/assets.ts), and, on a laptop, a folder in its place. */
  jobCode: 'INGOT_JOB_CODE',
  jobHash: 'INGOT_JOB_HASH',
  jobAsset: 'INGOT_JOB_ASSET',
  /** EventBridge's address, and the name of the rule that looks at the queues every minute while there are jobs. */
  eventsEndpoint: 'EVENTS_ENDPOINT',
  watchRule: 'WATCH_RULE',
} as const;

/**
 * What the C library is told in functions and jobs that work on tables: with an arena for each thread, it keeps a tenth of the memory that DuckDB has
 * given back.
 */
export const allocatorEnvironment = { MALLOC_ARENA_MAX: '2' } as const;

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

/**
 * CloudWatch metrics of compute, by the queue's name as the dimension `JobQueue`; those of what a job uses also by what it does, `JobStage`. Which job
 * it was, its log line says: a metric for each job would be paid for each.
 */
export const computeMetrics = {
  /** Jobs that could run and wait for room, and the seconds since the oldest of them was submitted. */
  jobsWaiting: { name: 'JobsWaiting', unit: 'Count' },
  oldestJob: { name: 'OldestJobWaiting', unit: 'Seconds' },
  jobsRunning: { name: 'JobsRunning', unit: 'Count' },
  /** Arrays are counted by their children; what is stopped with its run is no failure. */
  jobsSucceeded: { name: 'JobsSucceeded', unit: 'Count' },
  jobsFailed: { name: 'JobsFailed', unit: 'Count' },
  /** Attempts that a spot machine took with it. */
  jobsInterrupted: { name: 'JobsInterrupted', unit: 'Count' },
  /** Of what a job asked for; of several GPUs, their mean. */
  jobCpu: { name: 'JobCpuUtilization', unit: 'Percent' },
  jobMemory: { name: 'JobMemoryUtilization', unit: 'Percent' },
  jobGpu: { name: 'JobGpuUtilization', unit: 'Percent' },
  jobGpuMemory: { name: 'JobGpuMemoryUtilization', unit: 'Percent' },
} as const;

export type ComputeMetric = keyof typeof computeMetrics;

/** Of the metrics of compute. */
export const computeDimensions = { queue: 'JobQueue', stage: 'JobStage' } as const;

/** How Batch begins its words for an attempt that a spot machine took with it: of EC2, of Fargate. */
export const interruptions = ['Host EC2', 'Your Spot Task was interrupted'] as const;

/** How Batch begins its words for a job that nothing in its queue can ever run: https://docs.aws.amazon.com/batch/latest/userguide/job_stuck_in_runnable.html */
export const hopelessPrefix = 'MISCONFIGURATION:';

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
  'watch',
] as const;

export type FunctionName = (typeof functionNames)[number];

/** Tagged on every version, hashed into every revision and run: same data, seed and version give the same bytes. So it rises with each release. */
export const version = '0.2.0';
