/**
 * Makes one model of what the last rung has found: which candidates, with which weights, and whether by their fold models or fitted anew on
 * all rows. All of it is decided out of fold.
 */
import { withSteps } from '../../compute/budget.ts';
import { IngotError } from '../../errors.ts';
import type { RowKeys } from '../../features/row-keys.ts';
import { takeTarget } from '../../features/split.ts';
import { deserializeModel } from '../../models/deserialize.ts';
import { type EnsembleMember, EnsembleModel } from '../../models/ensemble/ensemble-model.ts';
import { boundOf, mix, probabilityBound } from '../../models/ensemble/mix.ts';
import type { LinearModel } from '../../models/linear/linear-model.ts';
import type { FittedModel, Params, Predictions, Target } from '../../models/model.ts';
import type { ObjectStore } from '../../object-store.ts';
import { messageOf } from '../failed.ts';
import type { Scores } from '../metrics.ts';
import { metrics, score, scoreBy } from '../metrics.ts';
import type { Candidate, Leaderboard, Plan } from '../plan.ts';
import type { Exemplar } from '../training-sizes.ts';
import { chooseMembers, withRoom } from './choose-members.ts';
import { type Finalist, gatherFinalists } from './finalists.ts';
import { crossFit, fitSecond, leastRows, mostColumns, places } from './second-layer.ts';
import { asPredictions, selectWeights } from './weights.ts';

/**
 * The model of an automatic search, from what its trials have kept.
 * @param fit fits a candidate on all train rows, whole or as far as there is time; it may throw Unavailable where there is none
 * @throws IngotError Unavailable where nothing was tried on a whole fold, and the best of those that were planned cannot be fitted
 * @returns the model, and what it says of all train rows out of fold, as out-of-fold.ts has it; and the member that weighs most, where its folds
 *   are whole
 */
export async function fitAssembly(
  models: ObjectStore,
  plan: Plan,
  board: Leaderboard,
  y: Target,
  fit: (candidate: Candidate, params: Params, whole: boolean) => Promise<FittedModel>,
  by?: RowKeys,
): Promise<{ model: FittedModel; assembly: Assembly; outOfFold?: Predictions; exemplar?: Exemplar }> {
  const gathered = await gatherFinalists(models, plan, board, y, by);
  if (!gathered) {
    const { id, family, params, ...best } = plan.candidates.find((candidate) => candidate.id === board.best)!;
    const model = await fit({ ...best, id, family, params }, params, false).catch((cause: unknown) => {
      throw new IngotError('Unavailable', `The best candidate could not be fitted: ${messageOf(cause)}`, { where: 'fit', cause });
    });
    const why = 'The time was over before any candidate was tried on a whole fold.';
    return { model, assembly: untried(id, family, model.params, why) };
  }
  const { finalists, rows, foldOf, isWhole } = gathered;
  // Its fold models are whole: one that was stopped half-way is worse than any of them.
  const refit = (candidate: Candidate, params: Params) =>
    fit(candidate, params, true).catch((error: unknown) => {
      const isOver = error instanceof IngotError && error.code === 'Unavailable';
      return isOver ? 'there is no time to fit it on all rows' : `it cannot be fitted on all rows (${messageOf(error)})`;
    });
  const { model, outOfFold, assembly } = await assemble(plan, finalists, takeTarget(y, rows), foldOf, refit, by?.by !== 'time');
  const ofAll = (answers: Float32Array) => asPredictions(y, ofAllRows(y, rows, answers));
  const { candidate: id } = assembly.members.reduce((most, member) => (member.weight > most.weight ? member : most));
  const { candidate, answers, models: parts } = finalists.find((finalist) => finalist.candidate.id === id)!;
  const exemplar = { candidate, grown: grownParams(candidate, parts), outOfFold: ofAll(answers) };
  return { model, assembly, outOfFold: ofAll(outOfFold), ...(isWhole && { exemplar }) };
}

/** [all rows × outputs] of `answers`, [rows × outputs]: NaN in rows of which no part of the model is ignorant. */
function ofAllRows(y: Target, rows: Int32Array, answers: Float32Array): Float32Array {
  const outputs = answers.length / rows.length;
  const all = new Float32Array((y.task === 'classification' ? y.labels : y.values).length * outputs).fill(Number.NaN);
  rows.forEach((row, i) => {
    all.set(answers.subarray(i * outputs, (i + 1) * outputs), row * outputs);
  });
  return all;
}

/** What the card says of the model's making. */
export interface Assembly {
  members: { candidate: number; family: string; params: Params; weight: number; models: number; from: 'folds' | 'all rows' }[];
  /** Of the model, and of its best member alone, out of fold; null where there is none. */
  score: number | null;
  best: number | null;
  scores: Scores;
  second: boolean;
  why: string[];
}

/** Of a candidate that is fitted on all rows, of which nothing is known out of fold. */
export function untried(candidate: number, family: string, params: Params, why: string): Assembly {
  const member = { candidate, family, params, weight: 1, models: 1, from: 'all rows' as const };
  return { members: [member], score: null, best: null, scores: {}, second: false, why: [why] };
}

/** A second layer has to be better by this share of the score: it is one more thing that can be wrong. */
const worthwhile = 0.002;

/**
 * @param finalists the best first, at least one, with answers on the same rows
 * @param y of those rows
 * @param foldOf by row
 * @param refit fits a candidate on all train rows, or says why not
 * @param keepFolds whether fold models may be kept; of time they lack the latest rows
 * @returns the model, and its answers out of fold on those rows
 */
export async function assemble(
  plan: Plan,
  finalists: Finalist[],
  y: Target,
  foldOf: Int32Array,
  refit: (candidate: Candidate, params: Params) => Promise<FittedModel | string>,
  keepFolds = true,
): Promise<{ model: FittedModel; outOfFold: Float32Array; assembly: Assembly }> {
  const { metric } = plan;
  const bound = y.task === 'classification' ? probabilityBound : boundOf(largestOf(y.values));
  const by = (numbers: Float32Array) => scoreBy(metric, y, asPredictions(y, numbers));
  const { chosen, why } = chooseMembers(finalists, y, metric, keepFolds);
  const answers = chosen.map((member) => member.answers);
  let outOfFold =
    answers.length === 1
      ? answers[0]!
      : mix(
          answers,
          chosen.map(({ weight }) => weight),
          bound,
        );
  const best = by(finalists[0]!.answers);
  const mixed = by(outOfFold);
  const second = await secondLayer(plan, answers, y, foldOf, mixed, why);
  if (second) outOfFold = second.outOfFold;

  const members: EnsembleMember[] = [];
  const told: Assembly['members'] = [];
  for (const { candidate, models, weight, bag } of chosen) {
    const refitted = bag ? undefined : await refit(candidate, wholeParams(candidate, models));
    const again = typeof refitted === 'string' ? undefined : refitted;
    const kept = again ? [] : bag ? models : withRoom(models, y);
    if (typeof refitted === 'string')
      why.push(`Candidate ${candidate.id} keeps ${kept.length} of its ${models.length} fold models: ${refitted}.`);
    members.push({ weight, models: again ? [again] : kept.map(({ bytes }) => deserializeModel(candidate.family, bytes)) });
    told.push({
      ...{ candidate: candidate.id, family: candidate.family, weight },
      params: again?.params ?? candidate.params,
      models: again ? 1 : kept.length,
      from: again ? 'all rows' : 'folds',
    });
  }
  const { task } = y;
  const classes = task === 'classification' ? y.classes : 0;
  const alone = members.length === 1 && members[0]!.models.length === 1 && !second ? members[0]!.models[0]! : undefined;
  const model = alone ?? new EnsembleModel({ task, classes, members, bound, ...(second && { second: second.model }) });
  const final = asPredictions(y, outOfFold);
  why.unshift(
    chosen.length === 1
      ? 'One candidate alone is as good as any mixture of them, out of fold.'
      : `The mixture of ${chosen.length} candidates is better than the best alone, out of fold: ${metric} ${digits(mixed)} against ${digits(best)}.`,
  );
  return {
    model,
    outOfFold,
    assembly: { members: told, score: by(outOfFold), best, scores: score(y, final), second: second !== undefined, why },
  };
}

/** A second layer where it beats the weights, both judged on rows that neither was fitted on. */
async function secondLayer(
  { metric, seed }: Plan,
  answers: Float32Array[],
  y: Target,
  foldOf: Int32Array,
  mixed: number,
  why: string[],
): Promise<{ model: LinearModel; outOfFold: Float32Array } | undefined> {
  const width = answers[0]!.length / foldOf.length;
  if (answers.length < 2 || answers.length * width > mostColumns || foldOf.length < leastRows || new Set(foldOf).size < 2) return undefined;
  const outOfFold = await crossFit(answers, y, foldOf, seed);
  const stacked = scoreBy(metric, y, asPredictions(y, outOfFold));
  const crossed = scoreBy(metric, y, asPredictions(y, crossWeights(answers, y, foldOf, metric)));
  const sign = metrics[metric].better === 'higher' ? 1 : -1;
  const better = sign * (stacked - crossed) > Math.abs(crossed) * worthwhile && sign * (stacked - mixed) > 0;
  why.push(
    `A second layer gives ${metric} ${digits(stacked)} where the weights give ${digits(crossed)}: ${better ? 'it is taken' : 'it is left out'}.`,
  );
  return better ? { model: await fitSecond(answers, y, seed), outOfFold } : undefined;
}

/** What the mixture says of each fold's rows with weights that were found on the others'. */
function crossWeights(answers: Float32Array[], y: Target, foldOf: Int32Array, metric: Plan['metric']): Float32Array {
  const width = answers[0]!.length / foldOf.length;
  const all = new Float32Array(answers[0]!.length);
  const pick = (values: Float32Array, rows: Int32Array) => {
    const picked = new Float32Array(rows.length * width);
    for (let i = 0; i < rows.length; i++) for (let k = 0; k < width; k++) picked[i * width + k] = values[rows[i]! * width + k]!;
    return picked;
  };
  for (const fold of new Set(foldOf)) {
    const others = places(foldOf, (other) => other !== fold);
    const weights = selectWeights(
      answers.map((values) => pick(values, others)),
      takeTarget(y, others),
      metric,
    );
    const total = weights.reduce((a, b) => a + b, 0);
    for (const row of places(foldOf, (own) => own === fold))
      for (let k = 0; k < width; k++) {
        const at = row * width + k;
        all[at] = answers.reduce((sum, values, member) => sum + weights[member]! * values[at]!, 0) / total;
      }
  }
  return all;
}

/** Of all rows there are more than of a fold: that many more parts are worth growing. */
const wholeParams = (candidate: Candidate, models: Finalist['models']): Params =>
  grownParams(candidate, models, models.length > 1 ? models.length / (models.length - 1) : 1);

/** As many nested parts as the models of the folds have on average, or some times as many. */
function grownParams({ family, params }: Candidate, models: Finalist['models'], times = 1): Params {
  const steps = models.flatMap((model) => model.steps ?? []);
  if (steps.length === 0) return params;
  const mean = steps.reduce((a, b) => a + b, 0) / steps.length;
  return withSteps(family, params, Math.max(1, Math.round(mean * times)));
}

function largestOf(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

const digits = (value: number) => Number(value.toPrecision(5));
