/**
 * 200 rounds of 31 leaves, two threads, on 200,000 × 30 made rows, against LightGBM, as it is and with quantised gradients: seconds from
 * data in memory to fitted model, in a fresh process each, and log loss on 50,000 held-out rows.
 */
import { alternate, machine, type Result, runSide } from './alternate.ts';
import { makeTable } from './data.ts';

const [rows, columns, held, rounds] = [200_000, 30, 50_000, 3] as const;

export default async function boosting(): Promise<Result> {
  const folder = makeTable('made', rows + held, columns);
  const results = [];
  for (const [rival, quantized] of [
    ['LightGBM', '0'],
    ['LightGBM, use_quantized_grad', '1'],
  ] as const) {
    let seed = 0;
    const { ours, rival: theirs } = await alternate(
      () => runSide('boosting.ours.ts', [folder, String(rows), String(seed)]),
      () => runSide('boosting.rival.py', [folder, String(rows), String(seed++), quantized]),
      rounds,
    );
    results.push({ against: rival, ratio: theirs.seconds / ours.seconds, ours, rival: theirs });
  }
  const least = results.reduce((a, b) => (a.ratio < b.ratio ? a : b));
  return {
    bench: 'boosting',
    ratio: least.ratio,
    ours: least.ours.seconds,
    rival: least.rival.seconds,
    unit: 's',
    same_work: results.every(({ ours, rival }) => ours['logLoss']! <= rival['logLoss']! * 1.005),
    results,
    machine: machine(),
  };
}
