import { autoBudget, estimateAuto, memoryOf, timedRungs, workWithin } from '../../compute/auto-budget.ts';
import type { Shape } from '../../compute/estimator.ts';
import type { Lane } from '../../compute/lane.ts';
import type { Limits } from '../../compute/limits.ts';
import { mostShared } from '../../compute/memory.ts';
import { estimatorOf } from '../../compute/work.ts';
import { parseClassWeights } from '../../models/class-weights.ts';
import { version } from '../../names.ts';
import { metricFor } from '../metrics.ts';
import type { Candidate, Plan } from '../plan.ts';
import { defaultCoverage, type Question } from '../plan-search.ts';
import { portfolioOf } from './candidates.ts';
import { manyClasses } from './promote.ts';
import { foldsFor, mostValidRows, planRungs, rungWork, trialsOf } from './rungs.ts';

/** Bytes of a graph for a value that a model keeps; and of a graph that is too large to be served well, whatever else it is part of. */
const graphBytesPerValue = 20;
const mostGraphBytes = 12e6;

/** Of many classes, few may have learned enough to go on: what the last rung takes of its work, in the middle. */
const manyClassesUse = 0.6;

/** Those that have the memory for all rows, where boosting does, which learns the most of so many. Else all: then there are to be fewer rows. */
function withRoom(candidates: Candidate[], shape: Shape, room: number): Candidate[] {
  const validRows = Math.min(Math.ceil(shape.rows / foldsFor(shape.rows)), mostValidRows.last);
  const trainRows = shape.rows - validRows;
  const kept = candidates.filter((candidate) => {
    const shared = estimatorOf(candidate.family).shared?.(shape, candidate.params, 0) ?? 0;
    return shared <= mostShared && memoryOf([candidate], shape, { trainRows, validRows }) <= room;
  });
  const lead = candidates.find(({ family }) => family === 'boosting') ?? candidates[0]!;
  return kept.includes(lead) ? kept : candidates;
}

/** As the run and the card tell it. */
function noRoom(all: Candidate[], kept: Candidate[]): string | undefined {
  const without = all.filter((candidate) => !kept.includes(candidate));
  if (without.length === 0) return undefined;
  const names = [...new Set(without.map(({ family }) => family))].join(', ');
  return `${without.length} of ${all.length} candidates (${names}) are left out: of so many rows they take more memory than there is.`;
}

/**
 * Plans an automatic search: which candidates of the portfolio there is work for, and on what part of the data they begin.
 * @param shape of the train rows
 * @param limits what there is for it of the spec's budget
 * @param room bytes that there are for a candidate, where there is a limit
 * @throws IngotError InvalidSpec where the budget is too small for any run
 */
export function planAuto(
  { run, dataset, revision, task, classes, spec, skewed }: Question,
  shape: Shape,
  lane: Lane,
  limits: Limits | undefined = spec.budget,
  room = Number.POSITIVE_INFINITY,
): Plan {
  const classWeights = parseClassWeights(spec.classWeights, classes);
  const metric = metricFor(task, spec.metric, 'auto');
  const portfolio = portfolioOf(spec.families, skewed, shape.classes, metric === 'mae');
  const small = portfolio.filter((candidate) => graphBytesOf(candidate, shape) <= mostGraphBytes);
  const servable = small.length > 0 ? small : portfolio;
  const all = withRoom(servable, shape, room);
  const without = noRoom(servable, all);
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
    ...(without && { noRoom: without }),
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
