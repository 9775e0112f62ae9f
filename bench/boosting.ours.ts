/** `boosting.ours.ts <folder> <train rows> <seed>`: fits 200 rounds on the first rows and asks them about the others. */
import { boosting } from '../core/models/boosting/boosting.ts';
import { score } from '../core/search/metrics.ts';
import { readTable } from './data.ts';

const [folder, train, seed] = process.argv.slice(2) as [string, string, string];
const { x, y } = readTable(folder, 0, Number(train));
const started = performance.now();
const model = await boosting.fit(x, y, { nEstimators: 200, maxLeaves: 31 }, { seed: Number(seed), workers: 2 });
const seconds = (performance.now() - started) / 1000;
const peakMegabytes = process.resourceUsage().maxRSS / 1024;
const held = readTable(folder, Number(train), Number(train) + 50_000);
const { logLoss } = score(held.y, await model.predict(held.x));
console.log(JSON.stringify({ seconds, logLoss, peakMegabytes }));
