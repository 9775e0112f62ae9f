/**
 * 200 rounds of 31 leaves, two threads, on 200,000 × 30 made rows, against LightGBM, as it is and with quantised gradients: seconds from
 * data in memory to fitted model, in a fresh process each, and log loss on 50,000 held-out rows. A round has a table and a seed of its own:
 * on one table the loss of either side is within 1 % or so a matter of luck, so its means are compared.
 */
import { alternate, machine, type Result, runSide } from './alternate.ts';
import { makeTable } from './data.ts';

const [rows, columns, held] = [200_000, 30, 50_000] as const;
const tables = ['made', 'made-1', 'made-2', 'made-3', 'made-4', 'made-5', 'made-6', 'made-7', 'made-8', 'made-9'] as const;

export default async function boosting(): Promise<Result> {
  const folders = tables.map((name) => makeTable(name, rows + held, columns));
  const results = [];
  for (const [rival, quantized] of [
    ['LightGBM', '0'],
    ['LightGBM, use_quantized_grad', '1'],
  ] as const) {
    const losses = { ours: [] as number[], rival: [] as number[] };
    const side = async (which: keyof typeof losses, file: string, ...more: string[]) => {
      const seed = losses[which].length;
      const run = await runSide(file, [folders[seed]!, String(rows), String(seed), ...more]);
      losses[which].push(run['logLoss']!);
      return run;
    };
    const { ours, rival: theirs } = await alternate(
      () => side('ours', 'boosting.ours.ts'),
      () => side('rival', 'boosting.rival.py', quantized),
      tables.length,
    );
    const [ourLoss, rivalLoss] = [mean(losses.ours), mean(losses.rival)];
    results.push({
      against: rival,
      ratio: theirs.seconds / ours.seconds,
      ours: { ...ours, logLoss: ourLoss },
      rival: { ...theirs, logLoss: rivalLoss },
    });
  }
  const least = results.reduce((a, b) => (a.ratio < b.ratio ? a : b));
  return {
    bench: 'boosting',
    ratio: least.ratio,
    ours: least.ours.seconds,
    rival: least.rival.seconds,
    unit: 's',
    same_work: results.every(({ ours, rival }) => ours.logLoss <= rival.logLoss * 1.005),
    results,
    machine: machine(),
  };
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
