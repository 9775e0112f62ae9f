/** The rows that a fold of a rung trains on and is validated on: the fold's own, or a sample of them drawn by seed. */
import type { RowKeys } from '../../features/row-keys.ts';
import type { Target } from '../../models/model.ts';
import { mix32, Random } from '../../random.ts';
import { type Fold, foldOf } from '../folds.ts';
import type { Plan, Rung, Trial } from '../plan.ts';

const [trainSeed, validSeed] = [11, 12] as const;

/** Row numbers, ascending. */
export function rungRows(plan: Pick<Plan, 'folds' | 'seed'>, rung: Rung, y: Target, fold: number, by?: RowKeys): Fold {
  const { train, valid } = foldOf(y, plan, fold, by);
  return {
    train: sample(train, rung.trainRows, mix32(plan.seed, trainSeed) + fold),
    valid: sample(valid, rung.validRows, mix32(plan.seed, validSeed) + fold),
  };
}

/** All that a trial needs of the train rows, ascending. */
export function trialRows(plan: Plan, { rung, fold }: Trial, y: Target, by?: RowKeys): Int32Array {
  const { train, valid } = rungRows(plan, plan.rungs![rung!]!, y, fold, by);
  const rows = new Int32Array(train.length + valid.length);
  rows.set(train);
  rows.set(valid, train.length);
  return rows.sort();
}

/** Where a fold's rows are among `rows`, which ascend as they do. */
export function placesIn(rows: Int32Array, { train, valid }: Fold): Fold {
  const placesOf = (some: Int32Array) => {
    let place = 0;
    return some.map((row) => {
      while (rows[place]! < row) place++;
      return place;
    });
  };
  return { train: placesOf(train), valid: placesOf(valid) };
}

function sample(rows: Int32Array, most: number, seed: number): Int32Array {
  if (rows.length <= most) return rows;
  return new Random(seed).shuffle(rows.slice()).slice(0, most).sort();
}
