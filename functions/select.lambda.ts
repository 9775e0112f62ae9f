/** Ranks the candidates by what the trials found; of an automatic search's last rung but one, says who goes on. */
import { parseLane } from '../core/compute/lane.ts';
import { modelKeys } from '../core/keys.ts';
import { environment } from '../core/names.ts';
import { getJson, putJson } from '../core/object-store.ts';
import { type Fallback, laneOf } from '../core/registry/runs.ts';
import { doneRung, rungsOf } from '../core/search/auto/objects.ts';
import { boardOf, type DoneRung, promote } from '../core/search/auto/promote.ts';
import { failuresOf, requireSome } from '../core/search/failed.ts';
import type { Leaderboard, Plan, RungTrials, TrialResult } from '../core/search/plan.ts';
import { select as rank } from '../core/search/selection.ts';
import { lambda } from './shared/lambda.ts';
import { needJson, once } from './shared/objects.ts';
import { type Answer, answerOf } from './shared/run-jobs.ts';
import type { Services } from './shared/services.ts';
import { runEvent, stage } from './shared/stage.ts';

/** @returns the trials that are to be run next: none where the search is over */
export const select = stage('Select', runEvent, async ({ run }, services): Promise<Answer> => {
  const { models } = services;
  const plan = await needJson<Plan>(models, modelKeys.plan(run));
  const over = { rung: plan.rungs?.length ?? 1, trials: [] };
  if (await models.head(modelKeys.leaderboard(run))) return answerOf(plan, over, services);
  const next = plan.search === 'auto' ? await nextRung(plan, services) : await boardOfGrid(plan, services);
  if ('trials' in next) {
    await putJson(models, modelKeys.rung(run, next.rung), next, once);
    return answerOf(plan, next, services);
  }
  await putJson(models, modelKeys.leaderboard(run), next, once);
  return answerOf(plan, over, services);
});

async function boardOfGrid(plan: Plan, { models }: Services): Promise<Leaderboard> {
  const results = await Promise.all(plan.trials.map(({ id }) => needJson<TrialResult>(models, modelKeys.trial(plan.run, id))));
  requireSome(results);
  const failed = failuresOf(results);
  return { ...rank(plan, results), ...(failed.length > 0 && { failed }) };
}

/** The rung that follows, or again the one that has trials left to do; the leaderboard after the last. */
async function nextRung(plan: Plan, { models }: Services): Promise<RungTrials | Leaderboard> {
  const done: DoneRung[] = [];
  for (const trials of await rungsOf(models, plan)) {
    const rung = await doneRung(models, plan, trials);
    if (!rung) return trials;
    done.push(rung);
  }
  const fallback = await getJson<Fallback>(models, modelKeys.fallback(plan.run));
  const lane = plan.estimate ? laneOf(plan.estimate, fallback) : parseLane(process.env[environment.lane]);
  return done.length < plan.rungs!.length ? promote(plan, done.at(-1)!, lane) : boardOf(plan, done);
}

export const handler = lambda(select);
