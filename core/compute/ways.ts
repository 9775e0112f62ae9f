/** The ways that a planned run could take, each with the plan as its budget leaves it there and what it would take. */
import { IngotError } from '../errors.ts';
import { longestTrial } from '../search/auto/rungs.ts';
import type { Plan } from '../search/plan.ts';
import { type BatchSettings, jobSize, largestJob, type Machines, margin } from './batch.ts';
import { fitBudget } from './budget.ts';
import { functionObstacle, type Option } from './choose-lane.ts';
import { estimateRun, partsOf } from './cost.ts';
import type { Estimate } from './estimate.ts';
import type { Shape } from './estimator.ts';
import { batchLane, type Lane } from './lane.ts';
import type { Budget, Limits } from './limits.ts';
import { mostShared } from './memory.ts';
import { tableBytes } from './table-memory.ts';
import { estimatorOf } from './work.ts';

export interface Way extends Option {
  plan: Plan;
  budget?: Budget;
  /** On Batch: whose queue its jobs go to. */
  machines?: Machines;
}

export interface Question {
  /** Of a grid; an automatic search is planned for each lane by itself, as its trials share what the lane has. */
  plan: Plan | ((lane: Lane, limits: Limits | undefined, room: number | undefined) => Plan);
  shape: Shape;
  /** Of the whole table, where the shape is a sample's. */
  tableRows?: number;
  functions: Lane;
  /** Bytes that a candidate of an automatic search may take, if the others have to do without it. */
  room?: number | undefined;
  limits?: Limits | undefined;
}

type Reckoned = Pick<Way, 'lane' | 'plan' | 'estimate' | 'budget' | 'memory' | 'longest'>;

/** Of what an estimate of a trial's seconds may fall short. */
const spread = 2;

function reckon({ plan, shape, tableRows = shape.rows, room, limits }: Question, lane: Lane): Reckoned {
  const raw = tableBytes(tableRows, shape.features);
  if (typeof plan === 'function') {
    const made = plan(lane, limits, room);
    const { estimate, budget } = made as Plan & { estimate: Estimate };
    const memory = Math.max(estimate.memory, raw);
    return { lane, plan: made, estimate, memory, longest: spread * longestTrial(made, shape, lane), ...(budget && { budget }) };
  }
  const reckoned: { plan: Plan; estimate: Estimate; budget?: Budget } = limits
    ? fitBudget(plan, shape, lane, limits)
    : { plan, estimate: estimateRun(plan, shape, lane) };
  const { trials, fit, after } = partsOf(reckoned.plan, shape, lane, reckoned.budget?.rounds);
  const longest = Math.max(...Object.values(trials).map(({ high }) => high), fit.high, after.high);
  return { lane, ...reckoned, memory: Math.max(reckoned.estimate.memory, raw), longest };
}

/** Why functions could not go on with a plan that was made for another lane; undefined where they can. Under a budget the clock ends what takes long. */
export function takeOverObstacle({ plan, budget, memory }: Way, shape: Shape, functions: Lane): string | undefined {
  if (plan.search === 'auto')
    return functionObstacle({ lane: functions, memory, longest: budget ? 0 : spread * longestTrial(plan, shape, functions) });
  const { trials, fit, after } = partsOf(plan, shape, functions, budget?.rounds);
  const searched = budget ? [] : Object.values(trials).map(({ high }) => high);
  return functionObstacle({ lane: functions, memory, longest: Math.max(...searched, fit.high, after.high) });
}

/** @throws IngotError InvalidSpec where the budget is too small even for functions, which start soonest and cost least */
export function functionWay(question: Question): Way {
  const reckoned = reckon(question, question.functions);
  return { ...reckoned, wait: 0, obstacle: functionObstacle(reckoned) };
}

/** The ways of Batch: with an obstacle where no job is large enough, or where the budget is too small. */
export function batchWays(question: Question, { maxVcpus, queues }: BatchSettings): Way[] {
  const { functions } = question;
  const { plan, estimate, memory, longest } = reckon({ ...question, limits: undefined }, functions);
  const without = (lane: Lane, machines: Machines, obstacle: string): Way => ({
    lane,
    plan,
    estimate,
    memory,
    longest,
    wait: 0,
    machines,
    obstacle,
  });
  const ways = (Object.keys(queues) as Machines[]).map((machines): Way => {
    const size = jobSize(machines, memory, maxVcpus);
    if (!size) {
      const name = machines === 'gpu' ? 'gpu' : 'cpu';
      return without({ ...functions, name }, machines, `No machine of ${machines} has the memory within ${maxVcpus} vCPUs.`);
    }
    const lane = batchLane(functions, size, mostTrials(plan), maxVcpus);
    try {
      return { ...reckon(question, lane), wait: 0, machines };
    } catch (error) {
      if (!(error instanceof IngotError)) throw error;
      return without(lane, machines, error.message);
    }
  });
  // EC2 takes longer to start than Fargate, and is for what is too large for it.
  const small = ways.some(({ machines, obstacle }) => machines === 'fargate' && !obstacle);
  return ways.filter(({ machines }) => !(machines === 'ec2' && small));
}

/** Trials that are there at a time: of an automatic search, those of its widest rung. */
function mostTrials({ trials, rungs = [] }: Plan): number {
  return Math.max(trials.length, ...rungs.map((rung) => Math.max(rung.trials, rung.folds.length)));
}

/** Steps in which a sample is made smaller, and rows of the smallest that is worth it. */
const smaller = 0.9;
const leastRows = 10_000;
/** Of the 20 GB of disk that every job has, what the rows may take: the rest is for what is not estimated. */
const storedBytes = 10 * 2 ** 30;

/** Bytes that a piece of work may be expected to take, on the lane that has the most memory. @param batch undefined where functions do all */
export function roomOf(functions: Lane, batch: BatchSettings | undefined): number {
  const machines = (Object.keys(batch?.queues ?? {}) as Machines[]).filter((each) => each !== 'gpu');
  return (Math.max(functions.pipelineMemory, ...machines.map((each) => largestJob(each, batch!.maxVcpus))) * 2 ** 20) / margin;
}

/**
 * How many of the rows are trained on: all, or as many as there is memory for, on the lane with the most of it that may be taken.
 * @param ask what is to be decided with so many rows
 * @param batch undefined where functions do all
 */
export function rowsWithRoom(ask: (rows: number) => Question, all: number, batch: BatchSettings | undefined): number {
  for (let rows = all; rows >= Math.min(all, leastRows); rows = Math.floor(rows * smaller)) if (hasRoom(ask(rows), batch)) return rows;
  return all;
}

function hasRoom(question: Question, batch: BatchSettings | undefined): boolean {
  const { functions, shape } = question;
  // Of what is not learned from, fewer rows to train on save nothing.
  const { estimate, plan } = reckon({ ...question, limits: undefined }, functions);
  const valid = Math.ceil(shape.rows / plan.folds);
  const isShared = plan.candidates.every(
    ({ family, params }) => (estimatorOf(family).shared?.({ ...shape, rows: shape.rows - valid }, params, valid) ?? 0) <= mostShared,
  );
  return isShared && shape.rows * shape.features * 4 <= storedBytes && estimate.memory <= roomOf(functions, batch);
}

/** As the run and the card tell it. */
export const sampleSentence = ({ rows, of }: { rows: number; of: number }): string =>
  `Of ${of} rows to train on ${rows} are taken, drawn by the seed: for all of them there is not the memory.`;
