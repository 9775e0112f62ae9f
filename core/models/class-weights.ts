/** What rows of a class count for in training. */
import { IngotError } from '../errors.ts';
import type { Target } from './model.ts';

/** As a plan keeps them: every class the same, or a factor for each class. */
export type ClassWeights = 'balanced' | number[];

/**
 * @param asked as dataset.json has them: a label that is left out has the weight 1
 * @throws IngotError InvalidSpec for a label that is none of the classes, and for a regression
 */
export function parseClassWeights(
  asked: 'balanced' | 'none' | Record<string, number> | undefined,
  classes: readonly string[] | undefined,
): ClassWeights | undefined {
  if (asked === undefined || asked === 'none') return undefined;
  const where = 'dataset.json, field classWeights';
  if (!classes) throw new IngotError('InvalidSpec', 'Class weights are for a classification.', { where, fix: 'Leave them out.' });
  if (asked === 'balanced') return asked;
  const unknown = Object.keys(asked).find((label) => !classes.includes(label));
  if (unknown === undefined) return classes.map((label) => asked[label] ?? 1);
  throw new IngotError('InvalidSpec', `classWeights names the class '${unknown}', which the target does not have.`, {
    where: `${where}.${unknown}`,
    fix: `The classes are ${classes.slice(0, 20).join(', ')}.`,
  });
}

/** The target with its classes' weights. Balanced: all rows of a class together weigh as much as those of any other. */
export function withClassWeights<T extends Target>(y: T, weights: ClassWeights | undefined): T {
  if (weights === undefined || y.task === 'regression') return y;
  if (weights !== 'balanced') return { ...y, classWeights: weights };
  const counts = new Array<number>(y.classes).fill(0);
  for (const label of y.labels) counts[label]! += 1;
  const present = counts.filter((count) => count > 0).length;
  return { ...y, classWeights: counts.map((count) => (count > 0 ? y.labels.length / (present * count) : 1)) };
}
