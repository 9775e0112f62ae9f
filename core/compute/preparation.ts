/**
 * What comes before a run: cleaning, features, the choice of crosses. The minutes of a budget count from the upload on, and its dollars are for
 * that too, so that a run has what preparation leaves.
 */
import { checkOf } from '../search/choose-crosses.ts';
import { callsOf, pipelineSecondDollars } from './cost.ts';
import type { Estimate } from './estimate.ts';
import type { Shape } from './estimator.ts';
import { scale, sum } from './interval.ts';
import { defaultLane, type Lane } from './lane.ts';
import type { Limits, Preparation } from './limits.ts';

/**
 * Seconds to clean a cell and to make features of it; to look at a column, whatever its rows; for a text, and for a value of a category that has many,
 * measured on the machine of bench/estimate.
 */
const cellSeconds = 1e-6;
const columnSeconds = 6e-3;
const textSeconds = 1e-4;
const encodingSeconds = 5e-6;
/** Seconds for any table: a start of DuckDB, of workers. */
const anySeconds = 1;
/** Of a budget, what the choice of crosses may take; and in seconds where there is none. */
const crossShare = 0.05;
const crossSeconds = 5;
const spread = { low: 0.4, point: 1, high: 1.5 };

/** Of a budget, what is over before preparation leaves out what a model can do without. */
const optionalShare = 0.3;

/** Seconds that a budget's minutes are, or its dollars where these are spent sooner. */
function secondsOf({ minutes = Number.POSITIVE_INFINITY, dollars = Number.POSITIVE_INFINITY }: Limits): number {
  return Math.min(minutes * 60, dollars / pipelineSecondDollars(defaultLane));
}

/** Core seconds that crosses may be chosen for. */
export const secondsForCrosses = (limits: Limits = {}): number => Math.min(crossSeconds, crossShare * secondsOf(limits));

/**
 * What preparation can do without: as long as a budget's time allows it, it is done, and else left out and told of. Without a budget nothing is left out,
 * so that the same data give the same features on every machine.
 */
export class OptionalParts {
  /** What has been left out, in sentences. */
  readonly leftOut: string[] = [];
  private readonly left: () => number;

  /** @param left seconds that there are for them, whenever asked */
  constructor(left: () => number = () => Number.POSITIVE_INFINITY) {
    this.left = left;
  }

  /** @param uploadedAt from when on the budget counts, undefined where it does not count preparation */
  static within(limits: Limits | undefined, uploadedAt: string | undefined, now: () => Date): OptionalParts {
    if (!limits || uploadedAt === undefined) return new OptionalParts();
    const until = Date.parse(uploadedAt) + optionalShare * secondsOf(limits) * 1000;
    return new OptionalParts(() => (until - now().getTime()) / 1000);
  }

  get isOver(): boolean {
    return this.left() <= 0;
  }

  /** @param without what is told where there is no time for it, as a sentence */
  hasTime(without: string): boolean {
    if (this.isOver) this.leftOut.push(`${without}: preparation had used its share of the budget.`);
    return !this.isOver;
  }
}

/**
 * @param shape of the train rows and their features
 * @param columns of the table, by their types
 */
export function preparationOf(shape: Shape, columns: readonly { type: string }[], lane: Lane, limits: Limits | undefined): Preparation {
  const of = (type: string) => columns.filter((column) => column.type === type).length;
  const ofRow = shape.features * cellSeconds + of('text') * textSeconds + of('encoding') * encodingSeconds;
  const own = columns.length * columnSeconds + shape.rows * ofRow;
  const crosses = checkOf(shape, secondsForCrosses(limits))?.coreSeconds ?? 0;
  const seconds = anySeconds + 2 * callsOf(lane).pipeline.point + own + crosses;
  const { job: _, ...functions } = lane;
  return { seconds, dollars: seconds * pipelineSecondDollars(functions) };
}

/** The dollars of an estimate with those of what came before. */
export function withPreparation(estimate: Estimate, preparation: Preparation): Estimate {
  return { ...estimate, preparation, dollars: sum([estimate.dollars, scale(spread, preparation.dollars)]) };
}

/** What preparation leaves. */
export function without({ seconds, dollars }: Preparation, limits: Limits): Limits {
  return {
    ...(limits.minutes !== undefined && { minutes: limits.minutes - seconds / 60 }),
    ...(limits.dollars !== undefined && { dollars: limits.dollars - dollars }),
    preparation: { seconds, dollars },
  };
}
