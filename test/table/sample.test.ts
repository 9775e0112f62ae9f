import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CleanReport } from '../../core/table/report.ts';
import { clean, column, isBalanced } from './cleaning.ts';

/** More rows than types are guessed from. */
const many = 10_500;
/** Labels that no column gives away, and numbers of which no two rows have the same. */
const table = (cell: (row: number) => string, rows = many) =>
  ['x,n,y', ...Array.from({ length: rows }, (_, row) => `${cell(row)},${row / 4},${(row * 31) % 97 < 50 ? 'odd' : 'even'}`)].join('\n');
const last = many - 1;

describe('what the first rows do not show', () => {
  it('a string in the last row of numbers becomes missing, and is named', async () => {
    const { rows, report } = await clean({ 'a.csv': table((row) => (row === last ? 'oops' : `${row % 50}`)) });
    expect(rows.at(-1)).toEqual([null, last / 4, 'odd']);
    expect(column(report, 'x')).toMatchObject({ type: 'number', missing: 1, distinct: 50 });
    expect(report.changes).toEqual([{ column: 'x', reason: 'not a number → missing ("oops")', count: 1 }]);
  });

  it('tokens for missing that come late are counted as they stand', async () => {
    const { rows, report } = await clean({ 'a.csv': table((row) => ['NA', '', ' null '][last - row] ?? `${row % 50}`) });
    expect(rows.slice(-3).map(([x]) => x)).toEqual([null, null, null]);
    expect(column(report, 'x')).toMatchObject({ type: 'number', missing: 3, missingTokens: { '': 1, ' null ': 1, NA: 1 } });
  });

  it('a category that comes once in another case, and one that is new', async () => {
    const { rows, report } = await clean({ 'a.csv': table((row) => ['PARIS', 'Lyon'][last - row] ?? ['Paris', 'Nice'][row % 2]!) });
    expect(rows.slice(-2).map(([x]) => x)).toEqual(['Lyon', 'Paris']);
    expect(column(report, 'x')).toMatchObject({
      distinct: 3,
      spellings: { Paris: ['Paris', 'PARIS'] },
      top: [
        { value: 'Paris', count: many / 2 },
        { value: 'Nice', count: many / 2 - 1 },
        { value: 'Lyon', count: 1 },
      ],
    });
  });

  it('a row that lacks fields goes to rejects.csv', async () => {
    const { rejects, report } = await clean({ 'a.csv': `${table((row) => `${row % 50}`)}\n7,8\n1,2,odd\n` });
    expect(rejects).toBe(`file,line,column,reason,row\na.csv,${many + 2},n,too few fields,"7,8"\n`);
    expect(report.rows).toEqual({ read: many + 2, kept: many + 1, rejected: 1, duplicates: 0, missingTarget: 0 });
  });

  it('true and false that turn into numbers are categories', async () => {
    const { report } = await clean({ 'a.csv': table((row) => (row < 10_200 ? `${row % 2 === 0}` : `${row % 3}`)) });
    expect(column(report, 'x')).toMatchObject({ type: 'category', missing: 0, distinct: 5 });
  });

  it('numbers that turn into words are categories, written as in the file', async () => {
    const { rows, report } = await clean({ 'a.csv': table((row) => (row < 10_100 ? `${row % 7}.50` : 'high'), 12_000) });
    expect(column(report, 'x')).toMatchObject({ type: 'category', missing: 0, distinct: 8 });
    expect([rows[0]![0], rows.at(-1)![0]]).toEqual(['0.50', 'high']);
  });

  it('words that turn into numbers are numbers, the words strays', async () => {
    const { report } = await clean({ 'a.csv': table((row) => (row < 10_000 ? 'low' : `${row % 997}`), 120_000) });
    expect(column(report, 'x')).toMatchObject({ type: 'number', missing: 10_000, distinct: 997 });
  });
});

describe('nothing depends on which rows come first', () => {
  const cells = fc.record({
    usual: fc.constantFrom(['1', '2.5', '-3e2'], ['red', 'Red ', 'blue'], ['yes', 'no'], ['', 'x', 'Y']),
    odd: fc.array(fc.constantFrom('', 'NA', 'oops', '12', 'RED', 'true', 'inf', ' ?', '1,5', 'é'), { minLength: 1, maxLength: 5 }),
    odds: fc.integer({ min: 1, max: 3000 }),
  });
  const facts = ({ rows, columns, changes }: CleanReport) => ({
    rows,
    columns: columns.map(({ number, ...rest }) => ({ ...rest, ...(number && { number: { ...number, mean: 0, std: 0 } }) })),
    changes,
  });

  it('a table read from either end', { timeout: 300_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(cells, { minLength: 2, maxLength: 4 }), async (columns) => {
        const lines = Array.from({ length: 13_001 }, (_, row) => {
          const odd = columns.map(({ usual, odd, odds }) => (row >= 13_001 - odds ? odd[row % odd.length]! : usual[row % usual.length]!));
          return `${odd.map((cell) => `"${cell}"`).join(',')},${(row * 7919) % 13_003}.5,${(row * 31) % 97 < 60 ? 'p' : 'q'}`;
        });
        const header = `${columns.map((_, index) => `c${index}`).join(',')},n,y`;
        const read = (rows: string[]) => clean({ 'a.csv': [header, ...rows, ''].join('\n') }, { header: true, delimiter: ',' });
        const there = await read(lines);
        const back = await read(lines.toReversed());
        expect(facts(back.report)).toEqual(facts(there.report));
        expect(back.rows.reverse()).toEqual(there.rows);
        expect(isBalanced(there.report)).toBe(true);
      }),
      { numRuns: 12 },
    );
  });
});
