import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { cleanTable } from '../../core/table/clean.ts';
import { literal, withDatabase } from '../../core/table/database.ts';
import { clean } from './cleaning.ts';

const good = 'a,b,y\n1,2,p\n3,4,q\n5,6,p\n';
const directory = mkdtempSync(join(tmpdir(), 'ingot-bad-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function parquetBytes(): Promise<Buffer> {
  const path = join(directory, 'p.parquet');
  await withDatabase(
    {},
    async (database) => void (await database.run(`COPY (SELECT i, i % 3 AS y FROM range(1000) t(i)) TO ${literal(path)}`)),
  );
  return readFileSync(path);
}

const noise = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * i * 2_654_435_761) >>> 24));

describe('files that cannot be used get an error with place and mend', () => {
  it.each<[string, string | Uint8Array, string, RegExp]>([
    ['empty', '', 'EmptyDataset', /bad\.csv is empty/],
    ['blank lines alone', '\n \r\n\n', 'EmptyDataset', /only blank lines/],
    ['header only', 'a,b,y\n', 'EmptyDataset', /has a header and no rows/],
    ['header only, without line end', 'a,b,y', 'EmptyDataset', /has a header and no rows/],
    ['one row', 'a,b,y\n1,2,p\n', 'EmptyDataset', /one row/],
    ['one row after all', 'a,b,y\n1,2,p\n1,2,p\n3,4,\n', 'EmptyDataset', /one row/],
    ['no row that can be read', 'a,b,y\n1,2\n3,4\n', 'EmptyDataset', /Not one of the 2 rows/],
    ['one class', 'a,b,y\n1,2,p\n3,4,p\n5,6,P\n', 'UnusableTarget', /'y' has a single value/],
    [
      'a target of hardly any value twice',
      `a,y\n${Array.from({ length: 40 }, (_, i) => `${i % 7},2026-0${1 + (i % 3)}-${10 + (i >> 1)}`).join('\n')}`,
      'UnusableTarget',
      /'y' cannot be predicted: it is text or a key: 40 different values in 40 rows/,
    ],
    ['target all missing', 'a,b,y\n1,2,\n3,4,NA\n5,6,?\n', 'UnusableTarget', /'y' is missing in all 3 rows/],
    ['one column', 'y\np\nq\np\n', 'NoFeatures', /No column besides the target/],
    ['nothing but constants', 'a,b,y\n1,,p\n1,,q\n1,,p\n1,,r\n', 'NoFeatures', /No column besides the target/],
    [
      'labels that are texts',
      ['a,y', ...Array.from({ length: 3000 }, (_, i) => `${i % 7},note ${i}`)].join('\n'),
      'UnusableTarget',
      /different values/,
    ],
    ['empty inside gzip', gzipSync(''), 'EmptyDataset', /nothing inside its gzip/],
    ['truncated gzip', gzipSync(good.repeat(1000)).subarray(0, 60), 'UnreadableDataset', /gzip that ends too early/],
    ['damaged gzip', gzipSync(good).fill(0xaa, 12, 20), 'UnreadableDataset', /gzip that ends too early or is damaged/],
    ['random bytes', noise, 'UnreadableDataset', /binary data/],
    ['zip', Buffer.concat([Buffer.from('PK\u0003\u0004'), noise]), 'UnreadableDataset', /zip archive or a spreadsheet/],
    ['only magic of parquet', 'PAR1', 'UnreadableDataset', /parquet that is cut off/],
  ])('%s', async (_, content, code, message) => {
    const failure = await clean({ 'bad.csv': content }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code, message: expect.stringMatching(message), where: expect.any(String), fix: expect.any(String) });
  });

  it('a title before the names: the rows that were rejected for it are spoken of', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => `${i},${i % 7},${i % 2 ? 'p' : 'q'}`).join('\n');
    await expect(clean({ a: `Report of sales\nExported 2026-01-01\n\na,b,y\n${rows}\n` })).rejects.toMatchObject({
      code: 'EmptyDataset',
      fix: expect.stringMatching(/^61 rows were rejected, as rejects.csv says; the first line/),
    });
  });

  it('parquet cut off or damaged', async () => {
    const bytes = await parquetBytes();
    for (const broken of [
      bytes.subarray(0, bytes.length - 9),
      Buffer.from(bytes).fill(0xff, bytes.length - 200, bytes.length - 12),
      Buffer.from(bytes).fill(0x55, 4, 900),
    ]) {
      await expect(clean({ 'bad.parquet': broken })).rejects.toMatchObject({
        code: 'UnreadableDataset',
        where: 'bad.parquet',
        fix: expect.any(String),
      });
    }
  });

  it('json lines without an object', async () => {
    await expect(clean({ 'bad.jsonl': '{"a":1\n{"a":2\n' })).rejects.toMatchObject({ code: 'EmptyDataset' });
  });

  it('one file of several: it is named', async () => {
    await expect(clean({ 'good.csv': good, 'bad.csv': '' })).rejects.toMatchObject({ code: 'EmptyDataset', where: 'bad.csv' });
  });
});

describe('files that were joined', () => {
  const [header, ...lines] = [
    'id,kind,y',
    ...Array.from({ length: 60 }, (_, i) => `${(i * 37) % 61}.5,${i % 3 ? 'red' : 'blue'},${i % 2 ? 'p' : 'q'}`),
  ];
  const part = (rows: string[], mark: string) => `${mark}${[header, ...rows].join('\n')}\n`;
  const joined = (mark: string) => [part(lines.slice(0, 30), mark), part(lines.slice(30, 40), mark), part(lines.slice(40), mark)].join('');

  it.each([
    ['without byte order marks', ''],
    ['with byte order marks', '\uFEFF'],
  ])('have each its header, %s, and only the first names columns', async (_, mark) => {
    for (const scanFrom of [undefined, 0]) {
      const { rows, report, rejects } = await clean({ 'a.csv': joined(mark) }, {}, 2, scanFrom);
      expect(rows).toEqual((await clean({ 'a.csv': part(lines, '') })).rows);
      expect(report.rows).toMatchObject({ read: 62, kept: 60, rejected: 2 });
      expect(rejects).toBe(
        `file,line,column,reason,row\na.csv,32,id,header again,"id,kind,y"\na.csv,43,id,header again,"id,kind,y"\n`.replaceAll(
          '"id',
          `"${mark}id`,
        ),
      );
    }
  });

  it.each([
    ['csv', (cells: string[][]) => ['n,kind,y', ...cells.map((row) => row.join(','))].join('\n')],
    [
      'csv in quotes',
      (cells: string[][]) =>
        ['n,kind,y', ...cells.map((row) => row.map((cell) => cell.replace(/(\uFEFF?)(.*)/, '$1"$2"')).join(','))].join('\n'),
    ],
    ['json lines', (cells: string[][]) => cells.map(([n, kind, y]) => JSON.stringify({ n, kind, y })).join('\n')],
  ])('have marks anywhere, of which no cell of %s keeps one', async (_, write) => {
    const cells = lines.map((line) => line.split(','));
    const marked = cells.map((row, i) => row.map((cell, j) => ((i + j) % 7 === 0 ? `\uFEFF${cell}` : cell)));
    for (const scanFrom of [undefined, 0])
      expect((await clean({ a: write(marked) }, {}, 2, scanFrom)).rows).toEqual((await clean({ a: write(cells) })).rows);
  });

  it('as parquet lose their marks too', async () => {
    const path = join(directory, 'marks.parquet');
    await withDatabase({}, async (database) => {
      const cell = `CASE WHEN i % 7 = 0 THEN chr(65279) ELSE '' END || CASE WHEN i % 3 = 0 THEN 'red' ELSE 'blue' END`;
      await database.run(`COPY (SELECT (i * 37) % 61 + 0.5 AS n, ${cell} AS kind, i % 2 AS y FROM range(60) t(i)) TO ${literal(path)}`);
    });
    const { report } = await clean({ 'a.parquet': readFileSync(path) }, { columns: { kind: { role: 'feature' } } });
    expect(report.columns.find(({ name }) => name === 'kind')).toMatchObject({
      distinct: 2,
      top: [
        { value: 'blue', count: 40 },
        { value: 'red', count: 20 },
      ],
    });
  });
});

it('a first line that cannot be split is no header: the next one names the columns', async () => {
  const { names, report, rejects } = await clean({ 'a.csv': `"" x\n${good}7,8,q\n` }, { header: true });
  expect(names).toEqual(['a', 'b', 'y']);
  expect(report.rows).toMatchObject({ read: 5, kept: 4, rejected: 1 });
  expect(rejects).toContain('a.csv,1,a,text after a closing quote,');
});

describe('specs that do not fit', () => {
  it.each([
    ['target that is not there', { target: 'yy' }, 'UnusableTarget', /no column 'yy'/, /'y'/],
    ['column that is not there', { columns: { bb: { role: 'ignore' as const } } }, 'InvalidSpec', /'bb'/, /'b'/],
    ['regression on strings', { task: 'regression' as const }, 'InvalidSpec', /regression/, /task/],
    [
      'all features ignored',
      { columns: { a: { role: 'ignore' as const }, b: { role: 'ignore' as const } } },
      'NoFeatures',
      /No column/,
      /feature/,
    ],
    ['a delimiter that is not there', { delimiter: ';' }, 'NoFeatures', /No column/, /feature/],
  ])('%s', async (_, spec, code, message, fix) => {
    await expect(clean({ 'a.csv': good }, spec)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
      fix: expect.stringMatching(fix),
    });
  });
});

describe('what is left behind', () => {
  it('is table and rejects where it went well, and no temporary file in any case', async () => {
    const source = join(directory, 'source');
    const into = (name: string) => join(directory, name);
    const run = (name: string) =>
      cleanTable({ dataset: 'd', revision: 'r', files: [{ name: 'a.csv', path: source }], spec: {}, directory: into(name) });
    writeFileSync(source, good);
    await run('well');
    expect(readdirSync(into('well')).sort()).toEqual(['rejects.csv', 'table.parquet']);
    expect(readFileSync(join(into('well'), 'rejects.csv'), 'utf8')).toBe('file,line,column,reason,row\n');
    writeFileSync(source, 'a,b\n1\n');
    await expect(run('badly')).rejects.toMatchObject({ code: 'EmptyDataset' });
    expect(readdirSync(into('badly'))).not.toContain('.cleaning');
  });
});
