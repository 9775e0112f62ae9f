/**
 * On 200,000 × 30 made rows, seconds from data in memory to fitted model, in a fresh process each: logistic regression with an L2 penalty
 * (C = 1) against scikit-learn's LogisticRegression(solver='lbfgs'), and an elastic net that tells the class's number against ElasticNet as it
 * comes and with precompute=True ('gram'). The rival runs with one thread and with two, and the faster counts: on a busy machine its two
 * threads wait for each other. Same work is a penalised train loss no higher than the rival's by 1e-5 of it, and a loss on 50,000 held-out
 * rows no higher by 1e-4 of it.
 */
import { alternate, machine, type Result, type Run, runSide } from './alternate.ts';
import { makeTable } from './data.ts';

const train = 200_000;
const rounds = 5;

export default async function linear(): Promise<Result> {
  const folder = makeTable('made', train + 50_000, 30);
  const results = [];
  for (const task of ['logistic', 'elasticnet', 'gram']) {
    const { ours, rival } = await alternate(
      () => runSide('linear.ours.ts', [folder, String(train), task]),
      () => faster(['1', '2'].map((threads) => () => runSide('linear.rival.py', [folder, String(train), task, threads]))),
      rounds,
    );
    const same = ours['objective']! <= rival['objective']! * (1 + 1e-5) && ours['held']! <= rival['held']! * 1.0001;
    results.push({ task, ratio: rival.seconds / ours.seconds, same, ours, rival });
  }
  const least = results.reduce((a, b) => (a.ratio < b.ratio ? a : b));
  return {
    bench: 'linear',
    ratio: least.ratio,
    ours: least.ours.seconds,
    rival: least.rival.seconds,
    unit: 's',
    same_work: results.every(({ same }) => same),
    results,
    machine: machine(),
  };
}

async function faster(runs: (() => Promise<Run>)[]): Promise<Run> {
  const found: Run[] = [];
  for (const run of runs) found.push(await run());
  return found.reduce((a, b) => (a.seconds < b.seconds ? a : b));
}
