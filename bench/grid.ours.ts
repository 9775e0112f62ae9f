/** `grid.ours.ts <folder>`: the default plan (36 candidates, 5 folds) from data in memory to leaderboard. */
import { planSearch } from '../core/search/plan-search.ts';
import { runTrial } from '../core/search/run-trial.ts';
import { select } from '../core/search/selection.ts';
import { readTable } from './data.ts';

const { x, y } = readTable(process.argv[2]!);
const started = performance.now();
const plan = planSearch({ run: 'bench', dataset: 'bench', revision: 'bench', task: y.task, spec: {}, rows: x.rows });
const results = [];
for (const { id } of plan.trials) results.push(await runTrial(plan, id, x, y, { workers: 2 }));
const { entries } = select(plan, results);
const seconds = (performance.now() - started) / 1000;
const peakMegabytes = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ seconds, accuracy: entries[0]!.mean.accuracy, candidates: entries.length, folds: plan.folds, peakMegabytes }));
