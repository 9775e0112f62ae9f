/** `runs/<run>/gate.json`: what the gate found before a version may be registered. */

import type { Answered } from '../answers/answers.ts';
import type { HeldOut } from '../evaluation/evaluate.ts';
import type { IterationCurve } from '../evaluation/iterations.ts';
import { columnTypeOf } from '../features/layout.ts';
import type { Preprocess } from '../features/preprocess.ts';
import type { ColumnType } from '../spec.ts';
import type { CleanReport } from '../table/report.ts';

/** `baseline.json` of a version: what inputs and answers looked like when it was made, for those who watch for drift. */
export interface Baseline {
  rows: number;
  columns: {
    name: string;
    type: ColumnType;
    missing: number;
    distinct?: number;
    number?: { min: number; max: number; mean: number; std: number; q25: number; median: number; q75: number };
    top?: { value: string; count: number }[];
  }[];
  /** On the test rows: the mean probability of each class, or the distribution of the value. */
  answers:
    | { classes: { label: string; meanProbability: number; share: number }[] }
    | { mean: number; std: number; min: number; max: number };
}

export interface Gate {
  heldOut: HeldOut;
  parity: { testRows: number; edgeRows: number };
  baseline: Baseline;
  iterations?: IterationCurve;
  /** The training objective before the first iteration and after each, thinned to at most 60 of them. */
  objective?: [iteration: number, value: number][];
  seconds: number;
}

const mostPoints = 60;

export function thinObjective(curve: readonly number[]): [number, number][] {
  const count = Math.min(mostPoints, curve.length);
  const at = (i: number) => (count === 1 ? 0 : Math.round((i * (curve.length - 1)) / (count - 1)));
  return Array.from({ length: count }, (_, i) => [at(i), curve[at(i)]!]);
}

/** @param answers those of the test rows, in order */
export function baselineOf(report: CleanReport, preprocess: Preprocess, answers: Answered): Baseline {
  const reported = new Map(report.columns.map((column) => [column.name, column]));
  const columns = preprocess.columns.map((fitted) => {
    const { name } = fitted;
    const { missing, distinct, number, top } = reported.get(name)!;
    return {
      name,
      type: columnTypeOf(fitted),
      missing,
      ...(distinct !== undefined && { distinct }),
      ...(number && { number }),
      ...(top && { top }),
    };
  });
  return { rows: report.rows.kept, columns, answers: describeAnswers(answers, preprocess.classes ?? []) };
}

function describeAnswers(answers: Answered, labels: string[]): Baseline['answers'] {
  if (answers.task === 'classification') {
    const { probabilities, classes, labels: chosen } = answers;
    const rows = chosen.length;
    return {
      classes: labels.map((label, k) => {
        let sum = 0;
        for (let row = 0; row < rows; row++) sum += probabilities[row * classes + k]!;
        return { label, meanProbability: sum / rows, share: chosen.filter((of) => of === k).length / rows };
      }),
    };
  }
  const { values } = answers;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  const sorted = values.toSorted();
  return { mean, std, min: sorted[0]!, max: sorted.at(-1)! };
}
