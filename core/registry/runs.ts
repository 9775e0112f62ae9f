/** What a run is and how far it has come, read from the objects that it has written and from the service that executes it. */
import type { Machines } from '../compute/batch.ts';
import { type Spent, spentOn } from '../compute/cost.ts';
import { type Estimate, type Expected, expectedOf } from '../compute/estimate.ts';
import type { Lane, LaneName } from '../compute/lane.ts';
import type { ErrorBody } from '../errors.ts';
import { modelKeys } from '../keys.ts';
import { type Stage, stages } from '../names.ts';
import { getJson, type ObjectStore } from '../object-store.ts';
import { rungsOf } from '../search/auto/objects.ts';
import { type Leaderboard, type Plan, preparedSeconds, type RungTrials, type RunRecord } from '../search/plan.ts';

/** As Step Functions names them. */
export type RunStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

export interface Execution {
  run: string;
  status: RunStatus;
  startedAt: Date;
  stoppedAt?: Date;
}

/** Whatever executes the state machine. */
export interface Executions {
  /** Starts the run's execution; one that exists already, running or ended, is left as it is. */
  start(record: RunRecord): Promise<void>;
  describe(run: string): Promise<Execution | undefined>;
  /** The newest first. */
  list(limit: number): Promise<Execution[]>;
  /** One that does not exist, or has ended, is left as it is. */
  stop(run: string, why: string): Promise<void>;
}

/** `runs/<run>/failure.json` */
export interface RunFailure extends ErrorBody {
  stage?: Stage;
  at: string;
}

/** `runs/<run>/fallback.json` */
export interface Fallback {
  lane: 'lambda';
  reason: string;
  at: string;
}

export interface RunSummary {
  id: string;
  dataset: string;
  revision: string;
  status: RunStatus;
  stage: Stage;
  /** 0 to 1. */
  progress: number;
  startedAt: string;
  error?: ErrorBody;
}

export interface RunDetail extends RunSummary {
  seconds: number;
  trials?: { done: number; planned: number };
  leaderboard?: Leaderboard;
  /** What it was expected to take before it began: core seconds, bytes, seconds and dollars. */
  estimate?: Expected;
  /** What it runs on, and why. */
  lane?: { name: LaneName; reason: string };
  /** Why a job of it is not under way yet, in a sentence. */
  waiting?: string;
  /** By the stages that are done. */
  spent?: Spent;
  /** Seconds that are expected to be left, of a run that is under way. */
  remaining?: number;
  /** The model's version, once it is registered. */
  model?: { name: string; version: number; live?: boolean };
}

/** The object that each stage leaves behind when it is done; Search leaves one a trial. */
const stageObjects: Record<Exclude<Stage, 'Search'>, (run: string) => string> = {
  Plan: modelKeys.plan,
  Select: modelKeys.leaderboard,
  Fit: modelKeys.fit,
  Optimise: modelKeys.optimised,
  Gate: modelKeys.gate,
  Register: modelKeys.registered,
  Release: modelKeys.released,
};

export interface RunProgress {
  /** The stage that is under way, or the last one where all are done. */
  stage: Stage;
  /** 0 to 1. */
  progress: number;
  trialsDone: number;
}

/**
 * How far the objects under `runs/<run>/` say that a run is. A stage that is done proves those before it, as an event may come late
 * but the stages follow each other.
 * @param trialsPlanned how many trials the plan has, where it is known
 */
export function progressOf(run: string, keys: ReadonlySet<string>, trialsPlanned: number | undefined): RunProgress {
  let trialsDone = 0;
  for (const key of keys) if (key.startsWith(modelKeys.trials(run))) trialsDone++;
  let done = -1;
  stages.forEach(({ name }, place) => {
    if (name === 'Search' ? trialsPlanned !== undefined && trialsDone >= trialsPlanned : keys.has(stageObjects[name](run))) done = place;
  });
  const current = stages[Math.min(done + 1, stages.length - 1)]!;
  const before = done < 0 ? 0 : stages[done]!.done;
  const share = current.name === 'Search' && trialsPlanned ? trialsDone / trialsPlanned : 0;
  return { stage: current.name, progress: before + (current.done - before) * share, trialsDone };
}

/**
 * @param waitingOf asks Batch why the run's job on such machines is not under way; undefined where it is
 * @returns undefined where there is no such run
 */
export async function getRun(
  models: ObjectStore,
  executions: Executions,
  run: string,
  waitingOf?: (run: string, machines: Machines) => Promise<string | undefined>,
): Promise<RunDetail | undefined> {
  const [record, execution] = await Promise.all([getJson<RunRecord>(models, modelKeys.run(run)), executions.describe(run)]);
  if (!record) return undefined;
  const detail = await describe(models, record, execution);
  const plan = detail.estimate && (await getJson<Plan>(models, modelKeys.plan(run)));
  if (!plan?.estimate) return detail;
  const fallback = await getJson<Fallback>(models, modelKeys.fallback(run));
  const lane = laneOf(plan.estimate, fallback);
  const onBatch = lane.job && detail.status === 'RUNNING' && jobStages.has(detail.stage);
  const [spent, waiting] = await Promise.all([spentSoFar(models, plan, lane, record), onBatch && waitingOf?.(run, lane.job!.machines)]);
  const reason = fallback ? `${fallback.reason} Functions have taken over.` : plan.laneReason;
  return { ...detail, ...(reason && { lane: { name: lane.name, reason } }), ...(waiting && { waiting }), spent };
}

/** Stages that a job of Batch does on the lanes that have some. */
const jobStages: ReadonlySet<Stage> = new Set(['Search', 'Fit', 'Optimise', 'Gate']);

/** What the run is done on in the end. */
export function laneOf({ lane }: Estimate, fallback: Fallback | undefined): Lane {
  if (!fallback) return lane;
  const { job: _, ...functions } = lane;
  return { ...functions, name: fallback.lane };
}

/** Stages that say how long they took leave it in their object. */
async function spentSoFar(models: ObjectStore, plan: Plan, lane: Lane, record: RunRecord): Promise<Spent> {
  const { run } = plan;
  const trials = plan.search === 'auto' ? (await rungsOf(models, plan)).flatMap((rung) => rung.trials) : plan.trials;
  const works: { stage: Stage; key: string; rung?: number | undefined }[] = [
    ...trials.map(({ id, rung }) => ({ stage: 'Search' as const, key: modelKeys.trial(run, id), rung })),
    ...stages.flatMap(({ name }) => (name === 'Search' ? [] : [{ stage: name, key: stageObjects[name](run) }])),
  ];
  const done = await Promise.all(
    works.map(async ({ key, ...work }) => ({ ...work, object: await getJson<{ seconds?: number }>(models, key) })),
  );
  return spentOn(
    done.flatMap(({ object, ...work }) => (object ? [{ ...work, seconds: object.seconds }] : [])),
    lane,
    preparedSeconds(record),
  );
}

async function describe(models: ObjectStore, record: RunRecord, execution: Execution | undefined): Promise<RunDetail> {
  const { run, dataset, revision } = record;
  const keys = new Map<string, Date>();
  for await (const { key, lastModified } of models.list(`${modelKeys.runs}${run}/`)) keys.set(key, lastModified);
  const read = <T>(key: string) => (keys.has(key) ? getJson<T>(models, key) : undefined);
  const [plan, leaderboard, registered, released, failure] = await Promise.all([
    read<Plan>(modelKeys.plan(run)),
    read<Leaderboard>(modelKeys.leaderboard(run)),
    read<{ version: number }>(modelKeys.registered(run)),
    read<{ live: boolean }>(modelKeys.released(run)),
    read<RunFailure>(modelKeys.failure(run)),
  ]);
  const planned = plan && (await plannedTrials(models, plan, keys));
  const { stage, progress, trialsDone } = progressOf(run, new Set(keys.keys()), planned);
  const status: RunStatus = released ? 'SUCCEEDED' : failure ? 'FAILED' : (execution?.status ?? 'RUNNING');
  const startedAt = execution?.startedAt ?? new Date(record.createdAt);
  const lastWrite = new Date(Math.max(...[...keys.values()].map(Number)));
  const end = status === 'RUNNING' ? new Date() : (execution?.stoppedAt ?? lastWrite);
  const seconds = Math.max(0, (end.getTime() - startedAt.getTime()) / 1000);
  const error = failure ? withoutStage(failure) : unrecorded(run, status);
  return {
    id: run,
    dataset,
    revision,
    status,
    stage: failure?.stage ?? stage,
    progress,
    startedAt: startedAt.toISOString(),
    seconds,
    ...(planned !== undefined && { trials: { done: trialsDone, planned } }),
    ...(leaderboard && { leaderboard }),
    ...(plan?.estimate && { estimate: expectedOf(plan.estimate) }),
    ...(plan?.estimate &&
      status === 'RUNNING' && {
        remaining: remainingSeconds(plan, record, progress, seconds, (end.getTime() - lastWrite.getTime()) / 1000),
      }),
    ...(registered && { model: { name: dataset, version: registered.version, ...released } }),
    ...(error && { error }),
  };
}

/**
 * What is expected to be left: the estimate where the run has just begun, and ever more what its pace so far says; never more than its budget.
 * @param seconds since it began
 * @param since seconds since it has last done something, of which what is under way has had its part
 */
export function remainingSeconds({ estimate, budget }: Plan, record: RunRecord, progress: number, seconds: number, since: number): number {
  const expected = estimate!.seconds.point;
  // The first twentieth is the plan's own.
  const done = Math.min(1, Math.max(0, (progress - planDone) / (1 - planDone)));
  const atPace = done > 0 ? (seconds - since) / done : expected;
  const whole = done * atPace + (1 - done) * expected;
  const left = Math.max((1 - done) * whole - since, leastShare * (1 - done) * whole);
  const limit = budget?.minutes === undefined ? Number.POSITIVE_INFINITY : budget.minutes * 60 - preparedSeconds(record) - seconds;
  return Math.max(0, Math.min(left, limit));
}

const planDone = stages[0].done;
/** Of what was expected to be left when something was last done: what is left however long that is ago. */
const leastShare = 0.1;

/** Trials of the plan; of an automatic search, those of its rungs, by fold where nobody has come to a rung yet. */
async function plannedTrials(models: ObjectStore, { run, trials, rungs = [] }: Plan, keys: ReadonlyMap<string, Date>): Promise<number> {
  const later = await Promise.all(
    rungs.slice(1).map(async ({ folds }, i) => {
      const key = modelKeys.rung(run, i + 1);
      return (keys.has(key) && (await getJson<RungTrials>(models, key))?.trials.length) || folds.length;
    }),
  );
  return later.reduce((sum, count) => sum + count, trials.length);
}

/** Runs that have ended stay as they are: what was read once is kept, since pages that show a list ask for it again and again. */
const ended = new WeakMap<ObjectStore, Map<string, RunSummary>>();

/** The newest runs first. */
export async function listRuns(models: ObjectStore, executions: Executions, limit: number): Promise<RunSummary[]> {
  const kept = ended.get(models) ?? new Map<string, RunSummary>();
  ended.set(models, kept);
  const found = await Promise.all(
    (await executions.list(limit)).map(async (execution) => {
      const known = kept.get(execution.run);
      if (known) return known;
      const record = await getJson<RunRecord>(models, modelKeys.run(execution.run));
      if (!record) return undefined;
      const { id, dataset, revision, status, stage, progress, startedAt, error } = await describe(models, record, execution);
      const summary: RunSummary = { id, dataset, revision, status, stage, progress, startedAt, ...(error && { error }) };
      if (execution.status !== 'RUNNING') kept.set(id, summary);
      return summary;
    }),
  );
  return found.filter((run) => run !== undefined);
}

function withoutStage({ code, message, where, fix }: RunFailure): ErrorBody {
  return { code, message, ...(where === undefined ? {} : { where }), ...(fix === undefined ? {} : { fix }) };
}

/** Of a run that was ended from outside, so that nothing of ours was there to write down why. */
function unrecorded(run: string, status: RunStatus): ErrorBody | undefined {
  if (status === 'TIMED_OUT') {
    return {
      code: 'Unavailable',
      message: `The run ${run} did not finish in the time that a run may take.`,
      fix: 'Give it less to do: a smaller grid in dataset.json, or fewer rows.',
    };
  }
  if (status === 'ABORTED') {
    return {
      code: 'Conflict',
      message: `The run ${run} was cancelled.`,
      fix: 'Upload the data with another seed in dataset.json to run it again.',
    };
  }
  if (status === 'FAILED') {
    return {
      code: 'Internal',
      message: `The run ${run} failed and left no record.`,
      fix: 'Look at its execution in Step Functions and at the logs.',
    };
  }
  return undefined;
}
