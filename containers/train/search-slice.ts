/** A slice of a search. Its trials run one after the other on a watched thread: one that does not come to its end is recorded as failed, and the rest goes on. */
import { modelKeys } from '../../core/keys.ts';
import { putJson } from '../../core/object-store.ts';
import { rungOf } from '../../core/search/auto/objects.ts';
import { failedTrial } from '../../core/search/failed.ts';
import type { Plan } from '../../core/search/plan.ts';
import { needJson, once } from '../../functions/shared/objects.ts';
import type { Services } from '../../functions/shared/services.ts';
import type { RunEvent } from '../../functions/shared/stage.ts';
import { limitOf, type OnInterrupt, startThread, watchThread } from './watched-thread.ts';

/** Of an array job of so many children. */
export type SearchEvent = RunEvent & { rung: number; children: number };

export async function searchSlice(
  { rung, children, ...event }: SearchEvent,
  { models, log }: Pick<Services, 'models' | 'log'>,
  index: number,
  onInterrupt: OnInterrupt,
): Promise<void> {
  const plan = await needJson<Plan>(models, modelKeys.plan(event.run));
  const { trials = [] } = (await rungOf(models, plan, rung)) ?? {};
  // Every so-many-th, so that those of one family, which take about as long, are spread over the children.
  const own = trials.filter((_, place) => place % children === index);
  const limit = limitOf(plan);
  for (let left = own; left.length > 0; ) {
    const ended = await watchThread(startThread({ event, trials: left.map(({ id }) => id) }), limit, onInterrupt);
    if (!ended) return;
    const place = left.findIndex(({ id }) => id === ended.piece);
    const trial = left[place]!;
    log('A trial was ended, and the others go on.', { trial: trial.id, why: ended.why });
    const again = await watchThread(startThread({ event, trials: [trial.id], ended: ended.why }), limit, onInterrupt);
    if (again) await putJson(models, modelKeys.trial(event.run, trial.id), failedTrial(plan, trial, ended.why), once);
    left = left.slice(place + 1);
  }
}
