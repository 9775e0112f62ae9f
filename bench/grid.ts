/**
 * The default search (36 forests, 5 folds) on breast_cancer and on 5,000 × 20 made rows, against GridSearchCV(n_jobs=2): seconds from
 * data in memory to leaderboard, in a fresh process each, starting workers included on both sides. Ours also computes all the other
 * metrics of each candidate; the rival computes accuracy alone. Both get the same folds.
 */
import { writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { splitFolds } from '../core/search/folds.ts';
import { alternate, machine, type Result, runSide } from './alternate.ts';
import { makeTable, readTable } from './data.ts';

export default async function grid(): Promise<Result> {
  const results = [];
  for (const { table, rounds } of [
    { table: makeTable('breast_cancer'), rounds: 3 },
    { table: makeTable('made', 5000, 20), rounds: 1 },
  ]) {
    const { y } = readTable(table);
    const foldOf = new Int32Array(y.labels.length);
    for (const [fold, { valid }] of splitFolds(y, 5, 0).entries()) for (const row of valid) foldOf[row] = fold;
    writeFileSync(resolve(table, 'folds.i32'), foldOf);
    const { ours, rival } = await alternate(
      () => runSide('grid.ours.ts', [table]),
      () => runSide('grid.rival.py', [table]),
      rounds,
    );
    results.push({ table: basename(table), ratio: rival.seconds / ours.seconds, ours, rival });
  }
  const least = results.reduce((a, b) => (a.ratio < b.ratio ? a : b));
  return {
    bench: 'grid',
    ratio: least.ratio,
    ours: least.ours.seconds,
    rival: least.rival.seconds,
    unit: 's',
    same_work: results.every(({ ours, rival }) => Math.abs(ours['accuracy']! - rival['accuracy']!) <= 0.005),
    results,
    machine: machine(),
  };
}
