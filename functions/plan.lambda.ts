/** Decides what the run tries and on which lane; and, where Batch has failed it, whether functions take over. */
import * as z from 'zod/mini';
import { type BatchSettings, expectedWait, shareOf, usualPriority } from '../core/compute/batch.ts';
import { chooseLane, mayTakeBatch } from '../core/compute/choose-lane.ts';
import type { Shape } from '../core/compute/estimator.ts';
import { parseLane } from '../core/compute/lane.ts';
import { preparationOf, without, withPreparation } from '../core/compute/preparation.ts';
import {
  batchWays,
  functionWay,
  roomOf,
  rowsWithRoom,
  sampleSentence,
  takeOverObstacle,
  type Way,
  type Question as WayQuestion,
} from '../core/compute/ways.ts';
import type { ErrorBody } from '../core/errors.ts';
import { flagCount } from '../core/features/layout.ts';
import { dataKeys, modelKeys } from '../core/keys.ts';
import { environment, type Stage } from '../core/names.ts';
import { getJson, putJson } from '../core/object-store.ts';
import type { RevisionOrigin } from '../core/registry/identity.ts';
import type { Fallback } from '../core/registry/runs.ts';
import { newestRung } from '../core/search/auto/objects.ts';
import { planAuto } from '../core/search/auto/plan-auto.ts';
import type { Plan, RunRecord, TrialResult } from '../core/search/plan.ts';
import { planSearch, type Question, searchOf } from '../core/search/plan-search.ts';
import { failedJob } from './shared/failed-job.ts';
import { lambda } from './shared/lambda.ts';
import { needJson, once } from './shared/objects.ts';
import { readPreprocess } from './shared/preprocess.ts';
import { type Answer, answerOf, batchSettings } from './shared/run-jobs.ts';
import type { Services } from './shared/services.ts';
import { JobError, type RunEvent, runEvent, stage } from './shared/stage.ts';
import { type StatesError, statesError } from './shared/understand.ts';

const planEvent = z.extend(runEvent, { error: z.optional(statesError) });

export const plan = stage('Plan', planEvent, async ({ error, ...event }, services): Promise<Answer> => {
  const { models, data } = services;
  const { run, dataset, revision } = event;
  if (error) return planAnew(event, error, services);
  const planned = await getJson<Plan>(models, modelKeys.plan(run));
  if (planned) return answerOf(planned, await newestRung(models, planned), services);
  const [{ task, rows, classes, columns, features, skewed = false, probe, leftOut = [] }, { spec }, record] = await Promise.all([
    readPreprocess(data, dataset, revision),
    needJson<RevisionOrigin>(data, dataKeys.origin(dataset, revision)),
    getJson<RunRecord>(models, modelKeys.run(run)),
  ]);
  const asked = { run, dataset, revision, task, classes, spec, skewed };
  const functionLane = parseLane(process.env[environment.lane]);
  const size = { features: features.length, flags: flagCount(columns), classes: classes?.length ?? 0, ...(probe && { probe }) };
  const shapeOf = (trained: number): Shape => ({ rows: trained, ...size });
  const preparation = record?.uploadedAt === undefined ? undefined : preparationOf(shapeOf(rows.train), columns, functionLane, spec.budget);
  const limits = spec.budget && preparation ? without(preparation, spec.budget) : spec.budget;
  const batch = spec.lane === 'lambda' ? undefined : batchSettings();
  const ask = (trained: number): WayQuestion => {
    const shape = shapeOf(trained);
    const plan = searchFor({ ...asked, rows: trained }, shape);
    return { plan, shape, tableRows: rows.train + rows.test, functions: functionLane, room: roomOf(functionLane, batch), limits };
  };
  const trained = rowsWithRoom(ask, rows.train, batch);
  const question = ask(trained);
  const priority = spec.priority ?? usualPriority;
  const functions = functionWay(question);
  const ways = batch && mayTakeBatch(functions, spec.lane) ? await withQueues(batchWays(question, batch), batch, priority, services) : [];
  const { option, choice } = chooseLane(functions, ways, spec.lane);
  const { plan: searched, estimate, budget } = option;
  const { lane, reason } = choice;
  const fallback = choice.fallback && !takeOverObstacle(option, question.shape, question.functions);
  const sample = trained < rows.train ? { rows: trained, of: rows.train } : undefined;
  const made: Plan = {
    ...searched,
    ...{ lane, fallback, priority },
    laneReason: [reason, ...(sample ? [sampleSentence(sample)] : []), ...(searched.noRoom ? [searched.noRoom] : [])].join(' '),
    estimate: preparation ? withPreparation(estimate, preparation) : estimate,
    ...(sample && { sample }),
    ...(budget && { budget: { ...budget, ...spec.budget, leftOut: [...leftOut, ...budget.leftOut] } }),
  };
  await putJson(models, modelKeys.plan(run), made, once);
  return answerOf(made, { rung: 0, trials: made.trials }, services);
});

/** The plan of a grid, or how an automatic search is planned for a lane. */
function searchFor(question: Question, shape: Shape): WayQuestion['plan'] {
  const { spec } = question;
  if (searchOf(spec) === 'grid') return planSearch(question);
  return (lane, limits, room) => planAuto({ ...question, spec: { ...spec, budget: limits } }, shape, lane, limits, room);
}

/** The ways of Batch with how busy their queues are. */
async function withQueues(ways: Way[], { maxVcpus, queues }: BatchSettings, priority: number, { jobs, log }: Services): Promise<Way[]> {
  const batch = await jobs();
  return Promise.all(
    ways.map(async (way) => {
      if (way.obstacle) return way;
      try {
        const state = await batch.queueState(queues[way.machines!]!.queue, maxVcpus);
        const vcpus = way.lane.job!.vcpus * way.lane.concurrency;
        return { ...way, wait: expectedWait(state, Math.min(vcpus, maxVcpus), shareOf(priority)), obstacle: state.trouble };
      } catch (error) {
        log('Batch did not say how busy it is.', { machines: way.machines, error: String(error) });
        return { ...way, obstacle: `Batch does not answer: ${(error as Error).message}.` };
      }
    }),
  );
}

/**
 * A job has failed. Its own error would come again on any lane; but where Batch could not run it, functions may.
 * @throws JobError what the job said, or what Batch says and what to do
 */
async function planAnew(event: RunEvent, error: StatesError, services: Services): Promise<Answer> {
  const { run } = event;
  const { models, now, log } = services;
  const [planned, told] = await Promise.all([
    needJson<Plan>(models, modelKeys.plan(run)),
    getJson<ErrorBody & { stage: Stage }>(models, modelKeys.jobFailure(run)),
  ]);
  if (told) throw new JobError(told);
  if (error.Error === 'States.Timeout' && planned.budget?.minutes !== undefined) return goOnWithout(planned, services);
  const failed = await failedJob(error, services);
  if (!planned.fallback) throw new JobError({ ...failed, stage: (await models.head(modelKeys.leaderboard(run))) ? 'Fit' : 'Search' });
  const fallback: Fallback = { lane: 'lambda', reason: failed.message, at: now().toISOString() };
  await putJson(models, modelKeys.fallback(run), fallback, once);
  log('Functions take over from Batch.', { run, reason: failed.message });
  return answerOf(planned, await newestRung(models, planned), services);
}

/**
 * The budget's minutes for a job are over while it, or some of an array, waited: what waits is ended, and the run goes on with what the others found.
 * @throws JobError where they found nothing, or the model was not finished: why the job waited, and what to do
 */
async function goOnWithout(planned: Plan, services: Services): Promise<Answer> {
  const { run, budget, estimate } = planned;
  const { models, now, log } = services;
  const queue = batchSettings()?.queues[estimate!.lane.job!.machines]?.queue;
  const why = queue
    ? await (await services.jobs()).stop(queue, `${run}-`, `The ${budget!.minutes} minutes of the run's budget are over.`)
    : [];
  const reason = `The time that the budget leaves was over while a job waited${why.length > 0 ? `: ${why[0]}` : '.'}`;
  const isSearched = (await models.head(modelKeys.leaderboard(run))) !== undefined;
  const rung = await newestRung(models, planned);
  for (const { id: trial, fold } of isSearched ? [] : rung.trials) {
    // What a job may still write comes too late.
    const nothing: TrialResult = { trial, fold, seconds: 0, scores: [], stopped: true };
    await putJson(models, modelKeys.trial(run, trial), nothing, once);
  }
  const results = await Promise.all(rung.trials.map(({ id }) => getJson<TrialResult>(models, modelKeys.trial(run, id))));
  if (isSearched || (rung.rung === 0 && results.every((result) => result!.scores.length === 0))) {
    throw new JobError({
      code: 'Unavailable',
      message: reason,
      where: 'dataset.json, field budget',
      fix: 'Allow more minutes, give it a higher priority, or choose "lane": "lambda" in dataset.json, where nothing waits.',
      stage: isSearched ? 'Fit' : 'Search',
    });
  }
  log('The run goes on with what its jobs have found.', { run, reason });
  if (planned.fallback)
    await putJson(models, modelKeys.fallback(run), { lane: 'lambda', reason, at: now().toISOString() } satisfies Fallback, once);
  return answerOf(planned, { ...rung, isDone: true }, services);
}

export const handler = lambda(plan);
