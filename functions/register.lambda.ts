/** Writes the immutable version: a number is claimed, the files are written, the card last. */
import { answersCard } from '../core/answers/answers-card.ts';
import type { FoundAnswers } from '../core/answers/find-answers.ts';
import { leftOutOf } from '../core/compute/budget.ts';
import { spentOn } from '../core/compute/cost.ts';
import { expectedOf } from '../core/compute/estimate.ts';
import { sampleSentence } from '../core/compute/ways.ts';
import { columnTypeOf } from '../core/features/layout.ts';
import type { Preprocess } from '../core/features/preprocess.ts';
import { dataKeys, modelKeys } from '../core/keys.ts';
import { getJson, putJson } from '../core/object-store.ts';
import type { ModelCard } from '../core/registry/card.ts';
import type { Gate } from '../core/registry/gate.ts';
import type { RevisionOrigin } from '../core/registry/identity.ts';
import { reproductionOf } from '../core/registry/reproduce.ts';
import { type Fallback, laneOf } from '../core/registry/runs.ts';
import { claimVersion, publishVersion } from '../core/registry/versions.ts';
import { rungsOf } from '../core/search/auto/objects.ts';
import { type Leaderboard, type Plan, preparedSeconds, type RunRecord, type TrialResult } from '../core/search/plan.ts';
import type { CleanReport } from '../core/table/report.ts';
import type { Fit } from './fit.lambda.ts';
import type { Optimised } from './optimise.lambda.ts';
import { lambda } from './shared/lambda.ts';
import { needBytes, needJson, once } from './shared/objects.ts';
import { readPreprocess } from './shared/preprocess.ts';
import type { Services } from './shared/services.ts';
import { type RunEvent, runEvent, stage } from './shared/stage.ts';

export const register = stage('Register', runEvent, async (event, services): Promise<RunEvent> => {
  const { run, dataset, revision } = event;
  const { data, models, now } = services;
  if (!(await models.head(modelKeys.registered(run)))) {
    const preprocess = await readPreprocess(data, dataset, revision);
    const [gate, graph, explain, draft] = await Promise.all([
      needJson<Gate>(models, modelKeys.gate(run)),
      needBytes(models, modelKeys.graph(run)),
      needBytes(models, modelKeys.explained(run)),
      draftCard(event, preprocess, services),
    ]);
    const version = await claimVersion(models, dataset, run, now());
    await publishVersion(models, { ...draft, version, createdAt: now().toISOString() }, graph, gate.baseline, explain);
    await putJson(models, modelKeys.registered(run), { version }, once);
  }
  return event;
});

/** All of the card that does not depend on the version's number. */
async function draftCard(
  { run, dataset, revision }: RunEvent,
  preprocess: Preprocess,
  { data, models }: Services,
): Promise<Omit<ModelCard, 'version' | 'createdAt'>> {
  const [plan, leaderboard, fit, found, optimised, gate, report, origin] = await Promise.all([
    needJson<Plan>(models, modelKeys.plan(run)),
    needJson<Leaderboard>(models, modelKeys.leaderboard(run)),
    needJson<Fit>(models, modelKeys.fit(run)),
    needJson<FoundAnswers>(models, modelKeys.answers(run)),
    needJson<Optimised>(models, modelKeys.optimised(run)),
    needJson<Gate>(models, modelKeys.gate(run)),
    needJson<CleanReport>(data, dataKeys.report(dataset, revision)),
    needJson<RevisionOrigin>(data, dataKeys.origin(dataset, revision)),
  ]);
  const [fallback, record] = await Promise.all([
    getJson<Fallback>(models, modelKeys.fallback(run)),
    getJson<RunRecord>(models, modelKeys.run(run)),
  ]);
  const planned = plan.search === 'auto' ? (await rungsOf(models, plan)).flatMap(({ trials }) => trials) : plan.trials;
  const trials = await Promise.all(planned.map(({ id }) => getJson<TrialResult>(models, modelKeys.trial(run, id))));
  const best = leaderboard.entries.find(({ candidate }) => candidate === fit.candidate) ?? leaderboard.entries[0]!;
  const { estimate, budget } = plan;
  return {
    model: dataset,
    run,
    dataset,
    revision,
    source: origin.source,
    ingot: plan.version,
    seed: plan.seed,
    task: plan.task,
    target: report.target,
    ...(report.classes && { classes: report.classes }),
    inputs: preprocess.columns.map((fitted) => ({ name: fitted.name, type: columnTypeOf(fitted) })),
    family: fit.family,
    params: fit.params,
    metric: leaderboard.metric,
    score: fit.assembly ? fit.assembly.score : (best.mean[leaderboard.metric] ?? null),
    folds: plan.folds,
    ...(fit.assembly && { ensemble: { ...fit.assembly, why: [...fit.assembly.why, ...(plan.noRoom ? [plan.noRoom] : [])] } }),
    leaderboard,
    ...(fit.passedOver && { passedOver: fit.passedOver }),
    heldOut: gate.heldOut,
    answers: answersCard(found, plan.classWeights, report.classes),
    learningCurves: {
      ...(found.trainingSizes && {
        trainingSizes: { metric: plan.metric, points: found.trainingSizes, ...(found.exemplar && { member: found.exemplar }) },
      }),
      ...(gate.iterations && { iterations: gate.iterations }),
      ...(gate.objective && { objective: gate.objective }),
    },
    parity: gate.parity,
    reproduce: reproductionOf(origin, plan, fit),
    data: {
      rows: { ...report.rows, ...preprocess.rows },
      ...(plan.sample && { sample: { ...plan.sample, why: sampleSentence(plan.sample) } }),
      inferred: report.inferred,
      changes: report.changes,
    },
    sizes: { graph: optimised.after.bytes, plainGraph: optimised.before.bytes, features: preprocess.features.length },
    seconds: {
      search: trials.reduce((sum, trial) => sum + (trial?.seconds ?? 0), 0),
      fit: fit.seconds - found.seconds,
      answers: found.seconds,
      optimise: optimised.seconds,
      gate: gate.seconds,
    },
    ...(estimate && {
      estimate: expectedOf(estimate),
      spent: spentOn(
        [
          { stage: 'Plan' },
          ...trials.map((trial, place) => ({ stage: 'Search' as const, seconds: trial?.seconds, rung: planned[place]!.rung })),
          { stage: 'Select' },
          { stage: 'Fit', seconds: fit.seconds },
          { stage: 'Optimise', seconds: optimised.seconds },
          { stage: 'Gate', seconds: gate.seconds },
          { stage: 'Register' },
          { stage: 'Release' },
        ],
        laneOf(estimate, fallback),
        preparedSeconds(record),
      ),
    }),
    ...(budget && {
      budget: {
        minutes: budget.minutes,
        dollars: budget.dollars,
        leftOut: [
          ...leftOutOf(plan, trials, best, fit),
          ...(found.skipped === undefined ? [] : [found.skipped]),
          ...(gate.heldOut.skipped ?? []),
        ],
      },
    }),
  };
}

export const handler = lambda(register);
