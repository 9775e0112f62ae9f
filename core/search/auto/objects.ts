/** What an automatic search keeps in the model bucket: who came to which rung, fold models, and their answers. */
import { modelKeys } from '../../keys.ts';
import { deserializeModel } from '../../models/deserialize.ts';
import { familyOf } from '../../models/families.ts';
import type { FoldFit, Target } from '../../models/model.ts';
import { getJson, type ObjectStore } from '../../object-store.ts';
import type { Plan, RungTrials, Trial, TrialResult } from '../plan.ts';
import type { DoneRung } from './promote.ts';
import { asPredictions } from './weights.ts';

const octets = 'application/octet-stream';

/** A rung's trials: of the first, those of the plan. @returns undefined of a rung that nobody has come to yet */
export async function rungOf(models: ObjectStore, plan: Plan, rung: number): Promise<RungTrials | undefined> {
  if (rung > 0) return getJson<RungTrials>(models, modelKeys.rung(plan.run, rung));
  return { rung, candidates: plan.candidates.map(({ id }) => id), trials: plan.trials };
}

/** All rungs that somebody has come to, the first first. */
export async function rungsOf(models: ObjectStore, plan: Plan): Promise<RungTrials[]> {
  const found = await Promise.all((plan.rungs ?? []).map((_, rung) => rungOf(models, plan, rung)));
  return found.filter((rung) => rung !== undefined);
}

/** The rung that somebody has come to last; of a grid, all that there is. */
export async function newestRung(models: ObjectStore, plan: Plan): Promise<Pick<RungTrials, 'rung' | 'trials'>> {
  return (await rungsOf(models, plan)).at(-1) ?? { rung: 0, trials: plan.trials };
}

/** @throws RangeError where no rung has such a trial */
export async function trialOf(models: ObjectStore, plan: Plan, id: string): Promise<Trial> {
  for (const { trials } of await rungsOf(models, plan)) {
    const found = trials.find((trial) => trial.id === id);
    if (found) return found;
  }
  throw new RangeError(`run ${plan.run} has no trial ${id}`);
}

/** @returns undefined while some trial of it has no result */
export async function doneRung(models: ObjectStore, plan: Plan, trials: RungTrials): Promise<DoneRung | undefined> {
  const results = await Promise.all(trials.trials.map(({ id }) => getJson<TrialResult>(models, modelKeys.trial(plan.run, id))));
  return results.every((result) => result !== undefined) ? { trials, results } : undefined;
}

export async function keepFit(models: ObjectStore, run: string, { rung, fold }: Trial, candidate: number, fit: FoldFit): Promise<void> {
  const { predictions } = fit;
  const numbers = predictions.task === 'classification' ? predictions.probabilities : predictions.values;
  await Promise.all([
    models.put(modelKeys.foldModel(run, rung!, candidate, fold), fit.model.serialize(), { contentType: octets }),
    putFloats(models, modelKeys.foldAnswers(run, rung!, candidate, fold), numbers),
  ]);
}

/** What a former attempt at the trial has kept of a candidate. @param target of the fold's rows */
export async function keptFit(
  models: ObjectStore,
  { run, candidates }: Plan,
  { rung, fold }: Trial,
  candidate: number,
  truth: Target,
): Promise<FoldFit | undefined> {
  const [stored, answers] = await Promise.all([
    models.get(modelKeys.foldModel(run, rung!, candidate, fold)),
    getFloats(models, modelKeys.foldAnswers(run, rung!, candidate, fold)),
  ]);
  if (!stored || !answers) return undefined;
  const { family } = candidates.find(({ id }) => id === candidate)!;
  const model = deserializeModel(family, stored.body);
  const { steps } = familyOf(family).fitFold ? model : {};
  return { model, predictions: asPredictions(truth, answers), ...(steps !== undefined && { steps }) };
}

/**
 * What the rung before has kept of a candidate on the same rows, as a first rung has all of a small table's: it is kept as the trial's own, too. Not
 * where a clock may have stopped it.
 */
export async function earlierFit(
  models: ObjectStore,
  plan: Plan,
  trial: Trial,
  candidate: number,
  truth: Target,
): Promise<FoldFit | undefined> {
  const [before, own] = [plan.rungs![trial.rung! - 1], plan.rungs![trial.rung!]!];
  if (!before?.folds.includes(trial.fold) || before.until !== undefined || before.seconds !== undefined) return undefined;
  if (before.trainRows !== own.trainRows || before.validRows !== own.validRows) return undefined;
  const fit = await keptFit(models, plan, { ...trial, rung: trial.rung! - 1 }, candidate, truth);
  if (fit) await keepFit(models, plan.run, trial, candidate, fit);
  return fit;
}

export function putFloats(models: ObjectStore, key: string, numbers: Float32Array): Promise<string | undefined> {
  return models.put(key, new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength), { contentType: octets });
}

export async function getFloats(models: ObjectStore, key: string): Promise<Float32Array | undefined> {
  const body = (await models.get(key))?.body;
  // A copy: four bytes are to begin at a multiple of four.
  return body && new Float32Array(new Uint8Array(body).buffer);
}
