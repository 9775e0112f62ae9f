/** What becomes of candidates that cannot be fitted: the others go on, and whoever reads the leaderboard hears why. */
import { IngotError } from '../errors.ts';
import type { Failed, Plan, Trial, TrialResult } from './plan.ts';

export function messageOf(error: unknown): string {
  return error instanceof IngotError ? error.message : String(error);
}

/** The result of a trial whose process ended, in every attempt, before it had one. */
export function failedTrial(plan: Plan, trial: Trial, message: string): TrialResult {
  return withFailed(plan, trial, { trial: trial.id, fold: trial.fold, seconds: 0, scores: [] }, message);
}

/** What a trial has come to that was ended: what it has not tried has failed. Under a budget it is as if its time was over, so that the run ends with a model. */
export function withFailed(plan: Plan, trial: Trial, { stopped, failed = [], ...result }: TrialResult, message: string): TrialResult {
  const known = new Set([...result.scores.map(({ candidate }) => candidate), ...failed.flatMap(({ candidates }) => candidates)]);
  const tried = trial.candidates ?? plan.candidates.filter(({ family }) => family === trial.family).map(({ id }) => id);
  const candidates = tried.filter((id) => !known.has(id));
  const all = candidates.length > 0 ? [...failed, { candidates, message }] : failed;
  return { ...result, ...(all.length > 0 && { failed: all }), ...(plan.budget && stopped && { stopped }) };
}

/** The failures of some trials, those of one cause together. */
export function failuresOf(results: readonly TrialResult[]): Failed[] {
  const byMessage = new Map<string, Set<number>>();
  for (const { candidates, message } of results.flatMap(({ failed = [] }) => failed)) {
    const known = byMessage.get(message) ?? new Set();
    for (const id of candidates) known.add(id);
    byMessage.set(message, known);
  }
  return [...byMessage].map(([message, ids]) => ({ candidates: [...ids].sort((a, b) => a - b), message }));
}

/** @throws IngotError Internal where nothing could be fitted, and not because the time was over */
export function requireSome(results: readonly TrialResult[]): void {
  const [first] = failuresOf(results);
  if (!first || results.some(({ scores, stopped }) => scores.length > 0 || stopped)) return;
  throw new IngotError('Internal', `No candidate could be fitted: ${first.message}`, {
    where: 'search',
    fix: 'Ask for other families or parameters in dataset.json. Where the message says nothing of the data, it is a defect: report it.',
  });
}
