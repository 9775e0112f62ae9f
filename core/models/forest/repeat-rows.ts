/** Class weights for a forest, whose kernel counts rows: a row of twice the weight is there twice. */
import { mix32 } from '../../random.ts';
import type { Target } from '../model.ts';

/** Rows there may be for one of the table, so that a rare class among many does not fill the memory. */
const mostTimes = 4;
const repeatSeed = 0x4e9;

/**
 * The lightest class's rows once, the others' as often as their weight says, what is left of a whole number by chance; fewer, in the same
 * proportions, where that were too many. Limits of rows in a node or leaf count a row as often as it is there.
 * @param rows of the target, ascending
 */
export function repeatRows(y: Target, rows: Int32Array, seed: number): Int32Array {
  if (y.task === 'regression' || !y.classWeights) return rows;
  const weights = Float64Array.from(rows, (row) => y.classWeights![y.labels[row]!]!);
  const least = weights.reduce((a, b) => (b > 0 && b < a ? b : a), Infinity);
  const total = weights.reduce((a, b) => a + b, 0);
  const factor = Math.min(1 / least, (mostTimes * rows.length) / total);
  const drawn = mix32(seed, repeatSeed);
  const repeated: number[] = [];
  rows.forEach((row, i) => {
    const times = Math.floor(weights[i]! * factor + mix32(drawn, row) / 2 ** 32);
    for (let time = 0; time < times; time++) repeated.push(row);
  });
  return repeated.length > 0 ? Int32Array.from(repeated) : rows;
}
