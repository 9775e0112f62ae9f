/** The fit, on a watched thread: what of it does not come to its end is passed over, and the next best is fitted on another. */
import { modelKeys } from '../../core/keys.ts';
import { getJson } from '../../core/object-store.ts';
import type { Plan } from '../../core/search/plan.ts';
import type { Services } from '../../functions/shared/services.ts';
import type { RunEvent } from '../../functions/shared/stage.ts';
import { limitOf, type OnInterrupt, startThread, watchThread } from './watched-thread.ts';

export async function watchedFit(
  event: RunEvent,
  { models, log }: Pick<Services, 'models' | 'log'>,
  onInterrupt: OnInterrupt,
): Promise<void> {
  // The thread says what is wrong where there is none.
  const plan = await getJson<Plan>(models, modelKeys.plan(event.run));
  const passedOver: Record<string, string> = {};
  for (;;) {
    const ended = await watchThread(startThread({ ...event, ended: passedOver }), plan && limitOf(plan), onInterrupt);
    if (!ended) return;
    log('A part of the fit was ended, and the rest goes on without it.', { ...ended });
    passedOver[ended.piece] = ended.why;
  }
}
