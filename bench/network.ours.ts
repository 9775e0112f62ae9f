/** `network.ours.ts <folder> <train rows>`: fits the first rows; the accuracy on the others. */
import { network } from '../core/models/network/network.ts';
import { score } from '../core/search/metrics.ts';
import { readTable } from './data.ts';

const [folder, rows] = process.argv.slice(2) as [string, string];
const { x, y } = readTable(folder, 0, Number(rows));
const unseen = readTable(folder, Number(rows));
const plain = { bins: 0, dropout: 0, weightDecay: 0, normalisation: 'none' };
const before = process.cpuUsage();
const started = performance.now();
const model = await network.fit(x, y, { ...plain, width: 64, epochs: 20, batchSize: 200 }, { seed: 0, workers: 2 });
const seconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage(before);
const peakMegabytes = process.resourceUsage().maxRSS / 1024;
const { accuracy } = score(unseen.y, await model.predict(unseen.x));
console.log(JSON.stringify({ seconds, coreSeconds: (user + system) / 1e6, score: accuracy, peakMegabytes }));
