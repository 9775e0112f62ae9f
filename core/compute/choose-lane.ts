/** Which lane a run takes: the smallest compute that can do its work in time. */
import { IngotError } from '../errors.ts';
import type { Estimate } from './estimate.ts';
import type { Lane, LaneName } from './lane.ts';

/** A way that a run could take. */
export interface Option {
  lane: Lane;
  /** What the run would take there. */
  estimate: Estimate;
  /** Bytes of the largest piece of work, the check of the graph on the raw rows among them. */
  memory: number;
  /** Seconds of the longest piece of work: a trial, the fit, or what comes after it. */
  longest: number;
  /** Seconds that its jobs are expected to wait; functions never do. */
  wait: number;
  /** Why it cannot be taken, in a sentence. */
  obstacle?: string | undefined;
}

/** As `plan.json` keeps it. */
export interface LaneChoice {
  lane: LaneName;
  /** Why, in a sentence. */
  reason: string;
  /** Whether functions can do the work too, if Batch turns out not to. */
  fallback: boolean;
}

/** A function is stopped after as many; estimates are kept away from it by a fifth. */
export const functionSeconds = 15 * 60;
const safely = 0.8;
/** A run that functions do sooner than in this time is not worth a machine's start. */
const worthMachines = 600;
/** By what factor Batch must be sooner to be taken where functions would do. */
const muchSooner = 2;
/** What a run is told that goes to a machine with a GPU. */
const noUseOfGpu = 'No family of models that is here makes use of a GPU: the lane cpu does the same for less.';

/** Why functions cannot do the work; undefined where they can. */
export function functionObstacle({ lane, memory: bytes, longest }: Pick<Option, 'lane' | 'memory' | 'longest'>): string | undefined {
  const memory = bytes / 2 ** 20;
  if (memory > lane.pipelineMemory)
    return `The work needs about ${gigabytes(memory)}, and a function has ${gigabytes(lane.pipelineMemory)}.`;
  if (longest > functionSeconds * safely) return `A piece of the work may take ${minutes(longest)}, and a function has 15 minutes.`;
  return undefined;
}

/** Whether it is worth asking how busy Batch is. */
export function mayTakeBatch({ obstacle, estimate }: Option, asked: LaneName | undefined): boolean {
  return asked === undefined ? obstacle !== undefined || estimate.seconds.point > worthMachines : asked !== 'lambda';
}

const finish = ({ wait, estimate }: Option) => wait + estimate.seconds.point;

/**
 * @param functions the way of functions
 * @param batch the ways of Batch; none where there is no Batch
 * @param asked what dataset.json asks for
 * @returns the option, and the choice in words
 * @throws IngotError InvalidSpec where what is asked for is not there, Unavailable where nothing can do the work now
 */
export function chooseLane<F extends Option, B extends Option>(
  functions: F,
  batch: B[],
  asked?: LaneName,
): { option: F | B; choice: LaneChoice } {
  const fallback = functions.obstacle === undefined;
  const take = (option: F | B, reason: string) => ({ option, choice: { lane: option.lane.name, reason, fallback } });
  const free = batch.filter(({ obstacle }) => obstacle === undefined).sort((a, b) => finish(a) - finish(b));
  // No family that is here makes use of a GPU, so that its machines are for those who ask.
  const [best] = free.filter(({ lane }) => lane.name === 'cpu');
  if (asked === 'lambda') return take(functions, 'dataset.json asks for it.');
  if (asked !== undefined) {
    const found = free.find(({ lane }) => lane.name === asked);
    if (found) return take(found, asked === 'gpu' ? `dataset.json asks for it. ${noUseOfGpu}` : 'dataset.json asks for it.');
    const why = batch.find(({ lane }) => lane.name === asked)?.obstacle ?? 'This deployment has none.';
    throw new IngotError('InvalidSpec', `The lane '${asked}' cannot be taken: ${why}`, {
      where: 'dataset.json, field lane',
      fix: `Leave the field out${asked === 'gpu' ? ', as no family of models here makes use of a GPU' : ''}.`,
    });
  }
  if (!functions.obstacle) {
    const alone = functions.estimate.seconds.point;
    if (best && alone > worthMachines && finish(best) * muchSooner < alone) {
      return take(best, `Functions would take about ${minutes(alone)}, Batch about ${minutes(finish(best))}${waiting(best)}.`);
    }
    return take(functions, `Functions can do it, without waiting, in about ${minutes(alone)}.`);
  }
  if (best) return take(best, `${functions.obstacle} Batch takes about ${minutes(finish(best))}${waiting(best)}.`);
  if (batch.length === 0) return take(functions, `${functions.obstacle} There is no Batch here, so functions try.`);
  const whys = [...new Set(batch.map(({ obstacle }) => obstacle))].join(' ');
  throw new IngotError('Unavailable', `Nothing here can do the work. ${functions.obstacle} ${whys}`, {
    where: 'lane',
    fix: 'Give fewer rows or columns, a smaller grid, or mend what keeps Batch from it (docs/deploy.md).',
  });
}

const waiting = ({ wait }: Option) => (wait > 0 ? `, ${minutes(wait)} of that waiting` : '');

function gigabytes(megabytes: number): string {
  return `${(megabytes / 1024).toPrecision(2)} GB`;
}

function minutes(seconds: number): string {
  return seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} minutes`;
}
