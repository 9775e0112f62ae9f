/** What a network learns of the target: scores of the classes that the train rows have, or one standardised value. */
import type { Target } from '../model.ts';
import type { NetworkParams } from './params.ts';

export interface Task {
  /** Of a classification; 0 otherwise. */
  classes: number;
  /** The classes that are in the train rows; none of a regression. */
  present: number[];
  /** Scores: one for each of those, or one value. */
  outputs: number;
  /** Where scores begin: the logarithms of the classes' shares, or 0. */
  start: number[];
  /** The value of a regression is centre + spread × score, between the least and the most of the train rows. */
  centre: number;
  spread: number;
  least: number;
  most: number;
  /** Of a row of the table, the place of its class among the present ones (0 where it is none of them), or its standardised value. */
  truth(row: number): number;
  /** What a row counts for; 1 on average over the train rows. */
  weight(row: number): number;
}

/** @param rows the train rows, at least one */
export function taskOf(y: Target, rows: Int32Array, { classWeight }: Pick<NetworkParams, 'classWeight'>): Task {
  if (y.task === 'regression') {
    const { values } = y;
    const { centre, spread, least, most } = standard(values, rows);
    const truth = (row: number) => (values[row]! - centre) / (spread || 1);
    return { classes: 0, present: [], outputs: 1, start: [0], centre, spread, least, most, truth, weight: () => 1 };
  }
  const { labels, classes, classWeights } = y;
  const counts = new Float64Array(classes);
  for (const row of rows) counts[labels[row]!]!++;
  const present = [...counts.keys()].filter((k) => counts[k]! > 0);
  const place = Int32Array.from(counts, (_, k) => Math.max(0, present.indexOf(k)));
  const asked = Float64Array.from(counts, (count, k) => {
    if (count === 0) return 0;
    return (classWeight === 'balanced' ? rows.length / (present.length * count) : 1) * (classWeights?.[k] ?? 1);
  });
  const all = asked.reduce((sum, weight, k) => sum + weight * counts[k]!, 0);
  const weights = asked.map((weight) => (weight * rows.length) / all);
  return {
    classes,
    present,
    outputs: present.length,
    start: present.map((k) => Math.log((weights[k]! * counts[k]!) / rows.length)),
    ...{ centre: 0, spread: 1, least: 0, most: 0 },
    truth: (row) => place[labels[row]!]!,
    weight: (row) => weights[labels[row]!]!,
  };
}

function standard(values: Float64Array, rows: Int32Array): { centre: number; spread: number; least: number; most: number } {
  const centre = rows.reduce((sum, row) => sum + values[row]! / rows.length, 0);
  const [least, most] = rows.reduce(([a, b], row) => [Math.min(a, values[row]!), Math.max(b, values[row]!)], [Infinity, -Infinity]);
  const largest = Math.max(most - centre, centre - least);
  // Relative to the largest, so that squares neither overflow nor vanish.
  const squares = rows.reduce((sum, row) => sum + ((values[row]! - centre) / (largest || 1)) ** 2, 0);
  return { centre, spread: largest * Math.sqrt(squares / rows.length), least, most };
}
