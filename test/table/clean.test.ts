import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { literal, withDatabase } from '../../core/table/database.ts';
import { clean, column, isBalanced } from './cleaning.ts';

const iris = ['length,width,species', '5.1,3.5,setosa', '4.9,3.0,setosa', '6.3,3.3,virginica', '5.8,2.7,virginica'];
const irisRows = [
  [5.1, 3.5, 'setosa'],
  [4.9, 3, 'setosa'],
  [6.3, 3.3, 'virginica'],
  [5.8, 2.7, 'virginica'],
];

describe('formats are told by content', () => {
  const text = iris.join('\n');
  const utf16 = (order: 'le' | 'be', mark: boolean) => {
    const bytes = Buffer.from((mark ? '\uFEFF' : '') + text, 'utf16le');
    return order === 'le' ? bytes : bytes.swap16();
  };
  const objects = irisRows.map(([length, width, species]) => JSON.stringify({ length, width, species }));
  it.each<[string, string, string | Uint8Array, object]>([
    ['comma', 'a.csv', text, { format: 'csv', delimiter: ',', encoding: 'utf-8', header: true }],
    ['semicolon', 'a.csv', text.replaceAll(',', ';'), { delimiter: ';' }],
    ['tab', 'a.csv', text.replaceAll(',', '\t'), { format: 'tsv', delimiter: '\t' }],
    ['pipe', 'a.txt', text.replaceAll(',', '|'), { delimiter: '|' }],
    ['colon', 'a', text.replaceAll(',', ':'), { delimiter: ':' }],
    ['space', 'a', text.replaceAll(',', ' '), { delimiter: ' ' }],
    ['CR LF', 'a.csv', text.replaceAll('\n', '\r\n'), {}],
    ['lone CR', 'a.csv', text.replaceAll('\n', '\r'), {}],
    ['blank lines', 'a.csv', `\n\n${text.replaceAll('\n', '\n\n')}\n\n`, {}],
    ['a byte order mark', 'a.csv', `\uFEFF${text}`, { encoding: 'utf-8' }],
    ['its delimiter in its first line', 'a.csv', `\uFEFFsep=;\r\n${text.replaceAll(',', ';')}`, { delimiter: ';', header: true }],
    ['UTF-16 LE', 'a.csv', utf16('le', true), { encoding: 'utf-16le' }],
    ['UTF-16 BE', 'a.csv', utf16('be', true), { encoding: 'utf-16be' }],
    ['UTF-16 without mark', 'a.csv', utf16('be', false), { encoding: 'utf-16be' }],
    [
      'quotes',
      'a.csv',
      iris
        .map((line) =>
          line
            .split(',')
            .map((cell) => `"${cell}"`)
            .join(','),
        )
        .join('\n'),
      { quote: '"' },
    ],
    [
      'single quotes',
      'a.csv',
      iris
        .map((line) =>
          line
            .split(',')
            .map((cell) => `'${cell}'`)
            .join(','),
        )
        .join('\n'),
      { quote: "'" },
    ],
    ['decimal commas', 'a.csv', text.replaceAll(',', ';').replaceAll('.', ','), { delimiter: ';' }],
    ['json lines', 'a.jsonl', objects.join('\n'), { format: 'jsonl' }],
    ['json lines, gzipped, misnamed', 'a.csv', gzipSync(objects.join('\r\n')), { format: 'jsonl', compression: 'gzip' }],
    [
      'csv, gzipped in two members',
      'a.csv.gz',
      Buffer.concat([gzipSync(text.slice(0, 20)), gzipSync(text.slice(20))]),
      { format: 'csv', compression: 'gzip' },
    ],
  ])('%s', async (_, name, content, file) => {
    const { rows, names, report } = await clean({ [name]: content });
    expect(names).toEqual(['length', 'width', 'species']);
    expect(rows).toEqual(irisRows);
    expect(report.files).toMatchObject([{ name, ...file }]);
    expect(report.rows).toEqual({ read: 4, kept: 4, rejected: 0, duplicates: 0, missingTarget: 0 });
  });

  it('Latin-1, with letters that UTF-8 writes otherwise', async () => {
    const { rows, report } = await clean({ 'a.csv': Buffer.from('x,y\n1,Köln\n2,Málaga\n3,Köln\n', 'latin1') });
    expect(rows.map(([, y]) => y)).toEqual(['Köln', 'Málaga', 'Köln']);
    expect(report.files[0]!.encoding).toBe('latin-1');
  });

  it('no header: columns are numbered', async () => {
    const { names, rows } = await clean({ 'a.csv': iris.slice(1).join('\n') });
    expect(names).toEqual(['column1', 'column2', 'column3']);
    expect(rows).toEqual(irisRows);
  });

  it('a spec overrides what would be inferred', async () => {
    const { names, rows } = await clean({ 'a.csv': 'a|b,c|d\n1|b,c|e\n' }, { header: false, delimiter: '|' });
    expect(names).toEqual(['column1', 'column3']);
    expect(rows).toEqual([
      ['a', 'd'],
      ['1', 'e'],
    ]);
  });

  it('parquet, gzipped too', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ingot-parquet-'));
    const path = join(directory, 'p');
    await withDatabase({}, async (database) => {
      await database.run(
        `COPY (SELECT i::INTEGER AS n, i / 3 AS "N", [i] AS l, i > 2 AS b, ['x', NULL, 'y'][i % 3 + 1] AS c, DATE '2020-01-01' + (i % 4)::INT AS d FROM range(30) t(i)) TO ${literal(path)} (FORMAT parquet)`,
      );
    });
    const bytes = readFileSync(path);
    rmSync(directory, { recursive: true });
    for (const content of [bytes, gzipSync(bytes)]) {
      const { names, rows, report } = await clean({ p: content }, { target: 'c' });
      expect(report.files[0]?.format).toBe('parquet');
      expect(names).toEqual(['N_1', 'b', 'c', 'd']);
      expect(rows[3]).toEqual([5 / 3, true, 'y', '2020-01-02']);
      expect(report.rows).toEqual({ read: 30, kept: 20, rejected: 0, duplicates: 0, missingTarget: 10 });
      expect(column(report, 'n')).toMatchObject({ role: 'ignored', why: 'it numbers the rows: integers that only grow' });
    }
  });

  it('lists and structs of parquet are the JSON that JSON lines have', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ingot-parquet-'));
    const path = join(directory, 'p');
    await withDatabase({}, (database) =>
      database.run(
        `COPY (SELECT [i % 2, 7] AS l, [[{'s "x"': NULL}]] AS "a ""q""", {'u': i % 2, 'v': 'y'} AS s, MAP {'k': i % 2} AS m, i % 3 AS y FROM range(12) t(i)) TO ${literal(path)} (FORMAT parquet)`,
      ),
    );
    const bytes = readFileSync(path);
    rmSync(directory, { recursive: true });
    const nested = Object.fromEntries(['l', 'a "q"', 's', 'm'].map((name) => [name, { role: 'feature', type: 'category' } as const]));
    const { names, rows } = await clean({ p: bytes }, { columns: nested });
    expect(names).toEqual(['l', 'a "q"', 's', 'm', 'y']);
    expect(rows[1]).toEqual(['[1,7]', '[[{"s \\"x\\"":null}]]', '{"u":1,"v":"y"}', '{"k":1}', 1]);
  });

  it('a key of JSON lines that comes late stands where its rows have it, and the last is the target', async () => {
    const lines = ['{"a":1,"y":"p"}', '{"a":2,"n":5,"y":"q"}', '{"id":7,"a":3,"b":"x","n":4,"y":"p"}', '{"a":4,"b":"w","y":"q"}'];
    const { names, rows, report } = await clean({ 'a.jsonl': lines.join('\n'), 'b.csv': 'y,c,a\nq,2,9\n' }, { target: 'y' });
    expect(report.columns.map(({ name }) => name).sort()).toEqual(['a', 'b', 'c', 'id', 'n', 'y']);
    expect(rows.map((row) => [row[names.indexOf('a')], row[names.indexOf('y')]])).toEqual([
      [1, 'p'],
      [2, 'q'],
      [3, 'p'],
      [4, 'q'],
      [9, 'q'],
    ]);
    expect((await clean({ 'a.jsonl': lines.join('\n') })).report.target).toBe('y');
  });

  it('a delimiter at the end of each line makes no target', async () => {
    const { report } = await clean({ a: 'x,y,\n1,p,\n2,q,\n3,p,\n' });
    expect(report.target).toBe('y');
    expect(report.inferred).toContainEqual({ what: 'target', value: 'y', why: 'it is the last column with a name or a value' });
    expect((await clean({ a: 'x,y,\n1,p,4\n2,q,\n3,p,5\n' })).report.target).toBe('column3');
    await expect(clean({ a: 'x,y,z\n1,p,\n2,q,\n3,p,\n' })).rejects.toThrow(/'z' is missing in all 3 rows/);
  });

  it('several files are one table, columns matched by name', async () => {
    const { names, rows, report } = await clean(
      { 'a.csv': 'x,y\n1,p\n2,q\n', 'b.jsonl': '{"Y":"p","z":7,"x":3}\n{"x":4,"Y":"q","z":8}' },
      { target: 'y' },
    );
    expect(names).toEqual(['x', 'y', 'z']);
    expect(rows).toEqual([
      [1, 'p', null],
      [2, 'q', null],
      [3, 'p', 7],
      [4, 'q', 8],
    ]);
    expect(report.files.map(({ format }) => format)).toEqual(['csv', 'jsonl']);
  });
});

describe('values', () => {
  it('missing tokens, in any case and with spaces, are counted as they stand', async () => {
    const { rows, report } = await clean(
      { 'a.csv': 'x,c,y\n1,NA,p\n?,u, n/a\n na ,v,q\n,none,q\n5,u,p\nwhatever,u,p\n6,,p\n' },
      { missing: ['WhatEver'] },
    );
    expect(rows).toEqual([
      [1, null, 'p'],
      [null, 'v', 'q'],
      [null, null, 'q'],
      [5, 'u', 'p'],
      [null, 'u', 'p'],
      [6, null, 'p'],
    ]);
    expect(column(report, 'x')).toMatchObject({ missing: 3, missingTokens: { '?': 1, ' na ': 1, '': 1, whatever: 1 }, distinct: 3 });
    expect(column(report, 'c').missingTokens).toEqual({ NA: 1, none: 1, '': 1 });
    expect(report.rows).toMatchObject({ read: 7, kept: 6, missingTarget: 1 });
  });

  it('a few strays among numbers become missing, and are named', async () => {
    const numbers = Array.from({ length: 30 }, (_, row) => `${row * 1.5},${row % 2 ? 'a' : 'b'}`);
    const { rows, report } = await clean({ 'a.csv': ['x,y', ...numbers, 'oops,a', 'inf,b'].join('\n') });
    expect(column(report, 'x')).toMatchObject({ type: 'number', missing: 2, strays: ['inf', 'oops'] });
    expect(rows.at(-1)).toEqual([null, 'b']);
    expect(report.changes).toContainEqual({ column: 'x', reason: 'not a number → missing ("inf", "oops")', count: 2 });
  });

  it('many strays make a category of the column', async () => {
    const { report } = await clean({ 'a.csv': 'x,y\n1,a\n2,b\nhigh,a\nlow,b\n1,b\nlow,a\n' });
    expect(column(report, 'x')).toMatchObject({ type: 'category', why: 'its values are strings' });
  });

  it('booleans, but labels stay as they are written', async () => {
    const { rows, report } = await clean({ 'a.csv': 'a,b,c,d\nyes,T,1,Yes\nNo,f,0,No\nY,F,1,No\nn,t,0,Yes\n' });
    expect(rows).toEqual([
      [true, true, 1, 'Yes'],
      [false, false, 0, 'No'],
      [true, false, 1, 'No'],
      [false, true, 0, 'Yes'],
    ]);
    expect(column(report, 'a').spellings).toEqual({ true: ['Y', 'yes'], false: ['No', 'n'] });
    expect(report).toMatchObject({ classes: ['No', 'Yes'], classType: 'string' });
    expect((await clean({ 'a.csv': 'a,b\n1,TRUE\n2,false\n3,true\n' })).report).toMatchObject({
      classes: ['false', 'true'],
      classType: 'boolean',
    });
    expect((await clean({ 'a.csv': 'a,b\n1,p\n0,q\n7,q\n1,q\n' }, { columns: { a: { type: 'boolean' } } })).rows.map(([a]) => a)).toEqual([
      true,
      false,
      null,
      true,
    ]);
  });

  it('spellings that differ by case or space are one category, the most frequent', async () => {
    const { rows, report } = await clean({ 'a.csv': 'c,y\nNew York,1\nnew  york,2.5\nNew York,3\n Paris ,4\nPARIS,5\n__proto__,6\n' });
    expect(rows.map(([c]) => c)).toEqual(['New York', 'New York', 'New York', 'PARIS', 'PARIS', '__proto__']);
    expect(column(report, 'c').spellings).toEqual({ 'New York': ['New York', 'new  york'], PARIS: [' Paris ', 'PARIS'] });
    expect(column(report, 'c').top).toEqual([
      { value: 'New York', count: 3 },
      { value: 'PARIS', count: 2 },
      { value: '__proto__', count: 1 },
    ]);
  });

  it('commas between thousands and decimal commas; what can be read in both ways is told', async () => {
    const { rows, report } = await clean({
      'a.csv': 'a;b;c;y\n1,234,567.5;3,14;1,234;p\n12;2,5;5,678;q\n1,000;7;9,999;p\n-3,000.25;0,001;1,001;q\n',
    });
    expect(rows).toEqual([
      [1_234_567.5, 3.14, 1234, 'p'],
      [12, 2.5, 5678, 'q'],
      [1000, 7, 9999, 'p'],
      [-3000.25, 0.001, 1001, 'q'],
    ]);
    expect(column(report, 'a').why).toBe('its values are numbers, written with commas between thousands');
    expect(column(report, 'b').why).toBe('its values are numbers, written with decimal commas, points between thousands');
    expect(column(report, 'c').why).toBe(
      'its values are numbers, written with commas between thousands; every value could as well be read with decimal commas: if so, say "decimal": "," in dataset.json',
    );
    expect(column(report, 'a').written).toEqual({ decimal: '.', groups: [','] });
  });

  it('currencies, percent, units and parentheses for negative numbers; a file in one language is read in one', async () => {
    const { rows, report } = await clean({
      'a.csv': 'a;b;c;d;y\n$1,234.50;12.3%;5 kg;3 days;p\n($2.00);7%;11 kg;1 day;q\n$1,000;-1%;0.5 kg;12 days;p\nn/a;;?;-;q\n',
    });
    expect(rows).toEqual([
      [1234.5, 12.3, 5, 3, 'p'],
      [-2, 7, 11, 1, 'q'],
      [1000, -1, 0.5, 12, 'p'],
      [null, null, null, null, 'q'],
    ]);
    expect(column(report, 'a').why).toBe("its values are numbers, written with '$' before them, negative ones as (5)");
    const german = await clean({ 'a.csv': 'a;b;c;y\n1.500;1.234,50 €;1,234;p\n950;7,1 €;2,345;q\n12.000;8 €;3,456;p\n' });
    expect(german.rows.map((row) => row.slice(0, 3))).toEqual([
      [1500, 1234.5, 1.234],
      [950, 7.1, 2.345],
      [12000, 8, 3.456],
    ]);
    expect(column(german.report, 'c').why).not.toContain('dataset.json');
  });

  it('outliers are counted and left as they are', async () => {
    const values = [...Array.from({ length: 99 }, (_, i) => i % 10), 1000];
    const { rows, report } = await clean({ 'a.csv': ['x,y', ...values.map((x, i) => `${x},${i % 3 ? i + 0.5 : i}`)].join('\n') });
    expect(column(report, 'x').number).toMatchObject({ min: 0, max: 1000, q25: 2, median: 4.5, q75: 7, low: -13, high: 22, outliers: 1 });
    expect(rows.at(-1)![0]).toBe(1000);
  });

  it('statistics are those of the kept rows', async () => {
    const { report } = await clean({ 'a.csv': 'x,y\n1,a\n2,b\n4,a\n4,a\n9,\n' });
    const std = Math.sqrt(((1 - 7 / 3) ** 2 + (2 - 7 / 3) ** 2 + (4 - 7 / 3) ** 2) / 3);
    expect(column(report, 'x').number).toMatchObject({
      min: 1,
      max: 4,
      mean: expect.closeTo(7 / 3),
      std: expect.closeTo(std),
      q25: 1.5,
      median: 2,
      q75: 3,
    });
    expect(report.rows).toEqual({ read: 5, kept: 3, rejected: 0, duplicates: 1, missingTarget: 1 });
  });
});

describe('columns', () => {
  const rows = Array.from({ length: 60 }, (_, i) => [i + 1, (i * 37) % 61, `k${i}`, 'same', '', i % 4, (i * 17) % 7 ? 'yes' : 'no']);
  const text = ['row,customer_id,key,constant,empty,x,y', ...rows.map((row) => row.join(','))].join('\n');

  it('with nothing to learn from are ignored, with the reason', async () => {
    const { names, report } = await clean({ 'a.csv': text });
    expect(names).toEqual(['x', 'y']);
    expect(Object.fromEntries(report.columns.map(({ name, role, why }) => [name, `${role}: ${why}`]))).toEqual({
      row: 'ignored: it numbers the rows: integers that only grow',
      customer_id: 'ignored: it is a key: an integer of its own for each row',
      key: 'ignored: it is text or a key: 60 different values in 60 rows',
      constant: 'ignored: it has a single value',
      empty: 'ignored: all its values are missing',
      x: 'feature: its values are numbers',
      y: 'target: its values are strings',
    });
    expect(report.changes).toContainEqual({ column: 'constant', reason: 'column ignored: it has a single value', count: 60 });
  });

  it('are what the spec says', async () => {
    const { names, report } = await clean(
      { 'a.csv': text },
      { target: 'x', columns: { key: { role: 'feature' }, row: { role: 'feature', type: 'category' }, y: { role: 'ignore' } } },
    );
    expect(names).toEqual(['row', 'key', 'x']);
    expect(column(report, 'row')).toMatchObject({ type: 'category', why: 'dataset.json says so' });
    expect(report.target).toBe('x');
  });

  it('may have any name', async () => {
    const odd = ['__proto__', '"; DROP TABLE x; --', 'a\nb', '😀', "it's", 'constructor', 'y'];
    const line = (cells: string[]) => cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',');
    const { names, report } = await clean({
      'a.csv': [
        line(odd),
        ...[1, 2, 3, 1].map((n, i) => line([`${n}`, `${n * 2}`, `${n * 3}`, `${n}`, `${n}`, `${i % 2}`, `c${n % 2}`])),
      ].join('\n'),
    });
    expect(names).toEqual(odd);
    expect(report.columns.map(({ name }) => name)).toEqual(odd);
  });

  it('get a name where they have none, or the one of another', async () => {
    const { names, report } = await clean({ 'a.csv': 'a,,A,a,a_2\n1,2,3,4,p\n2,3,3,5,q\n5,3,4,6,p\n' });
    expect(names).toEqual(['a', 'column2', 'A_3', 'a_4', 'a_2']);
    expect(report.changes).toContainEqual({ column: 'A_3', reason: "second column named 'A' → renamed", count: 3 });
  });

  it('may be ten thousand', async () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `f${i}`);
    const lines = Array.from({ length: 60 }, (_, row) =>
      names.map((_, i) => (i % 5 === 4 ? `v${(row + i) % 3}` : (row * (i + 7)) % 11)).join(','),
    );
    const { report, names: found } = await clean({ 'wide.csv': [names.join(','), ...lines].join('\n') });
    expect(report.rows).toMatchObject({ read: 60, rejected: 0 });
    expect(found.length).toBeGreaterThan(9000);
    expect(isBalanced(report)).toBe(true);
  }, 300_000);
});

describe('rows', () => {
  it('that cannot be read go to rejects.csv, with line, column and reason', async () => {
    const text = 'a,b,c\n1,2,é\n3,4\n5,6,q,7\n"8,9,p\n10,"1"1,q\n12,1\u00003,p\n14,15,q\n';
    const { rows, rejects, report } = await clean({
      'a.csv': Buffer.concat([Buffer.from(text), Buffer.from([0x31, 0x2c, 0xff, 0x2c, 0x70, 10])]),
    });
    expect(rows).toEqual([
      [1, 2, 'é'],
      [14, 15, 'q'],
    ]);
    expect(rejects).toBe(
      [
        'file,line,column,reason,row',
        'a.csv,3,b,too few fields,"3,4"',
        'a.csv,4,4,too many fields,"5,6,q,7"',
        'a.csv,5,a,unterminated quote,"""8,9,p"',
        'a.csv,6,b,text after a closing quote,"10,""1""1,q"',
        'a.csv,7,b,NUL byte,"12,1\ufffd3,p"',
        'a.csv,9,b,invalid encoding,"1,\ufffd,p"',
        '',
      ].join('\n'),
    );
    expect(report.rows).toEqual({ read: 8, kept: 2, rejected: 6, duplicates: 0, missingTarget: 0 });
    expect(report.changes).toContainEqual({ reason: 'NUL byte: row → rejects.csv', count: 1 });
  });

  it('an unterminated quote costs its own line, however long the file is', async () => {
    const quoted = Array.from({ length: 5000 }, (_, i) => `${i * 0.5},"text ${i % 7}",${i % 3}`);
    const bare = quoted.map((line) => line.replaceAll('"', ''));
    for (const lines of [quoted, bare]) {
      // The last one is closed by another stray quote: it could be a long field, but for the rows in it.
      for (const broken of [['"2,x,1'], ['3,"x,1'], ['1,"x,1', ...lines.slice(0, 40), '2,y",1']]) {
        const text = ['n,t,y', ...lines.slice(0, 2500), ...broken, ...lines.slice(2500), ''].join('\n');
        const { report, rejects } = await clean({ 'a.csv': text }, { duplicates: 'keep' });
        expect(report.rows).toMatchObject({ read: 5000 + broken.length, rejected: 1 });
        expect(rejects.split('\n')[1]).toMatch(/^a.csv,2502,/);
      }
    }
  });

  it('a quoted field may span lines', async () => {
    const { rows, report } = await clean({ 'a.csv': 'a,b\n"x\n\ny",1\nz,2.5\n"x\n\ny",3\n"p\r\nq",4.5\n' });
    expect(rows.map(([a]) => a)).toEqual(['x y', 'z', 'x y', 'p q']);
    expect(report.rows).toMatchObject({ read: 4, rejected: 0 });
    expect(column(report, 'a').spellings).toEqual({ 'x y': ['x\n\ny'], 'p q': ['p\r\nq'] });
  });

  it('json lines that are no objects are rejected', async () => {
    const { rejects, report } = await clean(
      {
        'a.jsonl': '{"a":1,"y":"p"}\n{"a":2,"y":\n[1]\n\n{}\n{"a":3,"y":"q","__proto__":{"z":[1]}}\n',
      },
      { target: 'y' },
    );
    expect(rejects).toBe('file,line,column,reason,row\na.jsonl,2,1,not JSON,"{""a"":2,""y"":"\na.jsonl,3,1,not a JSON object,[1]\n');
    expect(report.rows).toEqual({ read: 5, kept: 2, rejected: 2, duplicates: 0, missingTarget: 1 });
    expect(report.columns.map(({ name }) => name)).toContain('__proto__');
  });

  it('equal ones are dropped but the first, compared as they were cleaned', async () => {
    const text = 'a,b,y\n1,x,p\n1.0, X,p\n2,x,q\n1,x,p\n01,x,q\nNA,x,q\n,x,q\n';
    const { rows, report } = await clean({ 'a.csv': text });
    expect(rows.map(([a, , y]) => [a, y]).length).toBe(report.rows.kept);
    expect(report.rows).toEqual({ read: 7, kept: 4, rejected: 0, duplicates: 3, missingTarget: 0 });
    expect((await clean({ 'a.csv': text }, { duplicates: 'keep' })).report.rows).toMatchObject({ kept: 7, duplicates: 0 });
  });

  it('are kept where more than half equal an earlier one, unless the spec says otherwise', async () => {
    const lines = Array.from({ length: 400 }, (_, i) => `${'abc'[(i * 7) % 3]},${'pqrs'[(i * 11) % 4]},${i % 12 < 5 ? 'yes' : 'no'}`);
    const text = ['first,second,y', ...lines].join('\n');
    const { rows, report } = await clean({ 'a.csv': text });
    expect(rows.map((row) => row.join(','))).toEqual(lines);
    expect(report.rows).toEqual({ read: 400, kept: 400, rejected: 0, duplicates: 0, missingTarget: 0 });
    expect(report.inferred).toContainEqual({
      what: 'duplicates',
      value: 'kept',
      why: '388 of 400 rows equal an earlier one, as they do where few columns have few values',
    });
    const dropped = await clean({ 'a.csv': text }, { duplicates: 'drop' });
    expect(dropped.report.rows).toMatchObject({ kept: 12, duplicates: 388 });
    expect(dropped.report.inferred.map(({ what }) => what)).not.toContain('duplicates');
  });
});

describe('task', () => {
  const table = (y: (i: number) => string | number, rows = 200) =>
    ['x,y', ...Array.from({ length: rows }, (_, i) => `${(i * 7919) % 1000},${y(i)}`)].join('\n');
  it.each([
    ['strings', (i: number) => ['b', 'a'][i % 2]!, { task: 'classification', classes: ['a', 'b'], classType: 'string' }],
    ['few integers', (i: number) => [10, 9, 2][i % 3]!, { task: 'classification', classes: ['2', '9', '10'], classType: 'integer' }],
    ['two numbers', (i: number) => [0.5, 1][i % 2]!, { task: 'classification', classes: ['0.5', '1'], classType: 'string' }],
    ['many integers', (i: number) => i % 50, { task: 'regression' }],
    ['quantities', (i: number) => (i % 15) + 0.5, { task: 'regression' }],
  ])('%s', async (_, y, expected) => {
    const { report } = await clean({ 'a.csv': table(y) });
    expect(report).toMatchObject(expected);
    expect(report.inferred).toContainEqual({ what: 'target', value: 'y', why: 'it is the last column' });
    expect(report.inferred.find(({ what }) => what === 'task')!.why).toMatch(/^(the values of )?'?'y'|^the values of 'y'/);
  });

  it('is what the spec says', async () => {
    expect((await clean({ 'a.csv': table((i) => i % 3) }, { task: 'regression' })).report).toMatchObject({ task: 'regression' });
    expect((await clean({ 'a.csv': table((i) => i % 50) }, { task: 'classification' })).report.classes).toHaveLength(50);
  });

  it('is that of the metric that the spec names, where it says no more and the target is of numbers', async () => {
    const counts = (await clean({ 'a.csv': table((i) => i % 3) }, { metric: 'rmse' })).report;
    expect(counts.task).toBe('regression');
    expect(counts.inferred).toContainEqual({ what: 'task', value: 'regression', why: "the metric 'rmse' is one for regression" });
    expect((await clean({ 'a.csv': table((i) => i % 50) }, { metric: 'logLoss' })).report.classes).toHaveLength(50);
    expect((await clean({ 'a.csv': table((i) => ['b', 'a'][i % 2]!) }, { metric: 'rmse' })).report.task).toBe('classification');
  });
});

describe('same in, same out', () => {
  it('whatever the threads', async () => {
    const lines = Array.from(
      { length: 300_000 },
      (_, i) =>
        `${(i * 7919) % 100_003},${Math.sin(i)},${['a', 'B', 'b', ' c'][(i * 31) % 4]},${i % 9 ? (i * i) % 5 : 'NA'},t${(i * 17) % 3}`,
    );
    const text = ['a,b,c,d,y', ...lines, ...lines.slice(0, 1000)].join('\n');
    const [first, ...others] = [
      await clean({ 'a.csv': text }, {}, 1),
      await clean({ 'a.csv': text }, {}, 2),
      await clean({ 'a.csv': text }, {}, 4),
    ];
    expect(first!.report.rows).toMatchObject({ read: 301_000, duplicates: 1000 });
    expect(first!.rows.findIndex(([a], row) => a !== Number(lines[row]!.split(',')[0]))).toBe(-1);
    for (const other of others) {
      expect(other.report).toEqual(first!.report);
      expect(other.table.equals(first!.table)).toBe(true);
    }
  });
});
