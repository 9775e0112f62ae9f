/** What an automatic search may try: the starting points of the families, the best of each first. */
import { families, familyOf } from '../../models/families.ts';
import type { Family, Params } from '../../models/model.ts';
import type { Candidate } from '../plan.ts';
import { mostTreesBeside } from './choose-members.ts';

/** Of more classes, a machine's lines, one for each pair of them, take longer than all else. */
const mostClassesInPairs = 32;
/** Of more classes, a linear model with less penalty takes long to settle, and is no better. */
const mostClassesHardlyPenalised = { classes: 12, alpha: 0.001 };

/** Of more classes, a round of boosting has so many trees that there is room for few rounds: they take larger steps. */
const mostClassesInSmallSteps = 32;
const largerSteps = 2;

/**
 * @param names families to keep to; by default all that there are
 * @param skewed whether the target is of amounts whose logarithms are worth learning: the better half of each family tries that too
 * @param classes 0 of a regression
 * @param median whether absolute errors count, which medians make small: the better half of boosting looks for those, too
 */
export function portfolioOf(names: readonly string[] | undefined, skewed = false, classes = 0, median = false): Candidate[] {
  const asked = names?.map(familyOf) ?? families;
  // Long lists are spread among short ones; of equal places (the sort is stable) families keep their order.
  const listed = asked.flatMap((family) => {
    const { portfolio = [{}] } = family;
    const points = portfolio.flatMap((params, index) => [
      params,
      ...(skewed && 'target' in family.parse({}) && index < portfolio.length / 2 ? [{ ...params, target: 'log' }] : []),
      ...(median && family.name === 'boosting' && index < portfolio.length / 2 ? [{ ...params, loss: 'quantile', quantile: 0.5 }] : []),
    ]);
    return points.map((params, index) => ({ family, params, place: index / points.length }));
  });
  return listed
    .filter(({ family, params }) => !isTooDear(family, params, classes))
    .sort((a, b) => a.place - b.place)
    .map(({ family, params }, id) => ({
      id,
      family: family.name,
      params: roundsWithRoom(family, family.parse(params as Params), classes),
    }));
}

/** Boosting of no more rounds than a graph has room for the trees of, beside other members. */
function roundsWithRoom({ name }: Family, params: Params, classes: number): Params {
  if (name !== 'boosting' || classes <= 2) return params;
  const rounds = Math.min(Number(params['nEstimators']), Math.floor(mostTreesBeside(classes) / classes));
  const rate = Number(params['learningRate']) * (classes > mostClassesInSmallSteps ? largerSteps : 1);
  return { ...params, nEstimators: Math.max(1, rounds), learningRate: Math.min(1, rate) };
}

function isTooDear({ name }: Family, params: Params, classes: number): boolean {
  if (name === 'svm') return params['kernel'] === 'linear' && classes > mostClassesInPairs;
  return name === 'linear' && classes > mostClassesHardlyPenalised.classes && Number(params['alpha']) < mostClassesHardlyPenalised.alpha;
}
