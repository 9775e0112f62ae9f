/** Of a grid: the best candidate that can be fitted on all rows. One that fails there, though it did not on any fold, is passed over. */
import { IngotError } from '../errors.ts';
import type { FittedModel } from '../models/model.ts';
import { messageOf } from './failed.ts';
import type { Candidate, Failed, Leaderboard, Plan } from './plan.ts';

export interface Best {
  candidate: Candidate;
  model: FittedModel;
  /** Those that are better, and why they could not be fitted. */
  passedOver: Failed[];
}

/**
 * @param fit fits a candidate on all train rows
 * @throws IngotError Unavailable where the time is over; what the best candidate threw where none can be fitted
 */
export async function fitBest(plan: Plan, board: Leaderboard, fit: (candidate: Candidate) => Promise<FittedModel>): Promise<Best> {
  const passedOver: Failed[] = [];
  let first: unknown;
  // Of those without a score nothing is known that speaks for them.
  const scored = board.entries.filter(({ mean }, place) => place === 0 || mean[board.metric] !== undefined);
  for (const entry of scored) {
    const candidate = plan.candidates.find(({ id }) => id === entry.candidate)!;
    try {
      return { candidate, model: await fit(candidate), passedOver };
    } catch (error) {
      if (error instanceof IngotError && error.code === 'Unavailable') throw error;
      first ??= error;
      passedOver.push({ candidates: [candidate.id], message: messageOf(error) });
    }
  }
  throw first;
}
