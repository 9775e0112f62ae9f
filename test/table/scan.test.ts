import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileKernel } from '../../core/compile-kernels.ts';
import type { DatasetSpec } from '../../core/spec.ts';
import { literal, rowsOf, withDatabase } from '../../core/table/database.ts';
import { equalHashes } from '../../core/table/scan/equal-hashes.ts';
import { type ScanOptions, scan } from '../../core/table/scan/scan.ts';
import { ScanMemory } from '../../core/table/scan/scan-memory.ts';
import { clean } from './cleaning.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'ingot-scan-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Scans a table of which the first columns are numbers. @returns what the scan says, and the rows that it staged */
async function scanned(text: string | Uint8Array, isNumber: boolean[], options: Partial<ScanOptions & { delimiter: string }> = {}) {
  const { delimiter = ',', ...others } = options;
  const [path, stage] = [join(directory, 'table.csv'), join(directory, 'stage.parquet')];
  writeFileSync(path, text);
  const found = await scan(
    { path, delimiter, quote: '"', header: true, width: isNumber.length },
    { isNumber, mostValues: 100, missing: new Set(['', 'na']), threads: 2, stage, ...others },
  );
  if (found === undefined) return undefined;
  const rows = await withDatabase({ threads: 1 }, (database) => rowsOf(database, `FROM read_parquet(${literal(stage)})`));
  return { ...found, staged: rows };
}

describe('numbers', () => {
  const decimals = fc
    .record({
      value: fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.integer().map((n) => n / 1000),
      ),
      form: fc.nat(4),
      digits: fc.integer({ min: 1, max: 21 }),
    })
    .map(
      ({ value, form, digits }) =>
        [String(value), value.toExponential(digits - 1), value.toPrecision(digits), value.toFixed(digits - 1), `${digits}${value}`][form]!,
    )
    .filter((text) => /^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text));
  const halves = fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n }).map(String);

  it('are the nearest doubles, as JavaScript reads them', () => {
    const asked: string[] = [];
    const memory = new ScanMemory([true, true], 1 << 20, 10_000, 10, {
      meet: () => 0n,
      read: (_, cell) => Number(asked[asked.push(cell.toString()) - 1]),
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(decimals, halves), { minLength: 1, maxLength: 50 }), (texts) => {
        const rows = Buffer.from(texts.map((text) => `${text},0\n`).join(''));
        rows.copy(memory.textOf(rows.length));
        expect(memory.scan(0, rows.length, rows.length, ',', '"')).toEqual({ rows: texts.length, end: rows.length });
        const bytes = Uint8Array.from(memory.numbersOf(0));
        expect([...new Float64Array(bytes.buffer)]).toEqual(texts.map(Number));
      }),
      { numRuns: 2000 },
    );
    // Only what is too long or too far from 1 takes the long way.
    expect(asked.filter((text) => text.replace(/e.*|\D/g, '').length <= 19 && /^-?\d{1,3}(\.\d{1,16})?$/.test(text))).toEqual([]);
  });
});

describe('a stage', () => {
  const lines = Array.from(
    { length: 500 },
    (_, i) => `${i % 7 ? i / 8 : 'NA'},${i},${['a', 'Ü', '', ' b '][i % 4]},${'x'.repeat(i % 40)}y`,
  );
  const text = ['n,i,v,w', ...lines].join('\n');
  const isNumber = [true, true, false, false];

  it('has the cells of the file, missing ones as NULL', async () => {
    const found = await scanned(text, isNumber);
    expect(found!.staged).toEqual(
      lines.map((line, i) => {
        const [n, , v, w] = line.split(',');
        return [n === 'NA' ? null : Number(n), i, v || null, w];
      }),
    );
    expect(found!.columns[0]).toEqual({ empty: 0, others: new Map([['NA', 72]]) });
    expect(found!.columns[2]!.empty).toBe(125);
    expect(new Map([...found!.columns[2]!.others].sort())).toEqual(
      new Map([
        [' b ', 125],
        ['a', 125],
        ['Ü', 125],
      ]),
    );
  });

  it('is the same however the file is cut, and whatever the threads', async () => {
    const whole = await scanned(text, isNumber);
    for (const chunkBytes of [16, 333, 4096]) {
      for (const threads of [1, 3]) {
        const cut = await scanned(text, isNumber, { chunkBytes, threads });
        expect(cut!.staged).toEqual(whole!.staged);
        expect(cut!.hashes).toEqual(whole!.hashes);
      }
    }
  });

  it('may have chunks without a number or a value, and with few or many different ones', async () => {
    const rows = Array.from({ length: 1500 }, (_, i) => (i < 500 ? ['', ''] : i < 1000 ? [`${i % 3}`, 'v'] : [`${i / 8}`, `v${i % 60}`]));
    const text = ['n,v', ...rows.map((row) => row.join(','))].join('\n');
    for (const chunkBytes of [300, 4000, 1_000_000]) {
      const { staged } = (await scanned(text, [true, false], { chunkBytes }))!;
      expect(staged).toEqual(rows.map(([n, v]) => [n ? Number(n) : null, v || null]));
    }
  });

  it('ends with the last row, with a line end or without, or with several', async () => {
    for (const end of ['\n', '\r\n', '\n\n\n']) expect((await scanned(`${text}${end}`, isNumber))!.rows).toBe(500);
  });
});

describe('what is not plain is left to SQL', () => {
  it.each([
    ['a quote', '1,"a"'],
    ['a quote inside', '1,a"b'],
    ['a control character', '1,a\u0001'],
    ['NUL', '1,\0'],
    ['too few cells', '1'],
    ['too many cells', '1,a,b'],
    ['a blank line', ''],
    ['a lone carriage return', '1,a\rb'],
    ['a number with space around', ' 1,a'],
    ['a number without a digit before the point', '.5,a'],
    ['a number with separators', '1_000,a'],
    ['a number beyond doubles', '1e999,a'],
    ['another number', '0x1F,a'],
  ])('%s', async (_, line) => {
    expect(await scanned(`n,v\n1,a\n${line}\n2,b\n`, [true, false])).toBeUndefined();
  });

  it('bytes that are no UTF-8', async () => {
    expect(await scanned(Buffer.from('n,v\n1,\u00e9\n', 'latin1'), [true, false])).toBeUndefined();
  });

  it('more values than are listed, whichever thread meets them', async () => {
    const text = ['n,v', ...Array.from({ length: 101 }, (_, i) => `${i},v${i}`)].join('\n');
    for (const chunkBytes of [200, 10_000]) expect(await scanned(text, [true, false], { chunkBytes })).toBeUndefined();
  });
});

describe('a scanned file is cleaned as one that SQL reads', () => {
  const many = Array.from(
    { length: 3000 },
    (_, i) =>
      `${i % 9 ? (i * i) % 70 : ['NA', '', 'null'][i % 3]},${Math.sin(i)},${['Paris', 'paris', ' Paris ', 'Lyon', 'n/a', ''][(i * 31) % 6]},${
        ['yes', 'No', 'y', ''][i % 4]
      },20${10 + (i % 9)}-0${1 + (i % 9)}-${i % 50 ? '1' : 'x'}${i % 9},${i % 11 ? `t${(i * 17) % 3}` : ''}`,
  );
  const names = 'a,b,c,d,e,y';
  const same = async (text: string, spec: DatasetSpec = {}) => {
    const [ours, theirs] = [await clean({ 'a.csv': text }, spec, 2, 0), await clean({ 'a.csv': text }, spec, 2, Infinity)];
    expect(ours.report).toEqual(theirs.report);
    expect(ours.names).toEqual(theirs.names);
    expect(ours.rows).toEqual(theirs.rows);
    return ours;
  };

  it('with spellings, strays, repeated rows and rows without target', async () => {
    const { report } = await same([names, ...many, ...many.slice(0, 100), many[7]!.replace('Paris', 'paris')].join('\n'));
    expect(report.rows.duplicates).toBeGreaterThan(90);
    expect(report.rows.missingTarget).toBeGreaterThan(200);
    expect(report.columns.map(({ type }) => type)).toEqual(['number', 'number', 'category', 'boolean', 'date', 'category']);
  });

  it('whatever the line ends, the delimiter and the byte order mark', async () => {
    const text = [names, ...many].join('\r\n');
    await same(`\uFEFF${text}\r\n`);
    await same(text.replaceAll(',', ';'));
    await same(text.replaceAll(',', '\t'));
  });

  it('with types that dataset.json gives', async () => {
    await same([names, ...many].join('\n'), { columns: { a: { type: 'category' }, d: { type: 'category' }, e: { type: 'text' } } });
    await same([names, ...many].join('\n'), { columns: { c: { type: 'text' } }, duplicates: 'drop', target: 'd' });
  });

  it('where a column turns out to be no numbers after all', async () => {
    const late = Array.from({ length: 12_000 }, (_, i) => `${i < 10_100 ? i % 50 : `word ${i % 60}`},${i / 4},${i % 2 ? 'odd' : 'even'}`);
    const { report } = await same(['x,n,y', ...late, late[3]].join('\n'));
    expect(report.columns.find(({ name }) => name === 'x')!.type).toBe('category');
  });

  it('any table', async () => {
    const cell = fc.constantFrom('', 'NA', 'a', 'A', ' a', 'b', '1', '2.5', '-3e2', '0.1', 'yes', 'no', 'True', '2020-01-02', 'é', '12 km');
    const row = fc.tuple(cell, cell, fc.constantFrom('1', '2', '3.5'), fc.constantFrom('p', 'q'));
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 20, maxLength: 40 }), async (rows) => {
        const lines = rows.map((cells, i) => [...cells, i % 2].join(','));
        await same(['a,b,c,d,y', ...lines, '1,a,9,p,0', '2,b,8,q,1'].join('\n'), { target: 'y' });
      }),
      { numRuns: 8 },
    );
  });
});

it('rows of equal hashes are found, unless they are too many', () => {
  const hashes = Uint32Array.from([1, 2, 1, 3, 5, 2, 1, 2, 5, 2, 1, 2]);
  expect(equalHashes(hashes, 10)).toEqual([0, 2, 3, 4, 5]);
  expect(equalHashes(hashes, 4)).toBeUndefined();
  expect(equalHashes(new Uint32Array(), 4)).toEqual([]);
});

it('the kernel is compiled from its source', async () => {
  const committed = readFileSync(new URL('../../core/table/scan/kernel/scan.wasm.ts', import.meta.url), 'utf8');
  expect(await compileKernel('table/scan/kernel/scan.wasm.ts')).toBe(committed);
});
