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

  it('a JSON array', async () => {
    await expect(clean({ 'bad.json': '[{"a":1,"y":2},\n{"a":2,"y":3}]' })).rejects.toMatchObject({
      code: 'UnreadableDataset',
      message: expect.stringContaining('JSON array'),
    });
  });

  it('json lines without an object', async () => {
    await expect(clean({ 'bad.jsonl': '{"a":1\n{"a":2\n' })).rejects.toMatchObject({ code: 'EmptyDataset' });
  });

  it('one file of several: it is named', async () => {
    await expect(clean({ 'good.csv': good, 'bad.csv': '' })).rejects.toMatchObject({ code: 'EmptyDataset', where: 'bad.csv' });
  });
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
