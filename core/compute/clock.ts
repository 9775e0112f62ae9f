/** A run's clock under a budget: when a piece of work began for the first time, and whether its time is over. */
import { modelKeys } from '../keys.ts';
import { getJson, type ObjectStore, putJson } from '../object-store.ts';
import type { Plan, RunRecord, Trial } from '../search/plan.ts';
import { deadlineOf } from './budget.ts';

/**
 * @param work a trial's id, or `fit`. A repeated attempt has what the first has left of the time, so that attempts that were killed and
 *   the waits between them count, whatever they have cost.
 * @param own limits of a trial that has its own
 * @returns milliseconds that it has left, now and whenever asked; undefined where the plan has no budget
 */
export async function timeLeft(
  models: ObjectStore,
  plan: Plan,
  work: string,
  now: () => Date,
  own: Pick<Trial, 'seconds' | 'until'> = {},
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
  const [seconds, until] =
    own.seconds !== undefined
      ? [own.seconds, own.until]
      : family === undefined
        ? [budget.fitSeconds, budget.fitUntil]
        : [budget.trialSeconds[family]!, budget.searchUntil];
  const deadline = deadlineOf(began, seconds, new Date(record?.createdAt ?? begun.at), until);
  return () => deadline - now().getTime();
}
