/** Makes the model: of a grid, the best candidate on all train rows; of an automatic search, a mixture of the best. And finds what makes its answers honest. */
import { availableParallelism } from 'node:os';
import * as z from 'zod/mini';
import { findAnswers } from '../core/answers/find-answers.ts';
import { timeLeft } from '../core/compute/clock.ts';
import { fitInTime } from '../core/compute/fit-in-time.ts';
import { IngotError } from '../core/errors.ts';
import { modelKeys } from '../core/keys.ts';
import { withClassWeights } from '../core/models/class-weights.ts';
import { familyOf } from '../core/models/families.ts';
import type { FittedModel, Matrix, Params, Predictions, Target } from '../core/models/model.ts';
import { putJson } from '../core/object-store.ts';
import { type Assembly, fitAssembly, untried } from '../core/search/auto/assemble.ts';
import { type Best, fitBest } from '../core/search/fit-best.ts';
import { leastFit, leastReason } from '../core/search/least-fit.ts';
import type { Candidate, Failed, Leaderboard, Plan } from '../core/search/plan.ts';
import type { Exemplar } from '../core/search/training-sizes.ts';
import { graceMilliseconds } from './shared/end-by.ts';
import { isJob, stageMilliseconds } from './shared/environment.ts';
import { type TrainRows, withTrain } from './shared/features.ts';
import { lambda } from './shared/lambda.ts';
import { needJson, once } from './shared/objects.ts';
import type { Services } from './shared/services.ts';
import { type RunEvent, runEvent, stage } from './shared/stage.ts';

/** `runs/<run>/fit.json`, written after `fitted.bin` and `answers.json`. */
export interface Fit {
  family: string;
  params: Params;
  bytes: number;
  seconds: number;
  /** Of an automatic search. */
  assembly?: Assembly;
  /** Of a grid: which candidate it is; and the better ones that could not be fitted on all rows. */
  candidate?: number;
  passedOver?: Failed[];
}

const fitEvent = z.extend(runEvent, {
  /** Pieces of the fit that were ended in attempts before (a candidate's id, `answers` or `least`), and why, in a sentence: it does without them. */
  ended: z.optional(z.record(z.string(), z.string())),
});
export type FitEvent = z.infer<typeof fitEvent>;

export const fit = stage('Fit', fitEvent, async ({ run, dataset, revision, ended = {} }, services): Promise<RunEvent> => {
  const { data, models } = services;
  if (!(await models.head(modelKeys.fit(run)))) {
    const plan = await needJson<Plan>(models, modelKeys.plan(run));
    const board = await needJson<Leaderboard>(models, modelKeys.leaderboard(run));
    await withTrain(data, plan, (train) => makeModel(plan, board, train, services, ended));
  }
  return { run, dataset, revision };
});

/** Fits, and finds the answers; leaves what came of it, its summary last. */
async function makeModel(
  plan: Plan,
  board: Leaderboard,
  { x, y, by }: TrainRows,
  services: Services,
  ended: Record<string, string>,
): Promise<void> {
  const { models, now } = services;
  const { run } = plan;
  const left = await timeLeft(models, plan, 'fit', now);
  const started = performance.now();
  const weighted = withClassWeights(y, plan.classWeights);
  const begin = (piece: string) => {
    const why = ended[piece];
    if (why !== undefined)
      throw new IngotError('Internal', why, { where: 'fit', fix: 'Ask for other families or parameters in dataset.json.' });
    services.begin?.(piece);
  };
  const fitOn = fitter(plan, x, weighted, left, { ...services, begin });
  const best = plan.candidates.find(({ id }) => id === board.best)!;
  const fitAll = async (): Promise<Made> =>
    plan.search === 'auto'
      ? await fitAssembly(models, plan, board, weighted, fitOn, by)
      : await fitBest(plan, board, (candidate) => fitOn(candidate, candidate.params));
  const made = await fitAll().catch((error: unknown) => {
    if (!(error instanceof IngotError && error.code === 'Unavailable')) throw error;
    begin('least');
    return makeLeast(plan, x, weighted);
  });
  const { family, params } = made.model;
  const bytes = made.model.serialize();
  // A model without answers is better than none.
  const most = 'answers' in ended ? 0 : isJob() ? Number.POSITIVE_INFINITY : stageMilliseconds;
  const inStage = () => Math.min(left?.() ?? Number.POSITIVE_INFINITY, most - (performance.now() - started));
  if (most > 0) services.begin?.('answers');
  const answers = await findAnswers(plan, made.outOfFold ? best : { family, params }, x, y, {
    ...{ workers: availableParallelism(), left: inStage, by, stored: made.outOfFold, exemplar: made.exemplar },
  });
  const without = ended['answers'] && `There is no calibration, threshold, set or interval. ${ended['answers']}`;
  const found = { ...answers, ...(without && { skipped: without }) };
  await putJson(models, modelKeys.answers(run), found, once);
  const seconds = (performance.now() - started) / 1000;
  await models.put(modelKeys.fitted(run), bytes, { contentType: 'application/octet-stream', condition: once });
  const summary: Fit = {
    ...{ family, params, bytes: bytes.length, seconds },
    ...(made.assembly && { assembly: made.assembly }),
    ...(made.candidate && { candidate: made.candidate.id }),
    ...(made.passedOver && made.passedOver.length > 0 && { passedOver: made.passedOver }),
  };
  await putJson(models, modelKeys.fit(run), summary, once);
  await services.checkpoints?.remove(run, 'fit');
}

type Made = { model: FittedModel; assembly?: Assembly; outOfFold?: Predictions; exemplar?: Exemplar } & Partial<Best>;

async function makeLeast(plan: Plan, x: Matrix, y: Target): Promise<Made> {
  const { candidate, model } = await leastFit(plan, x, y, availableParallelism());
  return { model, assembly: untried(candidate.id, candidate.family, model.params, leastReason) };
}

/** Of the time for the fit, what the answers are left to be found in. */
const answersShare = 0.2;

/** Fits a candidate on all train rows, in the time that is left. */
function fitter(
  plan: Plan,
  x: Matrix,
  y: Target,
  left: (() => number) | undefined,
  { begin, endBy, checkpoints }: Pick<Services, 'endBy' | 'checkpoints'> & { begin(piece: string): void },
) {
  // The answers are found in the rest.
  const rest = (left?.() ?? 0) * answersShare;
  return async ({ family, ...candidate }: Candidate, params: Params, whole = false): Promise<FittedModel> => {
    begin(String(candidate.id));
    const checkpoint = checkpoints?.of(plan.run, `fit/${candidate.id}`);
    const context = { seed: plan.seed, workers: availableParallelism(), checkpoint };
    if (!left) return familyOf(family).fit(x, y, params, context);
    const fitOnce = async (params: Params, onProgress: (done: number) => void) => {
      const release = endBy?.(left() + graceMilliseconds);
      try {
        return await familyOf(family).fit(x, y, params, { ...context, onProgress });
      } finally {
        release?.();
      }
    };
    return fitInTime({ ...candidate, family, params }, () => left() - rest, fitOnce, whole);
  };
}

export const handler = lambda(fit);
