/**
 * Support vector machines on made rows, from data in memory to fitted model, in a fresh process each: `rbf` against scikit-learn's SVC, which
 * does not give probabilities then (ours always does), `probabilities` against SVC that does, `regression` against SVR, `linear` against
 * LinearSVC, and `path`: four values of C, fitted and asked about 5,000 held-out rows. Same work is a score (accuracy, or R²) on 5,000 held-out
 * rows no lower by 0.005. The ratio is of processor seconds, since one side's threads wait for the other's programs on a busy machine.
 */
import { alternate, machine, type Result, runSide } from './alternate.ts';
import { makeTable } from './data.ts';

const tasks = { rbf: 8000, probabilities: 8000, regression: 5000, path: 4000, linear: 200_000 };
const held = 5000;
const rounds = 3;
const near = 0.005;

export default async function svm(): Promise<Result> {
  const folder = makeTable('made', 205_000, 20);
  const results = [];
  for (const [task, rows] of Object.entries(tasks)) {
    const args = [folder, String(rows), task];
    const { ours, rival } = await alternate(
      () => runSide('svm.ours.ts', args),
      () => runSide('svm.rival.py', args),
      rounds,
    );
    const same = ours['score']! >= rival['score']! - near;
    results.push({ task, table: `${rows} × 20, ${held} held out`, ratio: rival['coreSeconds']! / ours['coreSeconds']!, same, ours, rival });
  }
  const least = results.reduce((a, b) => (a.ratio < b.ratio ? a : b));
  return {
    bench: 'svm',
    ratio: least.ratio,
    ours: least.ours['coreSeconds']!,
    rival: least.rival['coreSeconds']!,
    unit: 'processor seconds',
    same_work: results.every(({ same }) => same),
    results,
    machine: machine(),
  };
}
