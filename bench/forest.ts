/**
 * 100 trees with the default parameters, two threads, on 67,000 × 20 and 500,000 × 40 made rows, against scikit-learn's
 * RandomForestClassifier(n_jobs=2): seconds from data in memory to fitted model, in a fresh process each, and accuracy on 50,000 held-out rows.
 */
import { alternate, machine, type Result, runSide } from './alternate.ts';
import { makeTable } from './data.ts';

const held = 50_000;
const sizes = [
  { rows: 67_000, columns: 20, rounds: 5 },
  { rows: 500_000, columns: 40, rounds: 2 },
];

export default async function forest(): Promise<Result> {
  const results = [];
  for (const { rows, columns, rounds } of sizes) {
    const folder = makeTable('made', rows + held, columns);
    let seed = 0;
    const { ours, rival } = await alternate(
      () => runSide('forest.ours.ts', [folder, String(rows), String(seed)]),
      () => runSide('forest.rival.py', [folder, String(rows), String(seed++)]),
      rounds,
    );
    results.push({ table: `${rows} × ${columns}`, ratio: rival.seconds / ours.seconds, ours, rival });
  }
  const least = results.reduce((a, b) => (a.ratio < b.ratio ? a : b));
  return {
    bench: 'forest',
    ratio: least.ratio,
    ours: least.ours.seconds,
    rival: least.rival.seconds,
    unit: 's',
    same_work: results.every(({ ours, rival }) => ours['accuracy']! >= rival['accuracy']!),
    results,
    machine: machine(),
  };
}
