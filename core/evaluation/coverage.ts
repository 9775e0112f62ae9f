/** Whether sets and intervals hold the truth as often as they say. */
import type { Answered } from '../answers/answers.ts';
import type { Target } from '../models/model.ts';

export interface Coverage {
  /** The share of rows whose set or interval holds the truth: measured on the test rows. */
  measured: number;
  /** Of sets: mean number of classes, and the shares of rows with none and with one. */
  size?: number;
  empty?: number;
  single?: number;
  /** Of sets: by class, on the rows that are truly of it. Sets cover all rows together as often as they say, and rare classes mostly less often. */
  byClass?: { class: string; rows: number; measured: number }[];
  /** Of intervals. */
  meanWidth?: number;
  medianWidth?: number;
}

/** @param names of the classes @returns undefined where the answers have neither sets nor intervals */
export function coverageOf(truth: Target, answered: Answered, names: readonly string[]): Coverage | undefined {
  if (truth.task === 'classification' && answered.task === 'classification') {
    const { set, classes } = answered;
    if (!set) return undefined;
    const sizes = Array.from(truth.labels, (_, row) => set.subarray(row * classes, (row + 1) * classes).reduce((a, b) => a + b, 0));
    const share = (of: (row: number) => boolean) => sizes.filter((_, row) => of(row)).length / sizes.length;
    const held = Array.from(truth.labels, (label, row) => set[row * classes + label]!);
    return {
      measured: share((row) => held[row] === 1),
      size: sizes.reduce((a, b) => a + b, 0) / sizes.length,
      empty: share((row) => sizes[row] === 0),
      single: share((row) => sizes[row] === 1),
      byClass: names.flatMap((name, k) => {
        const own = held.filter((_, row) => truth.labels[row] === k);
        return own.length === 0 ? [] : [{ class: name, rows: own.length, measured: own.reduce((a, b) => a + b, 0) / own.length }];
      }),
    };
  }
  if (truth.task === 'classification' || answered.task === 'classification' || !answered.interval) return undefined;
  const { interval } = answered;
  const widths = Float64Array.from(truth.values, (_, row) => interval[row * 2 + 1]! - interval[row * 2]!);
  const inside = truth.values.filter((value, row) => value >= interval[row * 2]! && value <= interval[row * 2 + 1]!);
  return {
    measured: inside.length / widths.length,
    meanWidth: widths.reduce((a, b) => a + b, 0) / widths.length,
    medianWidth: widths.slice().sort()[widths.length >> 1]!,
  };
}
