/** A run's clock under a budget: when a piece of work began for the first time, and whether its time is over. And, budget or not, when work hangs. */
import { modelKeys } from '../keys.ts';
import { getJson, type ObjectStore, putJson } from '../object-store.ts';
import type { Plan, RunRecord } from '../search/plan.ts';
import { deadlineOf, type Stop } from './budget.ts';

/** Beyond this many times the estimate, a machine's slowness is taken for a pause that is over. */
const mostSlowness = 4;
/** Of what is planned for it, preparation takes this at most on a machine that is as fast as was planned with: half to two thirds of it, on a quiet one. */
const usualShare = 0.8;
/** Of what is left when the run starts, what may be kept for the stages after the search because the machine is slow. */
const mostKept = 0.65;

/** The moment that a budget's seconds of the run are counted from: as if its preparation had taken what was planned for it. */
function startOf({ createdAt, uploadedAt }: RunRecord, { budget }: Plan): Date {
  if (uploadedAt === undefined) return new Date(createdAt);
  return new Date(Date.parse(uploadedAt) + (budget?.preparation?.seconds ?? 0) * 1000);
}

/**
 * When a piece of work is over: what is kept for the stages after it is longer by as much as preparation took longer than it usually does, as they run on
 * the same machine.
 * @param until seconds of the run by which it is over on a machine as fast as was planned with
 * @returns the same, or less
 */
function untilOn({ createdAt, uploadedAt }: RunRecord, { budget, rungs }: Plan, until: number | undefined): number | undefined {
  const { minutes, preparation, searchUntil = rungs?.at(-1)?.until ?? until } = budget ?? {};
  if (until === undefined || searchUntil === undefined || uploadedAt === undefined || minutes === undefined || !preparation) return until;
  const took = (Date.parse(createdAt) - Date.parse(uploadedAt)) / 1000;
  const end = minutes * 60 - preparation.seconds;
  // The search is what gives way, though not altogether.
  const most = (mostKept * (minutes * 60 - took)) / (end - searchUntil);
  return end - (end - until) * Math.max(1, Math.min(mostSlowness, took / preparation.seconds / usualShare, most));
}

/**
 * @param work a trial's id, `fit` or `gate`. A repeated attempt has what the first has left of the time, so that attempts that were killed and
 *   the waits between them count, whatever they have cost.
 * @param own limits of a trial that has its own
 * @returns milliseconds that it has left, now and whenever asked; undefined where the plan has no budget
 */
export async function timeLeft(
  models: ObjectStore,
  plan: Plan,
  work: string,
  now: () => Date,
  own: Stop = {},
): Promise<(() => number) | undefined> {
  const { run, budget } = plan;
  if (!budget) return undefined;
  const key = modelKeys.begun(run, work);
  const begun = { at: now().toISOString() };
  const [first, record] = await Promise.all([
    putJson(models, key, begun, { ifNoneMatch: '*' }).then((etag) => (etag === undefined ? getJson<typeof begun>(models, key) : begun)),
    getJson<RunRecord>(models, modelKeys.run(run)),
  ]);
  const began = new Date((first ?? begun).at);
  const family = plan.trials.find(({ id }) => id === work)?.family;
  const stop: Stop =
    own.seconds !== undefined || own.until !== undefined
      ? own
      : work === 'gate'
        ? { seconds: budget.gateSeconds, until: budget.gateUntil }
        : family === undefined
          ? { seconds: budget.fitSeconds, until: budget.fitUntil }
          : { seconds: budget.trialSeconds[family]!, until: budget.searchUntil };
  const deadline = record
    ? deadlineOf(began, startOf(record, plan), { ...stop, until: untilOn(record, plan, stop.until) })
    : deadlineOf(began, began, stop);
  return () => deadline - now().getTime();
}

/** A trial, or a fit, that takes so many times as long as the whole run was to take at most does not come to an end. */
const hangingRuns = 3;
/** Less is no proof: a machine may stall. */
const leastMilliseconds = 15 * 60_000;

/** @returns milliseconds after which a trial or a fit hangs; undefined of a plan that does not say what it takes */
export function hangsAfter({ estimate }: Plan): number | undefined {
  return estimate && Math.max(leastMilliseconds, hangingRuns * estimate.seconds.high * 1000);
}
