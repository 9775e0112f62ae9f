/** How held-out loss falls with a model's parts: trees of a forest, rounds of boosting. */
import { takeTarget } from '../features/split.ts';
import type { FittedModel, Matrix, Target } from '../models/model.ts';
import { score } from '../search/metrics.ts';
import type { MetricName } from '../spec.ts';
import { importanceLoss } from './importance.ts';
import { drawRows, rowsOf } from './rows.ts';

export interface IterationCurve {
  loss: MetricName;
  /** [parts, held-out loss of the model of the first so many parts, before calibration]: 1, 2, 4 … and all. */
  points: [number, number][];
}

const mostRows = 500;

/** @param x features of the test rows. @returns undefined where the model has no nested parts */
export async function iterationCurve(
  model: Pick<FittedModel, 'steps' | 'first'>,
  x: Matrix,
  truth: Target,
  seed: number,
): Promise<IterationCurve | undefined> {
  const { steps } = model;
  if (steps === undefined || !model.first) return undefined;
  const rows = drawRows(rowsOf(truth), mostRows, seed);
  const [some, own] = [takeMatrix(x, rows), takeTarget(truth, rows)];
  const loss = importanceLoss[truth.task];
  const points: [number, number][] = [];
  for (let parts = 1; ; parts = Math.min(parts * 2, steps)) {
    points.push([parts, score(own, await model.first(parts).predict(some))[loss]!]);
    if (parts === steps) return { loss, points };
  }
}

function takeMatrix(x: Matrix, rows: Int32Array): Matrix {
  const data = new Float32Array(rows.length * x.columns);
  for (let column = 0; column < x.columns; column++)
    for (let i = 0; i < rows.length; i++) data[column * rows.length + i] = x.data[column * x.rows + rows[i]!]!;
  return { ...x, rows: rows.length, data };
}
