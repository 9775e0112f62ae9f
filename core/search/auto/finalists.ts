/** Gathers what the fit of an automatic search is made of: the candidates that went furthest, with their models and answers. */

import type { RowKeys } from '../../features/row-keys.ts';
import { modelKeys } from '../../keys.ts';
import type { Target } from '../../models/model.ts';
import { needBytes, type ObjectStore } from '../../object-store.ts';
import type { Candidate, Leaderboard, Plan, TrialResult } from '../plan.ts';
import { doneRung, getFloats, rungsOf } from './objects.ts';
import { rungRows } from './rung-rows.ts';

/** Finalists beyond these are hardly ever given weight, and each makes the weighing dearer. */
const most = 12;

/** A candidate with a model and answers for each of some folds. */
export interface Finalist {
  candidate: Candidate;
  /** One a fold, in the order of the folds: the fitted bytes, and nested parts and trees where it has them. */
  models: { bytes: Uint8Array; steps?: number; trees?: number }[];
  /** Out of fold, float32 [rows × outputs], of the rows that are asked. */
  answers: Float32Array;
}

export interface Gathered {
  finalists: Finalist[];
  /** The train rows that the answers are of, and the fold of each. */
  rows: Int32Array;
  foldOf: Int32Array;
  /** Whether they were trained on all rows of their folds, and answer all others. */
  isWhole: boolean;
}

/**
 * @param y of all train rows
 * @returns undefined where the time was over before a single candidate was done on a single fold
 */
export async function gatherFinalists(
  models: ObjectStore,
  plan: Plan,
  { entries }: Leaderboard,
  y: Target,
  by?: RowKeys,
): Promise<Gathered | undefined> {
  for (const trials of (await rungsOf(models, plan)).reverse()) {
    const done = await doneRung(models, plan, trials);
    if (!done) continue;
    // Whom the time has cut off stands behind, with fewer folds than the others.
    const reached = entries.filter(({ rung, perFold }) => rung === trials.rung && perFold.length > 0);
    const folds = foldsOf(done.results, reached[0]?.candidate);
    const whole = reached.filter(({ candidate }) => {
      const own = foldsOf(done.results, candidate);
      return folds.every((fold) => own.includes(fold));
    });
    if (folds.length === 0 || whole.length === 0) continue;
    const places = folds.map((fold) => rungRows(plan, plan.rungs![trials.rung]!, y, fold, by).valid);
    const finalists = await Promise.all(
      whole.slice(0, most).map(async ({ candidate: id }): Promise<Finalist> => {
        const parts = await Promise.all(
          folds.map(async (fold) => ({
            bytes: await needBytes(models, modelKeys.foldModel(plan.run, trials.rung, id, fold)),
            answers: (await getFloats(models, modelKeys.foldAnswers(plan.run, trials.rung, id, fold)))!,
            ...sizeOn(done.results, id, fold),
          })),
        );
        return {
          candidate: plan.candidates.find((each) => each.id === id)!,
          models: parts.map(({ answers: _, ...model }) => model),
          answers: join(parts.map(({ answers }) => answers)),
        };
      }),
    );
    const isWhole = trials.rung === plan.rungs!.length - 1;
    return { finalists, rows: joinRows(places), foldOf: joinRows(places.map((rows, i) => rows.map(() => folds[i]!))), isWhole };
  }
  return undefined;
}

function foldsOf(results: TrialResult[], candidate: number | undefined): number[] {
  return results
    .filter(({ scores }) => scores.some((entry) => entry.candidate === candidate))
    .map(({ fold }) => fold)
    .sort((a, b) => a - b);
}

function sizeOn(results: TrialResult[], candidate: number, fold: number): { steps?: number; trees?: number } {
  const own = results.filter((result) => result.fold === fold).flatMap(({ scores }) => scores);
  const { steps, trees } = own.find((entry) => entry.candidate === candidate)!;
  return { ...(steps !== undefined && { steps }), ...(trees !== undefined && { trees }) };
}

const lengthOf = (parts: readonly { length: number }[]) => parts.reduce((sum, { length }) => sum + length, 0);
const join = (parts: Float32Array[]) => joinInto(parts, new Float32Array(lengthOf(parts)));
const joinRows = (parts: Int32Array[]) => joinInto(parts, new Int32Array(lengthOf(parts)));

function joinInto<T extends Float32Array | Int32Array>(parts: readonly T[], all: T): T {
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
