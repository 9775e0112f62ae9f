import { autoBudget, estimateAuto, timedRungs, workWithin } from '../../compute/auto-budget.ts';
import type { Shape } from '../../compute/estimator.ts';
import type { Lane } from '../../compute/lane.ts';
import type { Limits } from '../../compute/limits.ts';
import { estimatorOf } from '../../compute/work.ts';
import { parseClassWeights } from '../../models/class-weights.ts';
import { version } from '../../names.ts';
import { metricFor } from '../metrics.ts';
import type { Candidate, Plan } from '../plan.ts';
import { defaultCoverage, type Question } from '../plan-search.ts';
import { portfolioOf } from './candidates.ts';
import { manyClasses } from './promote.ts';
import { planRungs, rungWork, trialsOf } from './rungs.ts';

/** Bytes of a graph for a value that a model keeps; and of a graph that is too large to be served well, whatever else it is part of. */
const graphBytesPerValue = 20;
const mostGraphBytes = 12e6;

/** Of many classes, few may have learned enough to go on: what the last rung takes of its work, in the middle. */
const manyClassesUse = 0.6;

/**
 * Plans an automatic search: which candidates of the portfolio there is work for, and on what part of the data they begin.
 * @param shape of the train rows
 * @param limits what there is for it of the spec's budget
 * @throws IngotError InvalidSpec where the budget is too small for any run
 */
export function planAuto(
  { run, dataset, revision, task, classes, spec, skewed }: Question,
  shape: Shape,
  lane: Lane,
  limits: Limits | undefined = spec.budget,
): Plan {
  const classWeights = parseClassWeights(spec.classWeights, classes);
  const metric = metricFor(task, spec.metric, 'auto');
  const portfolio = portfolioOf(spec.families, skewed, shape.classes, metric === 'mae');
  const small = portfolio.filter((candidate) => graphBytesOf(candidate, shape) <= mostGraphBytes);
  const all = small.length > 0 ? small : portfolio;
  const time = workWithin(shape, lane, limits);
  const { folds, rungs: untimed, candidates } = planRungs(all, shape, time.work, spec.folds, time.trials);
  const rungs = timedRungs(untimed, time);
  const { trials } = trialsOf(0, rungs[0]!, candidates, shape, lane);
  const plan: Plan = {
    ...{ run, dataset, revision, version, lane: 'lambda', task },
    metric,
    coverage: spec.coverage ?? defaultCoverage,
    ...(classWeights && { classWeights }),
    seed: spec.seed ?? 0,
    search: 'auto',
    ...{ folds, candidates, trials, rungs, shape },
  };
  const first = rungs[0]!.folds.length * candidates.reduce((sum, candidate) => sum + rungWork(candidate, shape, rungs[0]!), 0);
  const last = rungs.length > 1 ? rungs[1]!.work * (shape.classes < manyClasses ? 1 : manyClassesUse) : 0;
  const estimate = estimateAuto(plan, shape, lane, first + last, limits);
  return {
    ...plan,
    estimate,
    ...(limits && { budget: autoBudget(limits, shape, lane, leftOut(portfolio, candidates)) }),
  };
}

function graphBytesOf({ family, params }: Candidate, shape: Shape): number {
  const { steps, earlySteps, modelSize } = estimatorOf(family);
  return graphBytesPerValue * modelSize(shape, steps && earlySteps ? { ...params, [steps]: earlySteps(params, shape) } : params);
}

function leftOut(portfolio: Candidate[], tried: Candidate[]): string[] {
  const less = portfolio.length - tried.length;
  return less > 0 ? [`${less} of ${portfolio.length} candidates are not tried.`] : [];
}
