/** How held-out loss falls with a model's parts: trees of a forest, rounds of boosting. */
import { takeTarget } from '../features/split.ts';
import type { FittedModel, Matrix, Target } from '../models/model.ts';
import { takeMatrix } from '../models/take-matrix.ts';
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
  isOver: () => boolean = () => false,
): Promise<IterationCurve | undefined> {
  const { steps } = model;
  if (steps === undefined || !model.first || isOver()) return undefined;
  const rows = drawRows(rowsOf(truth), mostRows, seed);
  const [some, own] = [takeMatrix(x, rows), takeTarget(truth, rows)];
  const loss = importanceLoss[truth.task];
  const points: [number, number][] = [];
  for (let parts = 1; ; parts = Math.min(parts * 2, steps)) {
    points.push([parts, score(own, await model.first(parts).predict(some))[loss]!]);
    if (parts === steps) return { loss, points };
  }
}
