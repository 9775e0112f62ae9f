/** `linear.ours.ts <folder> <train rows> <logistic | elasticnet | gram>`: fits the first rows; the objective there and the loss on the others. */
import { linear } from '../core/models/linear/linear.ts';
import type { LinearModel } from '../core/models/linear/linear-model.ts';
import type { Target } from '../core/models/model.ts';
import { score } from '../core/search/metrics.ts';
import { readTable, type Table } from './data.ts';

const [folder, rows, task] = process.argv.slice(2) as [string, string, string];
const train = Number(rows);

/** An elastic net is to tell the class's number. */
function problem({ x, y }: Table): { x: Table['x']; y: Target } {
  return { x, y: task === 'logistic' ? y : { task: 'regression', values: Float64Array.from(y.labels) } };
}

const params = task === 'logistic' ? { alpha: 1 / train, tol: 1e-4 } : { penalty: 'elasticnet', alpha: 0.01 };
const { x, y } = problem(readTable(folder, 0, train));
const started = performance.now();
const model = (await linear.fit(x, y, params, { seed: 0, workers: 2 })) as LinearModel;
const seconds = (performance.now() - started) / 1000;
const peakMegabytes = process.resourceUsage().maxRSS / 1024;
const held = problem(readTable(folder, train, train + 50_000));
const { logLoss, rmse } = score(held.y, await model.predict(held.x));
console.log(JSON.stringify({ seconds, objective: model.learningCurve.at(-1), held: logLoss ?? rmse, peakMegabytes }));
