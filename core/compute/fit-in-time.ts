/** Fits a candidate within the time that is left: in full where it can be, else as many of its nested parts as there is time for. */
import { IngotError } from '../errors.ts';
import type { FittedModel, Params } from '../models/model.ts';
import type { Candidate } from '../search/plan.ts';
import { OutOfTime, stepsOf, withSteps } from './budget.ts';

/** Of the time left, what the full fit may use before fewer parts are fitted anew, at the speed that it has shown. */
const firstShare = 0.5;
/** Of the parts that were done by then, how many are fitted in the other half. */
const safeShare = 0.7;

/**
 * @param left milliseconds that are left, whenever asked
 * @param fit the family's fit, which calls `onProgress` as it goes
 * @param whole whether fewer parts would be of no use
 * @throws IngotError Unavailable where not even one part can be fitted
 */
export async function fitInTime(
  candidate: Candidate,
  left: () => number,
  fit: (params: Params, onProgress: (done: number) => void) => Promise<FittedModel>,
  whole = false,
): Promise<FittedModel> {
  const steps = whole ? 1 : stepsOf(candidate);
  const all = left();
  let share = 0;
  const attempt = async (params: Params, reserve: number): Promise<FittedModel | undefined> => {
    share = 0;
    try {
      if (left() <= reserve) return undefined;
      return await fit(params, (done) => {
        share = done;
        if (done < 1 && left() <= reserve) throw new OutOfTime();
      });
    } catch (error) {
      if (error instanceof OutOfTime) return undefined;
      throw error;
    }
  };
  // A model of one part has nothing smaller to fall back on.
  const full = await attempt(candidate.params, steps > 1 ? all * (1 - firstShare) : 0);
  if (full) return full;
  const fewer = Math.min(steps - 1, Math.max(1, Math.floor(steps * share * safeShare)));
  const part = steps > 1 ? await attempt(withSteps(candidate.family, candidate.params, fewer), 0) : undefined;
  if (part) return part;
  throw new IngotError(
    'Unavailable',
    'The budget was spent before a model could be fitted: the machine was slower than any estimate, or jobs waited for theirs.',
    {
      where: 'dataset.json, field budget',
      fix: 'Allow more minutes or dollars, or upload the data again later with another seed.',
    },
  );
}
