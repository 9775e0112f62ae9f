/** Ensemble selection (Caruana et al. 2004): the member that helps most is added, again and again, with replacement. */
import type { Predictions, Target } from '../../models/model.ts';
import type { MetricName } from '../../spec.ts';
import { metrics, scoreBy } from '../metrics.ts';

/** Additions; their number is the most that the weights add up to. */
const additions = 40;
/** Numbers (members × rows × outputs) above which there are fewer additions. */
const manyNumbers = 4_000_000;
/** What counts as better: less than that is chance, or the order of a sum. */
const least = 1e-9;

/**
 * @param answers of each member on the same rows, float32 [rows × outputs], the best member first: of equals the earlier is taken
 * @returns a whole weight for each, 0 where it does not help
 */
export function selectWeights(answers: readonly Float32Array[], truth: Target, metric: MetricName): number[] {
  const sign = metrics[metric].better === 'higher' ? 1 : -1;
  const length = answers[0]!.length;
  const rounds = Math.max(8, Math.min(additions, Math.floor((additions * manyNumbers) / (length * answers.length))));
  const sums = new Float64Array(length);
  const mean = new Float32Array(length);
  const weights = new Array<number>(answers.length).fill(0);
  let best = { score: Number.NEGATIVE_INFINITY, weights: weights.with(0, 1) };
  for (let count = 1; count <= rounds; count++) {
    let chosen = { score: Number.NEGATIVE_INFINITY, member: -1 };
    answers.forEach((values, member) => {
      for (let i = 0; i < length; i++) mean[i] = (sums[i]! + values[i]!) / count;
      const score = sign * scoreBy(metric, truth, asPredictions(truth, mean));
      if (score > chosen.score + Math.abs(chosen.score) * least) chosen = { score, member };
      else if (chosen.member < 0 && !Number.isNaN(score)) chosen = { score, member };
    });
    if (chosen.member < 0) break;
    const added = answers[chosen.member]!;
    for (let i = 0; i < length; i++) sums[i]! += added[i]!;
    weights[chosen.member]! += 1;
    if (chosen.score > best.score + Math.abs(best.score) * least || best.score === Number.NEGATIVE_INFINITY)
      best = { score: chosen.score, weights: [...weights] };
  }
  return best.weights;
}

/** Answers as predictions of the target's task. */
export function asPredictions(truth: Target, numbers: Float32Array): Predictions {
  return truth.task === 'classification'
    ? { task: 'classification', classes: truth.classes, probabilities: numbers }
    : { task: 'regression', values: numbers };
}
