/** Platt's probabilities: the logit of a decision value, by Newton's method as in Lin, Lin and Weng (2007). */

const steps = 100;
const ridge = 1e-12;
const leastStep = 1e-10;
const flat = 1e-5;

/** logit = slope · decision + intercept */
export interface Sigmoid {
  slope: number;
  intercept: number;
}

/** @param decisions of rows that were not trained on, best @param positive 1 where the row is of the class that large decisions mean, else 0 */
export function fitSigmoid(decisions: Float64Array, positive: Uint8Array): Sigmoid {
  const count = decisions.length;
  const ones = positive.reduce((sum, one) => sum + one, 0);
  const [high, low] = [(ones + 1) / (ones + 2), 1 / (count - ones + 2)];
  let [slope, intercept] = [0, Math.log((ones + 1) / (count - ones + 1))];
  const lossAt = (a: number, b: number) => {
    let loss = 0;
    for (let i = 0; i < count; i++) {
      const logit = a * decisions[i]! + b;
      loss += Math.log1p(Math.exp(-Math.abs(logit))) + Math.max(logit, 0) - (positive[i] ? high : low) * logit;
    }
    return loss;
  };
  let loss = lossAt(slope, intercept);
  for (let step = 0; step < steps; step++) {
    let [aa, bb, ab, a, b] = [ridge, ridge, 0, 0, 0];
    for (let i = 0; i < count; i++) {
      const decision = decisions[i]!;
      const p = 1 / (1 + Math.exp(-(slope * decision + intercept)));
      const residual = p - (positive[i] ? high : low);
      const weight = p * (1 - p);
      aa += decision * decision * weight;
      bb += weight;
      ab += decision * weight;
      a += decision * residual;
      b += residual;
    }
    if (Math.abs(a) < flat && Math.abs(b) < flat) break;
    const determinant = aa * bb - ab * ab;
    const [da, db] = [-(bb * a - ab * b) / determinant, -(aa * b - ab * a) / determinant];
    const fall = a * da + b * db;
    let size = 1;
    for (; size >= leastStep; size /= 2) {
      const next = lossAt(slope + size * da, intercept + size * db);
      if (next < loss + 1e-4 * size * fall) {
        [slope, intercept, loss] = [slope + size * da, intercept + size * db, next];
        break;
      }
    }
    if (size < leastStep) break;
  }
  return { slope, intercept };
}
