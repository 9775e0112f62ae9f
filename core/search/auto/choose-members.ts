/** Which finalists a mixture is made of, with which weights, and which of them by one model in place of those of the folds, so that the graph can be served. */
import type { Target } from '../../models/model.ts';
import type { Plan } from '../plan.ts';
import type { Finalist } from './finalists.ts';
import { selectWeights } from './weights.ts';

/** A served graph is loaded at a cold start, at some 19 ms a megabyte; a tree costs an answer some 50 ns, a model of its own some 10 µs. */
const most = { bytes: 8e6, trees: 4000, models: 24 };
/** Of many classes, each has trees of its own: so many times as many are taken. */
const mostOutputs = 3;
/** What may stand beside one that is too large by itself, as a share of the most. */
const besideLarge = 0.25;
const besideOthers = 0.7;
/** A graph writes a tree's nodes at greater length than our own file. */
const graphBytesPerByte = 3.5;
/** Bytes of a network's weights that a row is led through in the time of a tree. */
const treeBytes = 240;

export interface Member extends Finalist {
  weight: number;
  /** Whether the models of its folds stand for it, and not one that is fitted anew on all rows. */
  bag: boolean;
}

/**
 * @param finalists the best first, which is never left out for its size
 * @param y of the rows that they answer
 * @param keepFolds whether fold models may be kept
 * @returns those with a weight, and why others are left out
 */
export function chooseMembers(
  finalists: readonly Finalist[],
  y: Target,
  metric: Plan['metric'],
  keepFolds: boolean,
): { chosen: Member[]; why: string[] } {
  const why: string[] = [];
  const outputs = outputsOf(y);
  let pool = finalists;
  for (;;) {
    const weights = selectWeights(
      pool.map(({ answers }) => answers),
      y,
      metric,
    );
    // The largest members are fitted anew as one model, as long as the graph is too large; where that is not enough, those go, but for the
    // best, that are largest for their weight.
    // One model of all rows is as good as the mean of fold models, where these hardly differ, as lines and machines do.
    const bagged = pool.map(({ models }) => keepFolds && models.some(({ trees, steps }) => (trees ?? steps) !== undefined));
    const size = (i: number) => (weights[i]! > 0 ? sizeOf(pool[i]!.models, bagged[i]!, outputs) : 0);
    const total = () => pool.reduce((sum, _, i) => sum + size(i), 0);
    const bySize = () => pool.map((_, i) => i).sort((a, b) => size(b) - size(a) || a - b);
    // Of two folds one model of all rows, of twice as many parts, would be as large as both, and four times the work.
    for (const i of bySize()) if (total() > 1 && weights[i]! > 0 && pool[i]!.models.length > 2) bagged[i] = false;
    // Beside a best that is too large by itself, small ones stay.
    if (total() <= Math.max(1, size(0) + besideLarge) || pool.length === 1) {
      const members = pool.map((finalist, i): Member => ({ ...finalist, weight: weights[i]!, bag: bagged[i]! }));
      return { chosen: members.filter(({ weight }) => weight > 0), why };
    }
    const share = (i: number) => (weights[i]! > 0 ? size(i) / weights[i]! : 0);
    const dropped = pool.reduce((most, _, i) => (i > 1 && share(i) > share(most) ? i : most), 1);
    const { id, family } = pool[dropped]!.candidate;
    why.push(`Candidate ${id} (${family}) is not taken: the graph would be too large.`);
    pool = pool.filter((_, i) => i !== dropped);
  }
}

/** As many of a member's fold models as a graph has room for. */
export function withRoom(models: Finalist['models'], y: Target): Finalist['models'] {
  return models.slice(0, Math.max(1, Math.floor(models.length / sizeOf(models, true, outputsOf(y)))));
}

/** Trees of a fold's model that has room beside others once it is fitted anew on all rows, of which it has some more. @param classes more than two */
export const mostTreesBeside = (classes: number): number => besideOthers * mostTreesOf(classes);

const mostTreesOf = (outputs: number) => most.trees * Math.min(outputs, mostOutputs);
const outputsOf = (y: Target) => (y.task === 'classification' && y.classes > 2 ? y.classes : 1);

/** Of what a graph may be at most, by bytes or trees; of all fold models, or of one that is fitted on all rows. */
function sizeOf(models: Finalist['models'], bag: boolean, outputs: number): number {
  const bytes = models.reduce((sum, { bytes, trees }) => sum + bytes.length * (trees === undefined ? 1 : graphBytesPerByte), 0);
  const trees = models.reduce((sum, { bytes, trees, steps }) => sum + (trees ?? (steps === undefined ? 0 : bytes.length / treeBytes)), 0);
  return (
    Math.max(bytes / most.bytes, trees / mostTreesOf(outputs), models.length / most.models) / (bag ? 1 : Math.max(1, models.length - 1))
  );
}
