/**
 * A network of two hidden layers of 64 units on 20,000 × 20 made rows, 20 epochs of Adam in batches of 200, from data in memory to fitted model, in a fresh
 * process each: against scikit-learn's MLPClassifier and against TensorFlow.js on its WebAssembly backend. Ours is told to leave out what the others
 * do not have (ranges of numbers, normalisation, dropout). Same work is an accuracy on 5,000 held-out rows no lower by 0.005. The ratio is of
 * processor seconds, since one side's threads wait for the other's programs on a busy machine.
 */
import { alternate, machine, type Result, runSide } from './alternate.ts';
import { makeTable } from './data.ts';

const rivals = { 'scikit-learn': 'network.rival.py', 'tfjs-backend-wasm': 'network.tfjs.ts' };
const rows = 20_000;
const held = 5000;
const rounds = 3;
const near = 0.005;

export default async function network(): Promise<Result> {
  const args = [makeTable('made', rows + held, 20), String(rows)];
  const results = [];
  for (const [rival, file] of Object.entries(rivals)) {
    const both = await alternate(
      () => runSide('network.ours.ts', args),
      () => runSide(file, args),
      rounds,
    );
    const same = both.ours['score']! >= both.rival['score']! - near;
    results.push({ rival, ratio: both.rival['coreSeconds']! / both.ours['coreSeconds']!, same, found: both });
  }
  const least = results.reduce((a, b) => (a.ratio < b.ratio ? a : b));
  return {
    bench: 'network',
    ratio: least.ratio,
    ours: least.found.ours['coreSeconds']!,
    rival: least.found.rival['coreSeconds']!,
    unit: 'processor seconds',
    same_work: results.every(({ same }) => same),
    results,
    machine: machine(),
  };
}
