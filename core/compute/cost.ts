/** What a run takes in time and dollars: predicted from its plan, and counted from what its stages say that they took. */
import type { Stage } from '../names.ts';
import type { Plan } from '../search/plan.ts';
import { trainingShares } from '../search/training-sizes.ts';
import type { JobSize } from './batch.ts';
import type { Estimate } from './estimate.ts';
import type { Shape } from './estimator.ts';
import { exactly, type Interval, scale, sum } from './interval.ts';
import { childrenOf, type Lane } from './lane.ts';
import { memoryWith } from './memory.ts';
import { coreSecondsOf, coresFor, estimatorOf } from './work.ts';

/** What a run has spent. */
export interface Spent {
  /** Seconds of functions, billed: the stages' own and what goes with each call. */
  seconds: number;
  dollars: number;
}

/** The stages' parts of an estimate, in seconds; a trial's by family. */
export interface Parts {
  trials: Record<string, Interval>;
  /** All trials, as many at a time as the lane has places. */
  search: Interval;
  fit: Interval;
  /** What comes before the search, between it and the fit, and after the fit. */
  before: Interval;
  between: Interval;
  after: Interval;
  /** Of what comes after it, the gate's own. */
  evaluation: Interval;
}

/** What goes with a call of a function beside the stage's own seconds: starting cold, reading its input, the way between states. */
export const callSeconds = {
  control: { low: 0.1, point: 0.6, high: 1.2 },
  pipeline: { low: 0.3, point: 1.5, high: 3 },
};
/** The same of a laptop, whose functions are processes that are warm. */
const laptopCallSeconds: typeof callSeconds = {
  control: { low: 0.05, point: 0.2, high: 0.5 },
  pipeline: { low: 0.1, point: 0.4, high: 1.5 },
};
/** Functions that share a machine are a laptop's. */
export const callsOf = ({ cores }: Lane): typeof callSeconds => (cores === undefined ? callSeconds : laptopCallSeconds);
/** From a job's submission to its first work: a machine, the image, the code. Billed from the image on. */
const jobStartSeconds = { low: 20, point: 60, high: 180 };
/** Seconds before a piece of work begins: of a job; functions have theirs in `callSeconds`. */
export const startSeconds = ({ job }: Lane): Interval => (job ? jobStartSeconds : exactly(0));
/** Core seconds a value of the model, to write, shrink, read and check its graph; and what that takes of the smallest. */
const exportSecondsPerValue = { low: 1.2e-6, point: 3e-6, high: 6e-6 };
const exportSeconds = { low: 0.05, point: 0.15, high: 0.4 };
/** Core seconds to evaluate the answers to the test rows, whose number and the model's size are bounded (core/evaluation). */
const evaluationSeconds = { low: 0.1, point: 0.5, high: 2 };
/** Parts of a piece of work that threads share, below which one thread does it all. */
const sharedFrom = 0.1;
const sharedWell = 0.85;

const controlStages: ReadonlySet<Stage> = new Set(['Plan', 'Select', 'Register', 'Release']);
/** Transitions that are not a trial's: the start, the stages and the Map's own. A trial has two. */
const transitionsOfRun = 10;
/** Objects written and read by the stages that are not trials, and by a trial. */
const requests = { run: { puts: 16, gets: 60 }, trial: { puts: 2, gets: 8 } };

type Planned = Pick<Plan, 'candidates' | 'trials' | 'folds'>;

/** Seconds of a piece of a family's work on the lane; each bound rises with its own work, whatever the others'. */
function laneSeconds(family: string, coreSeconds: Interval, lane: Lane): Interval {
  const speed = Math.max(1, coresFor(family, lane) * sharedWell);
  const of = (work: number) => Math.min(work, sharedFrom) + Math.max(0, work - sharedFrom) / speed;
  return { low: of(coreSeconds.low), point: of(coreSeconds.point), high: of(coreSeconds.high) };
}

/** A trial's candidates round after round. */
function trialCoreSeconds(plan: Planned, family: string, shape: Shape, rounds: number[][] | undefined): Interval {
  const valid = Math.ceil(shape.rows / plan.folds);
  const train = { ...shape, rows: shape.rows - valid };
  const own = plan.candidates.filter((candidate) => candidate.family === family);
  const paramsOf = (ids: number[]) => own.filter(({ id }) => ids.includes(id)).map(({ params }) => params);
  return sum((rounds ?? [own.map(({ id }) => id)]).map((ids) => coreSecondsOf(family, train, paramsOf(ids), valid)));
}

/**
 * @param shape of all the train rows
 * @param rounds by family: candidates that are tried one round after the other; by default all at once
 */
export function partsOf(plan: Planned, shape: Shape, lane: Lane, rounds: Record<string, number[][]> = {}): Parts {
  const start = startSeconds(lane);
  const { control, pipeline } = callsOf(lane);
  const families = [...new Set(plan.trials.map(({ family }) => family))];
  const trials = Object.fromEntries(
    families.map((family) => {
      const work = laneSeconds(family, trialCoreSeconds(plan, family, shape, rounds[family]), lane);
      return [family, sum([work, pipeline])];
    }),
  );
  const waves = Math.ceil(plan.trials.length / lane.concurrency);
  const longest = (bound: keyof Interval) => Math.max(...families.map((family) => trials[family]![bound]));
  // At best the places share the trials evenly; at worst each wave is as long as the longest trial.
  const even = (bound: keyof Interval) => plan.trials.reduce((total, { family }) => total + trials[family]![bound], 0) / lane.concurrency;
  const search = {
    low: Math.max(longest('low'), even('low')),
    point: Math.max(longest('point'), Math.min(waves * longest('point'), even('point') + longest('point') / 2)),
    high: waves * longest('high'),
  };
  const fits = fitsOf(plan, shape).map((work, index) => laneSeconds(plan.candidates[index]!.family, work, lane));
  const sizes = plan.candidates.map(({ family, params }) => estimatorOf(family).modelSize(shape, params));
  const exporting = sum([exportSeconds, scale(exportSecondsPerValue, Math.max(...sizes))]);
  return {
    trials,
    search: sum([start, search]),
    fit: sum([start, anyOf(fits), pipeline]),
    before: control,
    between: control,
    after: sum([scale(pipeline, 2), scale(control, 2), exporting, evaluationSeconds]),
    evaluation: sum([exporting, evaluationSeconds]),
  };
}

/** Each candidate's fit on all rows, and its fits on folds and on parts of them that calibration, intervals and learning curves are made of. */
function fitsOf(plan: Planned, shape: Shape): Interval[] {
  const valid = Math.ceil(shape.rows / plan.folds);
  const train = shape.rows - valid;
  return plan.candidates.map(({ family, params }) => {
    const fold = coreSecondsOf(family, { ...shape, rows: train }, [params], valid);
    const parts = trainingShares.map((share) => coreSecondsOf(family, { ...shape, rows: Math.ceil(train * share) }, [params], valid));
    return sum([coreSecondsOf(family, shape, [params]), scale(fold, plan.folds), ...parts]);
  });
}

/** Of several that may be chosen, one: from the least to the most, and their middle. */
function anyOf(intervals: Interval[]): Interval {
  const sorted = intervals.map(({ point }) => point).sort((a, b) => a - b);
  return {
    low: Math.min(...intervals.map(({ low }) => low)),
    point: sorted[Math.floor(sorted.length / 2)]!,
    high: Math.max(...intervals.map(({ high }) => high)),
  };
}

/** Predicts a run. Every bound rises with rows, candidates, folds and prices. */
export function estimateRun(plan: Planned, shape: Shape, lane: Lane, rounds: Record<string, number[][]> = {}): Estimate {
  const parts = partsOf(plan, shape, lane, rounds);
  const starts = scale(startSeconds(lane), lane.concurrency);
  const pipeline = sum([...plan.trials.map(({ family }) => parts.trials[family]!), starts, parts.fit, parts.after]);
  // Register and Release are in `after`, as if they had the pipeline's memory: a little too much.
  const control = sum([parts.before, parts.between]);
  const seconds = sum([parts.before, parts.search, parts.between, parts.fit, parts.after]);
  const fixed = exactly(fixedDollars(plan.trials.length, lane));
  const dollars = sum([pipelineDollars(pipeline, lane), scale(control, secondDollars(lane, lane.controlMemory)), fixed]);
  const fits = fitsOf(plan, shape);
  const trials = plan.trials.map(({ family }) => trialCoreSeconds(plan, family, shape, rounds[family]));
  return { coreSeconds: sum([...trials, anyOf(fits)]), memory: memoryOf(plan, shape), seconds, dollars, lane };
}

function memoryOf(plan: Planned, shape: Shape): number {
  const valid = Math.ceil(shape.rows / plan.folds);
  const families = [...new Set(plan.candidates.map(({ family }) => family))];
  const pieces = families.flatMap((family) => {
    const params = plan.candidates.filter((candidate) => candidate.family === family).map((candidate) => candidate.params);
    const { memory } = estimatorOf(family);
    return [memory({ ...shape, rows: shape.rows - valid }, params, valid), ...params.map((each) => memory(shape, [each], 0))];
  });
  return memoryWith(shape, pieces);
}

/** Dollars for a second of a function with that many MB. */
export function secondDollars({ architecture, prices }: Lane, megabytes: number): number {
  return (megabytes / 1024) * prices.lambdaGigabyteSecond[architecture];
}

/** Dollars for a second of a job on demand, and what part of that it costs on spot capacity. */
function jobSecond({ architecture, prices }: Lane, { machines, vcpus, memory }: JobSize): { dollars: number; spot: number } {
  if (machines === 'gpu') return { dollars: prices.gpu.machineHour / 3600, spot: prices.gpu.spot };
  const { vcpuHour, gigabyteHour, spot } = prices[machines][architecture];
  return { dollars: (vcpus * vcpuHour + (memory / 1024) * gigabyteHour) / 3600, spot };
}

/** Dollars for a second of what works on the data: of a job at the price on demand, as nobody knows beforehand where it will run. */
export function pipelineSecondDollars(lane: Lane): number {
  return lane.job ? jobSecond(lane, lane.job).dollars : secondDollars(lane, lane.pipelineMemory);
}

/** At best a job is on spot capacity all the time. */
function pipelineDollars(seconds: Interval, lane: Lane): Interval {
  const dollars = scale(seconds, pipelineSecondDollars(lane));
  return lane.job ? { ...dollars, low: dollars.low * jobSecond(lane, lane.job).spot } : dollars;
}

/** What a run costs however long its stages take: calls, transitions and objects. */
export function fixedDollars(trials: number, { prices }: Lane): number {
  const calls = trials + 7;
  const puts = requests.run.puts + trials * requests.trial.puts;
  const gets = requests.run.gets + trials * requests.trial.gets;
  return calls * prices.lambdaRequest + (transitionsOfRun + 2 * trials) * prices.transition + puts * prices.s3Put + gets * prices.s3Get;
}

/**
 * What stages have cost, by their own seconds.
 * @param done the stages that are done, each trial one, with the seconds that they say they took (undefined where they don't say), and a trial's rung
 * @param prepared seconds from the upload to the start of the run
 */
export function spentOn(
  done: { stage: Stage; seconds?: number | undefined; rung?: number | undefined }[],
  lane: Lane,
  prepared = 0,
): Spent {
  const { job: _, ...functions } = lane;
  const preparation = { seconds: prepared, dollars: prepared * pipelineSecondDollars(functions) };
  const billed: Spent[] = done.map(({ stage, seconds = 0 }) => {
    const kind = controlStages.has(stage) ? 'control' : 'pipeline';
    const all = seconds + callsOf(lane)[kind].point;
    return { seconds: all, dollars: all * (kind === 'control' ? secondDollars(lane, lane.controlMemory) : pipelineSecondDollars(lane)) };
  });
  const searched = done.filter(({ stage }) => stage === 'Search');
  const trials = searched.length;
  if (lane.job && trials > 0) {
    const rungs = [...Map.groupBy(searched, ({ rung = 0 }) => rung).values()];
    const starts = rungs.reduce((sum, { length }) => sum + childrenOf(length, lane), 0);
    const jobs = starts + (done.some(({ stage }) => stage === 'Fit') ? 1 : 0);
    const seconds = jobs * jobStartSeconds.point;
    billed.push({ seconds, dollars: seconds * pipelineSecondDollars(lane) });
  }
  billed.push(preparation);
  return {
    seconds: billed.reduce((total, { seconds }) => total + seconds, 0),
    dollars: billed.reduce((total, { dollars }) => total + dollars, fixedDollars(trials, lane)),
  };
}
