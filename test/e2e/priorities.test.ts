import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { jobsOf, occupy, uploadToBatch } from './batch.ts';
import { Laptop, type RunSummary } from './laptop.ts';

const csv = readFileSync(resolve(import.meta.dirname, '../../examples/breast-cancer/breast-cancer.csv'));

const grids = { forest: { nEstimators: [20], maxDepth: [5], minSamplesSplit: [2] } };

/** Ten datasets, the least urgent first. */
const priorities = { later: 10, normal: 50, urgent: 90 };
const counts = { later: 4, normal: 3, urgent: 3 };

test('of ten datasets at once, the urgent are done first, and none starves', { timeout: 300_000 }, async () => {
  const laptop = await Laptop.start({ env: { INGOT_BATCH_VCPUS: '2' } });
  try {
    const datasets = Object.entries(counts).flatMap(([kind, count]) => Array.from({ length: count }, (_, place) => `${kind}-${place}`));
    // All wait for machines before the first is there.
    const begin = await occupy(laptop, 2);
    for (const dataset of datasets) {
      await uploadToBatch(laptop, dataset, csv, { grids, priority: priorities[dataset.split('-')[0] as keyof typeof priorities] });
    }
    const waiting = async () =>
      new Set((await jobsOf(laptop)).flatMap(({ jobName, status }) => (status === 'RUNNABLE' ? jobName : []))).size;
    await laptop.until('ten runs that wait for machines', async () => ((await waiting()) === datasets.length ? true : undefined), 180);
    await begin();
    for (const dataset of datasets) await laptop.finished(dataset, 180);

    const { runs } = await laptop.get<{ runs: RunSummary[] }>('runs');
    expect(runs.map(({ status }) => status)).toEqual(datasets.map(() => 'SUCCEEDED'));
    const details = await Promise.all(runs.map(({ id }) => laptop.get<RunSummary & { seconds: number }>(`runs/${id}`)));
    const ends = details.map(({ dataset, startedAt, seconds }) => ({ dataset, end: Date.parse(startedAt) + seconds * 1000 }));
    const order = ends.sort((a, b) => a.end - b.end).map(({ dataset }) => dataset.split('-')[0] as keyof typeof priorities);
    // Shares overlap, since none starves: the mean place says who was first.
    const place = (kind: keyof typeof priorities) =>
      order.reduce((sum, each, index) => sum + (each === kind ? index : 0), 0) / counts[kind];
    expect(place('urgent')).toBeLessThan(place('normal'));
    expect(place('normal')).toBeLessThan(place('later'));
    expect(order.slice(0, 2)).toEqual(['urgent', 'urgent']);
  } finally {
    await laptop.stop();
  }
});
