import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JsonRecord, jsonRecords } from '../../core/table/json-records.ts';
import { clean, isBalanced } from './cleaning.ts';

const records = Array.from({ length: 12 }, (_, i) => ({
  n: ((i * 37) % 101) + 0.5,
  kind: i % 3 ? 'red' : '{"é" ]',
  at: i % 4 ? null : { x: [i % 3, '},{"'] },
  y: i % 2 ? 'p' : 'q',
}));
const lines = records.map((record) => JSON.stringify(record)).join('\n');
const array = JSON.stringify(records);
const pretty = JSON.stringify(records, null, 2);

/** Where a character stands. */
const placeOf = (text: string, at: number) => `line ${text.slice(0, at).split('\n').length}, column ${at - text.lastIndexOf('\n', at - 1)}`;
const spec = { columns: { at: { role: 'feature' } } } as const;

describe('an array of records is the table that JSON lines of the same are', () => {
  const utf16 = Buffer.from(`\uFEFF${pretty}`, 'utf16le');
  it.each<[string, string, string | Uint8Array]>([
    ['on one line', 'a.json', array],
    ['pretty-printed', 'a.json', pretty],
    ['with CR LF and a byte order mark', 'a.json', `\uFEFF${pretty.replaceAll('\n', '\r\n')}\r\n`],
    ['a record a line', 'a.json', `[\n${lines.replaceAll('\n', ',\n')}\n]\n`],
    ['gzipped, misnamed', 'a.csv', gzipSync(pretty)],
    ['UTF-16', 'a.json', utf16],
    ['two that were joined', 'a.json', `${JSON.stringify(records.slice(0, 5))}\n\uFEFF${JSON.stringify(records.slice(5), null, '\t')}`],
    ['with a comma at its end', 'a.json', array.replace(/]$/, ',\n]')],
    ['without its brackets', 'a.json', records.map((record) => JSON.stringify(record, null, 1)).join('\n')],
    ['as lines that end with commas', 'a.json', lines.replaceAll('\n', ',\n')],
  ])('%s', async (_, name, content) => {
    const { table, report, rejects } = await clean({ [name]: content }, spec);
    expect(table).toEqual((await clean({ 'a.jsonl': lines }, spec)).table);
    expect(report.files).toMatchObject([{ name, format: 'json' }]);
    expect(report.rows).toEqual({ read: 12, kept: 12, rejected: 0, duplicates: 0, missingTarget: 0 });
    expect(rejects).toBe('file,line,column,reason,row\n');
  });

  it('with what Python writes where a number is missing or infinite, in lines as well', async () => {
    const python = records.map((record, i) => ({ m: i % 5 ? i : null, s: `NaN, \\" Infinity ${i % 3}`, ...record }));
    const written = python.map((record) => JSON.stringify(record).replace('"m":null', '"m": NaN').replace('"m":4', '"m": -Infinity'));
    const { table, report } = await clean({ 'a.json': `[${written.join(', ')}]` }, spec);
    expect(report.rows).toMatchObject({ read: 12, kept: 12, rejected: 0 });
    expect((await clean({ 'a.jsonl': written.join('\n') }, spec)).table).toEqual(table);
    const plain = JSON.stringify(python).replace('"m":4', '"m":-1e999');
    expect((await clean({ 'a.json': plain }, spec)).table).toEqual(table);
  });

  const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\r\n', '\t', '\r'), maxLength: 3 });
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.string({ unit: fc.constantFrom('"', '\\', '}', ']', ',', '[', '{', 'é', '😀', '\n') }),
  );
  const list = fc.array(fc.dictionary(fc.constantFrom('a', 'b', '"]', 'é}'), value, { noNullPrototype: true }), {
    minLength: 2,
    maxLength: 8,
  });

  it('whatever its white space', { timeout: 300_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(list, fc.array(space, { minLength: 1, maxLength: 20 }), fc.boolean(), async (list, spaces, gzip) => {
        const framed = list.map((record, i) => ({ n: ((i * 37) % 101) + 0.5, ...record, y: i % 2 ? 'p' : 'q' }));
        let at = 0;
        // Strings are left alone; what stands between them may have space around it.
        const spaced = JSON.stringify(framed).replace(
          /"(?:[^"\\]|\\.)*"|[[\]{}:,]/g,
          (token) => `${spaces[at++ % spaces.length]}${token}${spaces[at++ % spaces.length]}`,
        );
        const { table, report, rejects } = await clean({ 'a.json': gzip ? gzipSync(spaced) : spaced });
        expect(report.files[0]!.format).toBe('json');
        expect(rejects).toBe('file,line,column,reason,row\n');
        expect(table).toEqual((await clean({ 'a.jsonl': framed.map((record) => JSON.stringify(record)).join('\n') })).table);
      }),
      { numRuns: 60 },
    );
  });

  it('beside files of other formats', async () => {
    const files = { 'a.json': pretty, 'b.jsonl': lines.replaceAll('.5', '.25'), 'c.csv': 'y,kind,n\np,blue,7\n' };
    const { report, rows, names } = await clean(files, spec);
    expect(report.files.map(({ format }) => format)).toEqual(['json', 'jsonl', 'csv']);
    expect(names).toEqual(['n', 'kind', 'at', 'y']);
    expect([rows[0], rows[12], rows[24]]).toEqual([
      [0.5, '{"é" ]', '{"x":[0,"},{\\""]}', 'q'],
      [0.25, '{"é" ]', '{"x":[0,"},{\\""]}', 'q'],
      [7, 'blue', null, 'p'],
    ]);
  });
});

it('records are the same however the file comes in pieces', async () => {
  const read = async (bytes: Buffer, size: number) => {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
    const found: JsonRecord[] = [];
    for await (const batch of jsonRecords(
      'a',
      (async function* () {
        yield* chunks;
      })(),
    ))
      found.push(...batch);
    return found.map(({ bytes, ...place }) => ({ ...place, text: bytes.toString() }));
  };
  const odd = Buffer.from(`${pretty} [é 1"\\\\" {"é":"\\"]"}, tr`);
  const line = pretty.split('\n').length;
  for (const size of [1, 2, 3, 7]) expect(await read(odd, size)).toEqual(await read(odd, odd.length));
  expect((await read(odd, 1)).slice(12)).toEqual([
    { line, column: 4, text: 'é' },
    { line, column: 6, text: '1', problem: 'comma missing' },
    { line, column: 7, text: '"\\\\"', problem: 'comma missing' },
    { line, column: 12, text: '{"é":"\\"]"}', problem: 'comma missing' },
    { line, column: 25, text: 'tr', problem: 'array not closed' },
  ]);
});

describe('what is broken', () => {
  const header = 'file,line,column,reason,row\n';

  it('records that are no objects, or no JSON, are rejected where they begin', async () => {
    const broken = '[{"a":1,"y":"p"},\n 5, null,\n  "é, ]", [1,{"a":2}],{"a":nan,"y":"q"}\n, {"a":2,"y":"q"},{"a":3,"y":"p"}]';
    const { report, rejects } = await clean({ 'a.json': broken });
    expect(rejects).toBe(
      `${header}a.json,2,2,not a JSON object,5\na.json,2,5,not a JSON object,null\na.json,3,3,not a JSON object,"""é, ]"""\n` +
        'a.json,3,11,not a JSON object,"[1,{""a"":2}]"\na.json,3,23,not JSON,"{""a"":nan,""y"":""q""}"\n',
    );
    expect(report.rows).toEqual({ read: 8, kept: 3, rejected: 5, duplicates: 0, missingTarget: 0 });
  });

  it('what has no comma before it is rejected, and the rest is read', async () => {
    const { report, rejects } = await clean({ 'a.json': '[{"a":1,"y":"p"}\n  {"a":2,"y":"q"},,{"a":3,"y":"p"}},{"a":4,"y":"q"}]' });
    expect(rejects).toBe(`${header}a.json,2,3,comma missing,"{""a"":2,""y"":""q""}"\na.json,2,35,comma missing,}\n`);
    expect(report.rows).toMatchObject({ read: 5, kept: 3, rejected: 2 });
  });

  const unended = pretty.slice(0, -2);
  it.each([
    ['within its last record', unended.slice(0, -20), unended.lastIndexOf('\n  {') + 3, 11],
    ['within a list of objects in it', `${unended},\n{"n":[{"x":1},{"x":2},{"x`, unended.length + 2, 12],
    ['before its last bracket', array.slice(0, -1), array.length - 1, 12],
    ['behind a comma', `${unended},\n`, unended.length + 2, 12],
  ])('an array that ends too early, %s, is read so far', async (_, text, at, kept) => {
    const { report, rejects } = await clean({ 'a.json': text }, spec);
    const [line, column] = placeOf(text, at).match(/\d+/g)!;
    expect(rejects).toMatch(new RegExp(`^${header}a.json,${line},${column},array not closed,".*"\n$`, 's'));
    expect(report.rows).toMatchObject({ read: kept + 1, kept, rejected: 1 });
  });

  const unquoted = pretty.replace('"red"', '"red');
  const unclosed = pretty.replace('\n  },', '\n  ,');
  const unopened = array.replace('},{"', '},');
  const opened = array.replace('},{"n"', '},[{"n"');
  it.each([
    ['a quote that is missing', unquoted, placeOf(unquoted, unquoted.indexOf('"red')), /unexpected end of string/],
    [
      'a closing brace that is missing',
      unclosed,
      placeOf(unclosed, unclosed.indexOf('{', unclosed.indexOf('\n  ,'))),
      /property name expected/,
    ],
    ['an opening brace that is missing', unopened, placeOf(unopened, unopened.indexOf('"},{"')), /record expected/],
    ['a bracket too many', opened, placeOf(opened, opened.lastIndexOf('[{"n"')), /record expected/],
  ])('%s would hide the records behind it: its place is told', async (_, text, place, what) => {
    await expect(clean({ 'a.json': text })).rejects.toMatchObject({
      code: 'UnreadableDataset',
      message: expect.stringMatching(what),
      where: `a.json, ${place}`,
      fix: expect.stringContaining('Mend it there'),
    });
  });

  it.each([
    ['{"data": […]}', JSON.stringify({ data: records }), 'UnreadableDataset', `jq '.["data"]'`],
    ['the same, pretty-printed', JSON.stringify({ data: records }, null, 2), 'UnreadableDataset', `jq '.["data"]'`],
    ['the same, a record a line', `{"data": [\n${lines.replaceAll('\n', ',\n')}\n]}`, 'UnreadableDataset', `jq '.["data"]'`],
    ['with more about it', JSON.stringify({ status: 'ok', found: records, next: null }), 'UnreadableDataset', `jq '.["found"]'`],
    ['by column', '{"a":{"0":1,"1":2},"y":{"0":"p","1":"q"}}', 'UnreadableDataset', 'orient="records"'],
    ['lists of columns', '{"a":[1,2],"y":["p","q"]}', 'UnreadableDataset', 'orient="records"'],
    ['split', '{"columns":["a","y"],"index":[0,1],"data":[[1,"p"],[2,"q"]]}', 'UnreadableDataset', 'orient="records"'],
    ['by column, larger than a record may be', `{"a":{${'"1":1234567,'.repeat(1_500_000)}"0":0}}`, 'UnreadableDataset', 'orient="records"'],
    ['values without names', '[[1,"p"],[2,"q"]]', 'EmptyDataset', 'orient="records"'],
    ['nothing', '[ ]', 'EmptyDataset', 'a row for each example'],
  ])('rows in another arrangement (%s) get an error that says what to do', async (_, text, code, fix) => {
    await expect(clean({ 'a.json': text })).rejects.toMatchObject({
      code,
      fix: expect.stringContaining(fix),
      where: expect.stringMatching(/^a.json/),
    });
  });

  it('a row of nested values alone is one where other files have more', async () => {
    const files = { 'a.json': '[{"n":[{"x":1}],"y":"p"}]', 'b.json': '[{"n":[],"y":"q"},{"n":[1],"y":"q"}]' };
    const { report } = await clean(files, { files: Object.keys(files), columns: { n: { role: 'feature' } } });
    expect(report.rows.kept).toBe(3);
  });

  it('damage of any kind is rejected or told, and never breaks the accounting', { timeout: 300_000 }, async () => {
    const damage = fc.record({
      at: fc.nat(pretty.length),
      cut: fc.nat(3),
      bytes: fc.constantFrom('', '"', '{', '}', '[', ']', ',', '\\', '\n', 'é', '\0', 'x', ':'),
    });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(array, pretty), fc.array(damage, { minLength: 1, maxLength: 3 }), async (whole, damages) => {
        const text = damages.reduce(
          (so, { at, cut, bytes }) => so.slice(0, at % so.length) + bytes + so.slice((at % so.length) + cut),
          whole,
        );
        const result = await clean({ 'a.json': text }, { target: 'y' }).catch((error: unknown) => error);
        if (result instanceof Error) {
          expect(result).toMatchObject({
            code: expect.stringMatching(/^(EmptyDataset|UnreadableDataset|UnusableTarget)$/),
            fix: expect.any(String),
          });
          return;
        }
        const { report } = result as Awaited<ReturnType<typeof clean>>;
        expect(isBalanced(report)).toBe(true);
        // Each record is read or rejected, with the neighbour that it may have lost its bounds to.
        expect(report.rows.read).toBeGreaterThanOrEqual(records.length - damages.length);
      }),
      { numRuns: 150 },
    );
  });
});
