import { expect, test } from 'vitest';
import { modelKeys } from '../../core/keys.ts';
import { getJson } from '../../core/object-store.ts';
import { Random } from '../../core/random.ts';
import type { ModelCard } from '../../core/registry/card.ts';
import { metrics } from '../../core/search/metrics.ts';
import { metricKeys } from '../../core/spec.ts';
import { Laboratory } from './laboratory.ts';

const random = new Random(3);
const rows = Array.from({ length: 150 }, () => {
  const [a, b] = [random.uniform(), random.uniform()];
  const value = 2 * a - b + 0.4 * random.uniform();
  return { a, b, number: value, class: value > 1.2 ? 'high' : value > 0.4 ? 'middle' : 'low' };
});

test.each([...metricKeys.map((metric) => [metric, 'auto'] as const), ['mcc', 'grid'] as const, ['mae', 'grid'] as const])(
  '%s is what the search goes by, what ranks the leaderboard and what the card is told in: %s',
  async (metric, search) => {
    const { task, better } = metrics[metric];
    const lab = new Laboratory();
    const grids = { linear: { alpha: [0.001, 10] } };
    const spec = { metric, search, families: ['linear'], folds: 2, ...(search === 'grid' && { grids }) };
    await lab.rawData.put('raw/d/dataset.json', JSON.stringify(spec));
    const lines = rows.map((row) => [row.a, row.b, task === 'regression' ? row.number : row.class].join(','));
    await lab.prepare(await lab.upload('raw/d/d.csv', ['a,b,y', ...lines].join('\n')));
    await lab.runAll();
    const card = (await getJson<ModelCard>(lab.rawModels, modelKeys.card('d', 1)))!;
    expect([card.task, card.metric, card.leaderboard.metric]).toEqual([task, metric, metric]);
    const means = card.leaderboard.entries.map(({ mean }) => mean[metric]!);
    expect(means.length).toBeGreaterThan(1);
    expect(means).toEqual(means.toSorted((x, y) => (better === 'higher' ? y - x : x - y)));
    expect(card.heldOut.scores[metric]).toEqual(expect.any(Number));
    expect(card.heldOut.intervals![metric]).toHaveLength(2);
    if (search === 'auto') expect(better === 'higher' ? card.score! >= means[0]! - 0.1 : card.score! <= means[0]! + 0.1).toBe(true);
  },
);
