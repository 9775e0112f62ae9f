/** `svm.ours.ts <folder> <train rows> <rbf | probabilities | linear | regression | path>`: fits the first rows; the score on the others. */
import type { Params, Target } from '../core/models/model.ts';
import { svm } from '../core/models/svm/svm.ts';
import { score } from '../core/search/metrics.ts';
import { readTable, type Table } from './data.ts';

const held = 5000;
const [folder, rows, task] = process.argv.slice(2) as [string, string, string];
const train = Number(rows);

/** A regression is to tell a product and a sum of columns. */
function problem({ x, y }: Table): { x: Table['x']; y: Target } {
  if (task !== 'regression') return { x, y };
  const at = (row: number, column: number) => x.data[column * x.rows + row]!;
  return { x, y: { task: 'regression', values: Float64Array.from(y.labels, (_, row) => at(row, 0) * at(row, 1) + at(row, 2)) } };
}

const params: Params = { kernel: task === 'linear' ? 'linear' : 'rbf' };
const { x, y } = problem(readTable(folder, 0, train));
const unseen = problem(readTable(folder, train, train + held));
const context = { seed: 0, workers: 2 };
const before = process.cpuUsage();
const started = performance.now();
let found: number;
if (task === 'path') {
  const both = readTable(folder, 0, train + held);
  const place = (from: number, count: number) => Int32Array.from({ length: count }, (_, row) => from + row);
  const scores: number[] = [];
  const candidates = [0.1, 1, 10, 100].map((C) => svm.parse({ C }));
  for await (const { predictions } of svm.predictGrid(both.x, both.y, place(0, train), place(train, held), candidates, context))
    scores.push(score(unseen.y, predictions).accuracy!);
  found = scores.reduce((a, b) => a + b) / scores.length;
} else found = 0;
const model = task === 'path' ? undefined : await svm.fit(x, y, params, context);
const seconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage(before);
const peakMegabytes = process.resourceUsage().maxRSS / 1024;
if (model) {
  const { accuracy, r2 } = score(unseen.y, await model.predict(unseen.x));
  found = accuracy ?? r2!;
}
console.log(JSON.stringify({ seconds, coreSeconds: (user + system) / 1e6, score: found, peakMegabytes }));
