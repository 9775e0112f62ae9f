/** Permutation importance (Breiman 2001; Fisher, Rudin and Dominici 2019): how much worse answers are where a raw column is shuffled. */
import type { Answered } from '../answers/answers.ts';
import type { Target } from '../models/model.ts';
import { mix32, Random } from '../random.ts';
import { score } from '../search/metrics.ts';
import type { RawRows } from '../serving/rows.ts';

export interface Importance {
  column: string;
  /** By how much the loss rises, its mean and standard deviation over the repeats. */
  mean: number;
  std: number;
}

/** Log loss and RMSE notice every change of an answer, where a label's metrics see only those that change a label. */
export const importanceLoss = { classification: 'logLoss', regression: 'rmse' } as const;

/**
 * @param run answers rows, as the graph does
 * @param rows the test rows, or some of them, and their truth
 * @param isOver whether the time is over: then the repeats of all columns count that are done
 * @returns the most important column first; none where there was no time for all
 */
export function permutationImportance(
  run: (rows: RawRows) => Answered,
  columns: readonly string[],
  rows: RawRows,
  truth: Target,
  { repeats, seed, isOver = () => false }: { repeats: number; seed: number; isOver?: () => boolean },
): { repeats: number; columns: Importance[] } {
  const loss = (answered: Answered) => score(truth, answered)[importanceLoss[truth.task]]!;
  const plain = loss(run(rows));
  const rounds: number[][] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const rises: number[] = [];
    for (let at = 0; at < columns.length && !isOver(); at++) {
      const order = new Random(mix32(mix32(seed, at), repeat)).shuffle(Int32Array.from({ length: rows.rows }, (_, row) => row));
      rises.push(loss(run(withColumn(rows, at, shuffled(rows.columns[at]!, order)))) - plain);
    }
    if (rises.length < columns.length) break;
    rounds.push(rises);
  }
  const times = rounds.length;
  const found = (times === 0 ? [] : columns).map((column, at) => {
    const mean = rounds.reduce((sum, rises) => sum + rises[at]!, 0) / times;
    return { column, mean, std: Math.sqrt(rounds.reduce((sum, rises) => sum + (rises[at]! - mean) ** 2, 0) / times) };
  });
  return { repeats: times, columns: found.sort((a, b) => b.mean - a.mean) };
}

export function withColumn({ rows, columns }: RawRows, at: number, column: RawRows['columns'][number]): RawRows {
  return { rows, columns: columns.map((each, i) => (i === at ? column : each)) };
}

function shuffled(column: RawRows['columns'][number], order: Int32Array): RawRows['columns'][number] {
  if (Array.isArray(column)) return Array.from(order, (row) => column[row]!);
  const taken = column.slice();
  for (let i = 0; i < order.length; i++) taken[i] = column[order[i]!]!;
  return taken;
}
