import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { Random } from '../../core/random.ts';
import type { DatasetSpec } from '../../core/spec.ts';
import { balancedAccuracy, explained } from '../../core/table/detect/single-column.ts';
import { clean, column } from './cleaning.ts';

/** Customers that leave or stay, by two honest columns and chance. */
const random = new Random(1);
const customers = Array.from({ length: 400 }, () => {
  const [age, calls] = [20 + random.below(50), random.below(9)];
  const leaves = age / 70 + calls / 9 + random.uniform() > 1.6;
  return {
    age,
    calls,
    plan: ['basic', 'free', 'pro'][random.below(3)]!,
    leaves,
    spent: Math.round(100 * (age * 3 + calls * 20 + random.uniform() * 90)) / 100,
  };
});

/** The table with one more column, before the target, which is the last. */
function withColumn(target: 'leaves' | 'spent', extra?: (row: (typeof customers)[number]) => unknown): string {
  const lines = customers.map((row) => [
    row.age,
    row.calls,
    row.plan,
    ...(extra ? [extra(row)] : []),
    target === 'leaves' ? (row.leaves ? 'yes' : 'no') : row.spent,
  ]);
  return [['age', 'calls', 'plan', ...(extra ? ['extra'] : []), target], ...lines].map((line) => line.join(',')).join('\n');
}

const upload = (text: string, spec: DatasetSpec = {}) => clean({ 'customers.csv': text }, { duplicates: 'keep', ...spec });

describe('a column that gives the target away is quarantined', () => {
  it.each<[string, 'leaves' | 'spent', (row: (typeof customers)[number]) => unknown, object, RegExp]>([
    [
      'the target as numbers',
      'leaves',
      ({ leaves }) => Number(leaves),
      { kind: 'copy', score: 1 },
      /each of its values goes with one value of the target in all 400 rows/,
    ],
    ['the target in other words', 'leaves', ({ leaves }) => (leaves ? 'churned' : 'active'), { kind: 'copy' }, /gives the target away/],
    ['the target, often missing', 'leaves', ({ leaves, age }) => (age % 2 ? '' : leaves ? 'churned' : 'active'), { kind: 'copy' }, /gives/],
    ['the same amount', 'spent', ({ spent }) => spent, { kind: 'copy' }, /gives/],
    [
      'the amount in another scale',
      'spent',
      ({ spent }) => Math.log(spent).toFixed(6),
      { kind: 'monotone' },
      /Spearman correlation (1|0\.999\d*) in 400 rows/,
    ],
    ['the amount, negative', 'spent', ({ spent }) => -spent / 1.1, { kind: 'monotone' }, /Spearman correlation -(1|0\.999\d*) in/],
    [
      'a refund that only leavers get',
      'leaves',
      ({ leaves, age }) => (leaves ? 10 + (age % 30) : ''),
      { kind: 'afterwards' },
      /balanced accuracy 1 by itself, the next best column 0\.[67]/,
    ],
    [
      'the amounts in another order',
      'spent',
      ({ spent }) => (spent < 200 ? 1000 - spent : spent),
      { kind: 'afterwards' },
      /R² of ranks 0\.9[89]\d+ by itself/,
    ],
  ])('%s', async (_, target, extra, leak, why) => {
    const { report, names } = await upload(withColumn(target, extra));
    expect(names).toEqual(['age', 'calls', 'plan', target]);
    expect(column(report, 'extra')).toMatchObject({ role: 'ignored', leak: { ...leak, treatment: 'quarantined' } });
    expect(column(report, 'extra').why).toMatch(why);
    expect(report.changes).toContainEqual({ column: 'extra', reason: expect.stringContaining('column quarantined: it gives'), count: 400 });
  });

  it('but kept where dataset.json says that it is a feature', async () => {
    const { report, names } = await upload(
      withColumn('leaves', ({ leaves }) => Number(leaves)),
      { columns: { extra: { role: 'feature' } } },
    );
    expect(names).toContain('extra');
    expect(column(report, 'extra')).toMatchObject({ role: 'feature', leak: { kind: 'copy', treatment: 'kept' } });
  });

  it('and kept where nothing else would be left', async () => {
    const { report } = await upload(`x,y\n${Array.from({ length: 200 }, (_, i) => `${i * 3.5},${i * 2}`).join('\n')}`, {
      columns: { x: { type: 'number' } },
    });
    expect(column(report, 'x')).toMatchObject({ role: 'feature' });
  });
});

describe('a column that is merely good is a feature', () => {
  it.each(['breast-cancer/breast-cancer.csv', 'auto-mpg/auto-mpg.jsonl', 'penguins/penguins.csv'])('%s', async (path) => {
    const folder = resolve(import.meta.dirname, '../../examples');
    const spec = path.startsWith('penguins') ? JSON.parse(readFileSync(resolve(folder, 'penguins/dataset.json'), 'utf8')) : {};
    const { report } = await clean({ [path]: readFileSync(resolve(folder, path)) }, spec);
    expect(report.columns.filter(({ leak, personal }) => leak || personal)).toEqual([]);
  });

  it('also where it tells 97 of 100 rows', async () => {
    let row = 0;
    const { report } = await upload(withColumn('leaves', ({ leaves }) => (row++ % 33 === 0 ? !leaves : leaves)));
    expect(column(report, 'extra').leak).toBeUndefined();
  });
});

it('columns that equal another are named', async () => {
  const { report } = await upload(withColumn('leaves', ({ plan }) => ({ basic: 1, free: 0, pro: 2 })[plan]));
  expect(column(report, 'extra')).toMatchObject({ role: 'feature', sameAs: 'plan' });
});

describe('a column that has the values of another in every row', () => {
  const twice = withColumn('leaves', ({ plan }) => ` ${plan}`);

  it('is left out of the clean table, and the report says so', async () => {
    const { report, rows } = await upload(twice);
    expect(column(report, 'extra')).toMatchObject({ role: 'ignored', sameAs: 'plan', why: "it equals 'plan' in every row" });
    expect(report.changes).toContainEqual({ column: 'extra', reason: "column left out: it equals 'plan' in every row", count: 400 });
    expect(rows[0]).toHaveLength(4);
  });

  it('stays where the spec calls it a feature, or the rows are split by it', async () => {
    const { report } = await upload(twice, { columns: { extra: { role: 'feature' } } });
    expect(column(report, 'extra')).toMatchObject({ role: 'feature', sameAs: 'plan' });
    const grouped = (await upload(twice, { groups: 'extra' })).rows;
    expect(grouped[0]).toHaveLength(5);
  });

  it('stays where one row among many says otherwise, or its numbers are in another scale', async () => {
    const long = (last: number) =>
      `a,b,c,y\n${Array.from({ length: 30_000 }, (_, i) => `${i % 97},${i === 29_001 ? last : i % 97},${((i * 7919) % 89) + 0.5},${(i * 31) % 2 ? 'no' : 'yes'}`).join('\n')}`;
    expect(column((await upload(long(29_001 % 97))).report, 'b').role).toBe('ignored');
    expect(column((await upload(long(5))).report, 'b').role).toBe('feature');
    const { report } = await upload(withColumn('leaves', ({ calls }) => calls ** 2));
    expect(column(report, 'extra')).toMatchObject({ role: 'feature', sameAs: 'calls' });
  });
});

test('one column alone is judged as its rows’ neighbours say, each row by the others', () => {
  const values = Float64Array.from({ length: 200 }, (_, i) => i);
  const numbers = { name: 'x', isNumber: true, values };
  expect(
    balancedAccuracy(
      numbers,
      Int32Array.from(values, (x) => (x < 100 ? 0 : 1)),
      2,
    ),
  ).toBe(0.995);
  // Each value is its row's alone: there is nobody to learn from.
  expect(
    balancedAccuracy(
      { ...numbers, isNumber: false },
      Int32Array.from(values, (x) => x % 2),
      2,
    ),
  ).toBe(0);
  expect(
    explained(
      numbers,
      Float64Array.from(values, (x) => (x - 100) ** 2),
    ),
  ).toBeGreaterThan(0.99);
  expect(
    explained(
      numbers,
      Float64Array.from(values, (x) => (x * 7919) % 199),
    ),
  ).toBeLessThan(0.3);
});

describe('where a budget is short', () => {
  const lines = Array.from({ length: 6000 }, () => {
    const odd = random.below(2);
    return `${random.below(1000)},${7 + odd},${odd === 1 ? 'odd' : 'even'}`;
  });
  const table = { 'numbers.csv': `noise,copy,parity\n${lines.join('\n')}\n` };
  const leakOf = async (isHurried: boolean) => {
    const { report } = await clean(table, { duplicates: 'keep' }, 2, undefined, isHurried);
    return { leak: column(report, 'copy').leak, told: report.inferred.filter(({ what }) => what === 'leaks') };
  };

  test('leaks are looked for in fewer rows, and found, and the report says so', async () => {
    const [usual, hurried] = [await leakOf(false), await leakOf(true)];
    expect(usual).toMatchObject({ leak: { kind: 'copy' }, told: [] });
    expect(hurried).toMatchObject({ leak: { kind: 'copy' }, told: [{ value: expect.stringMatching(/^looked for in [23]\d{3} rows$/) }] });
  });
});
