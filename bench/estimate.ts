/**
 * How well the work of a family is predicted: fits and searches of many sizes, drawn by seed, against core/compute's estimates. The ratio is
 * the share of runs within a factor of two, against the nine in ten that we want.
 */
import { coreSecondsOf, estimators, type FamilyName } from '../core/compute/work.ts';
import { Random } from '../core/random.ts';
import { machine, median, type Result } from './alternate.ts';
import { type Case, drawBoostingCase, drawForestCase, drawLinearCase, drawNetworkCase, drawSvmCase, measure } from './estimate/measure.ts';

const runsOfFamily = 48;
const wanted = 0.9;

/** What to try of each family that has an estimator. */
const draws: Record<FamilyName, (random: Random) => Case> = {
  boosting: drawBoostingCase,
  extraTrees: (random) => drawForestCase(random, 'extraTrees'),
  forest: (random) => drawForestCase(random, 'forest'),
  linear: drawLinearCase,
  network: drawNetworkCase,
  svm: drawSvmCase,
};

export default async function estimate(): Promise<Result> {
  const shares: Record<string, unknown> = {};
  const all: number[] = [];
  for (const family of Object.keys(estimators) as FamilyName[]) {
    const errors: number[] = [];
    let inside = 0;
    for (let seed = 0; seed < runsOfFamily; seed++) {
      const random = new Random(1000 + seed);
      const { shape, candidates, coreSeconds } = await measure(family, draws[family](random), random);
      const predicted = coreSecondsOf(family, shape, candidates, candidates.length > 1 ? Math.floor(shape.rows / 4) : 0);
      errors.push(coreSeconds / predicted.point);
      if (predicted.low <= coreSeconds && coreSeconds <= predicted.high) inside++;
      const { rows, features, classes } = shape;
      console.log(
        `${family} ${rows} × ${features}, ${classes || 'no'} classes, ${candidates.length} candidates: ${coreSeconds.toFixed(4)} s, predicted ${predicted.point.toFixed(4)} s`,
      );
    }
    const within = errors.filter((error) => error >= 0.5 && error <= 2).length / errors.length;
    shares[family] = { runs: errors.length, withinFactorTwo: within, inInterval: inside / errors.length, medianRatio: median(errors) };
    all.push(within);
  }
  const worst = Math.min(...all);
  return {
    bench: 'estimate',
    ratio: worst / wanted,
    ours: worst,
    rival: wanted,
    unit: 'share of runs within a factor of two',
    same_work: true,
    families: shares,
    machine: machine(),
  };
}
