import { describe, expect, it } from 'vitest';
import type { DatasetSpec } from '../../core/spec.ts';
import { clean, column } from './cleaning.ts';

/** A table of forty rows with one column to look at. */
async function reportOf(name: string, cells: readonly string[], spec: DatasetSpec = {}) {
  const lines = Array.from({ length: 40 }, (_, i) => `"${cells[i % cells.length]}",${(i * 7) % 11},${i % 3 ? 'yes' : 'no'}`);
  const { report, rows } = await clean({ 'a.csv': [`${name},n,y`, ...lines].join('\n') }, spec);
  return { ...column(report, name), changes: report.changes, cells: rows.map(([cell]) => cell) };
}

describe('dates', () => {
  it.each([
    ['when', ['2024-01-31', '2024-02-29', '1999-12-01'], 'YYYY-MM-DD'],
    ['when', ['2024-01-31T10:00:00Z', '2024-02-29T23:59:59.123+01:00', '1999-12-01'], 'YYYY-MM-DD'],
    ['when', ['2024-01-31 10:00', ' 2024-02-29 23:59:59', '1999-12-01 7:00:01.5'], 'YYYY-MM-DD'],
    ['when', ['2024/01/31', '2024/02/29 12:00', '1999/12/01'], 'YYYY/MM/DD'],
    ['when', ['31.01.2024', '29.2.2024', '1.12.1999 12:30'], 'DD.MM.YYYY'],
    ['when', ['31/01/2024', '29/02/2024', '01/12/1999'], 'DD/MM/YYYY'],
    ['when', ['01/31/2024', '2/29/2024', '12/1/1999'], 'MM/DD/YYYY'],
    ['when', ['31-01-2024', '29-02-2024', '01-12-1999'], 'DD-MM-YYYY'],
    ['when', ['20240131', '20240229', '19991201'], 'YYYYMMDD'],
    ['created_at', ['1706662800', '1709164800', '1700000000'], 'epoch seconds'],
    ['timestamp', ['1706662800123', '1709164800000', '1700000000999'], 'epoch milliseconds'],
    ['ts', ['1706662800123456', '1709164800000000', '1700000000999999'], 'epoch microseconds'],
    ['event_ts', ['1706662800123456789', '1709164800000000001', '1700000000999999999'], 'epoch nanoseconds'],
  ])('%s: %j are %s', async (name, cells, format) => {
    expect(await reportOf(name, cells)).toMatchObject({
      type: 'date',
      role: 'feature',
      date: format,
      why: `its values are dates (${format})`,
    });
  });

  it.each([
    ['amount', ['1706662800', '1709164800', '1700000000']],
    ['created_at', ['12', '17', '1700000000']],
    ['code', ['20240131', '20240229', '20249901']],
    ['version', ['1.2.2024', '1.13.2024', '15.15.2024']],
    ['when', ['2024-01-31', 'sometime', 'later']],
  ])('%s: %j are none', async (name, cells) => {
    expect((await reportOf(name, cells)).type).not.toBe('date');
  });

  it('that read alike with day and month swapped are taken month first, and the report says so', async () => {
    const cells = ['01/02/2024', '03/04/2024', '12/11/2023'];
    const { date, why } = await reportOf('when', cells);
    expect(date).toBe('MM/DD/YYYY');
    expect(why).toBe(
      'its values are dates (MM/DD/YYYY); every value could as well be DD/MM/YYYY: if so, say "dayFirst": true in dataset.json',
    );
    expect(await reportOf('when', cells, { columns: { when: { dayFirst: true } } })).toMatchObject({
      date: 'DD/MM/YYYY',
      why: expect.not.stringContaining('dayFirst'),
    });
  });

  it('are read as all rows say, where the first ones leave it open', async () => {
    const lines = Array.from(
      { length: 12_000 },
      (_, i) => `${i < 11_000 ? `0${(i % 9) + 1}/0${(i % 7) + 1}/2024` : '25/12/2024'},${i % 13}`,
    );
    const { report } = await clean({ 'a.csv': ['when,y', ...lines].join('\n') }, { duplicates: 'keep' });
    expect(column(report, 'when')).toMatchObject({ date: 'DD/MM/YYYY', missing: 0 });
  });

  it('that do not exist or are written otherwise become missing, counted; others keep their text', async () => {
    const { cells, missing, changes } = await reportOf('when', [
      ...Array.from({ length: 19 }, (_, i) => `2024-01-${i + 10}`),
      '2024-02-30',
    ]);
    expect(missing).toBe(2);
    expect(cells[0]).toBe('2024-01-10');
    expect(cells[19]).toBe(null);
    expect(changes).toContainEqual({ column: 'when', reason: 'not a date of the column’s format → missing ("2024-02-30")', count: 2 });
  });

  it('are what dataset.json says', async () => {
    const cells = ['2024-01-31', '2024-02-29', '1999-12-01'];
    expect(await reportOf('when', cells, { columns: { when: { type: 'category' } } })).toMatchObject({ type: 'category' });
    expect(await reportOf('when', ['x', '2024-01-01'], { columns: { when: { type: 'date' } }, duplicates: 'keep' })).toMatchObject({
      type: 'date',
      missing: 20,
    });
  });

  it('are labels where they are to be predicted', async () => {
    const { report } = await clean({
      'a.csv': ['n,y', ...Array.from({ length: 40 }, (_, i) => `${i % 7},2024-01-0${(i % 3) + 1}`)].join('\n'),
    });
    expect(report).toMatchObject({ task: 'classification', classes: ['2024-01-01', '2024-01-02', '2024-01-03'] });
  });
});

it('a category may have more values than are listed', async () => {
  const lines = Array.from({ length: 130_000 }, (_, i) => `key ${(i * 7919) % 60_000},${i % 13}`);
  const { report } = await clean({ 'a.csv': ['key,y', ...lines].join('\n') }, { duplicates: 'keep' });
  expect(column(report, 'key')).toMatchObject({ type: 'category', role: 'feature', distinct: 60_000 });
});

it('text of several words is kept as text, and what is a key is not', async () => {
  const lines = Array.from({ length: 60 }, (_, i) => `"Item ${i}, nicely made by hand",key${i},${i % 3},${i % 2 ? 'yes' : 'no'}`);
  const { report } = await clean({ 'a.csv': ['note,key,n,y', ...lines].join('\n') });
  expect(column(report, 'note')).toMatchObject({
    type: 'text',
    role: 'feature',
    why: 'its values are texts of several words, few of them twice',
  });
  expect(column(report, 'note')).not.toHaveProperty('top');
  expect(column(report, 'key')).toMatchObject({ role: 'ignored' });
  const spec = { columns: { key: { type: 'text' }, note: { type: 'category', role: 'feature' } } } satisfies DatasetSpec;
  const { report: asked } = await clean({ 'a.csv': ['note,key,n,y', ...lines].join('\n') }, spec);
  expect(column(asked, 'key')).toMatchObject({ type: 'text', role: 'feature' });
  expect(column(asked, 'note')).toMatchObject({ type: 'category', role: 'feature' });
});
