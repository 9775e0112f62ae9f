import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { literal, withDatabase } from '../../core/table/database.ts';
import { readFrame, readTarget } from '../../core/table/frame-file.ts';
import { type MatrixColumn, readMatrix, writeMatrix } from '../../core/table/matrix-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'ingot-frame-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const path = join(directory, 'x.parquet');

const write = (sql: string) =>
  withDatabase({}, async (database) => void (await database.run(`COPY (${sql}) TO ${literal(path)} (FORMAT parquet)`)));

describe('readFrame', () => {
  it('gives numbers as float32 and everything else as codes, first seen first', async () => {
    await write(
      `SELECT * FROM (VALUES (0.1::DOUBLE, true, 'b'), (1e300, NULL, NULL), (NULL, false, 'a'), ('-0'::DOUBLE, true, 'b')) t(n, f, c)`,
    );
    expect(await readFrame(path)).toEqual({
      rows: 4,
      columns: [
        { type: 'number', name: 'n', values: new Float32Array([0.1, Infinity, NaN, -0]) },
        { type: 'boolean', name: 'f', codes: new Int32Array([1, -1, 0, 1]), dictionary: ['false', 'true'] },
        { type: 'category', name: 'c', codes: new Int32Array([0, -1, 1, 0]), dictionary: ['b', 'a'] },
      ],
    });
  });

  it('reads some columns and some rows', async () => {
    await write(`SELECT i::DOUBLE AS i, 'v' || (i % 3) AS "odd ""name""; DROP TABLE x; --" FROM range(10000) t(i)`);
    const frame = await readFrame(path, { columns: ['odd "name"; DROP TABLE x; --'], rows: { from: 5000, to: 5004 } });
    expect(frame).toEqual({
      rows: 4,
      columns: [
        { type: 'category', name: 'odd "name"; DROP TABLE x; --', codes: new Int32Array([0, 1, 2, 0]), dictionary: ['v2', 'v0', 'v1'] },
      ],
    });
    await expect(readFrame(path, { columns: ['nope'] })).rejects.toMatchObject({ code: 'NotFound', where: "column 'nope'" });
  });

  it('keeps the order of the rows over many row groups', async () => {
    await write(`SELECT i::DOUBLE AS i, (i * 7 % 1000)::VARCHAR AS c FROM range(400000) t(i)`);
    const [numbers, categories] = (await readFrame(path)).columns;
    if (numbers?.type !== 'number' || categories?.type !== 'category') throw new Error('types');
    expect(numbers.values.every((value, row) => value === row)).toBe(true);
    expect(categories.codes.every((code, row) => Number(categories.dictionary[code]) === (row * 7) % 1000)).toBe(true);
    expect(categories.dictionary.slice(0, 3)).toEqual(['0', '7', '14']);
  });
});

describe('readTarget', () => {
  it('gives class indices in the order of the report', async () => {
    await write(`SELECT * FROM (VALUES (3::DOUBLE, 'x', true), (1, '__proto__', false), (3, 'x', false)) t(n, c, b)`);
    const columns = (['n', 'c', 'b'] as const).map((name) => ({
      name,
      type: name === 'n' ? 'number' : name === 'b' ? 'boolean' : 'category',
    }));
    const report = (target: string, classes: string[]) =>
      ({ target, classes, task: 'classification', columns }) as unknown as Parameters<typeof readTarget>[1];
    expect(await readTarget(path, report('n', ['1', '3']))).toEqual({
      task: 'classification',
      classes: 2,
      labels: new Int32Array([1, 0, 1]),
    });
    expect(await readTarget(path, report('c', ['__proto__', 'x']))).toMatchObject({ labels: new Int32Array([1, 0, 1]) });
    expect(await readTarget(path, report('b', ['false', 'true']))).toMatchObject({ labels: new Int32Array([1, 0, 0]) });
  });

  it('gives regression values in double precision', async () => {
    await write(`SELECT 0.1::DOUBLE AS y`);
    expect(await readTarget(path, { target: 'y', task: 'regression', columns: [] })).toEqual({
      task: 'regression',
      values: new Float64Array([0.1]),
    });
  });
});

describe('writeMatrix and readMatrix', () => {
  it('round-trip any float32 and any name', async () => {
    const name = fc.string({ minLength: 1, unit: 'binary' }).filter((text) => !text.includes('\0') && text.isWellFormed());
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(name, { minLength: 1, maxLength: 4, selector: (text) => text.toLowerCase() }),
        fc.integer({ min: 0, max: 5000 }),
        async (names, rows) => {
          const columns = names.map(
            (name, c): MatrixColumn => ({
              name,
              values: Float32Array.from({ length: rows }, (_, r) => (r % 7 === 0 ? NaN : Math.sin(r + c))),
            }),
          );
          await writeMatrix(path, columns);
          const reversed = names.toReversed();
          const matrix = await readMatrix(path, reversed);
          expect(matrix).toMatchObject({ rows, columns: names.length, names: reversed });
          for (const [index, { values }] of columns.toReversed().entries())
            expect(matrix.data.subarray(index * rows, (index + 1) * rows)).toEqual(values);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('writes the same bytes each time, and keeps integers and doubles', async () => {
    const columns = [
      { name: 'label', values: new Int32Array([2 ** 31 - 1, -1]) },
      { name: 'value', values: new Float64Array([0.1, NaN]) },
    ];
    await writeMatrix(path, columns);
    const bytes = readFileSync(path);
    await writeMatrix(path, columns);
    expect(readFileSync(path)).toEqual(bytes);
    expect((await readFrame(path)).columns[1]).toMatchObject({ values: new Float32Array([0.1, NaN]) });
    await expect(readMatrix(path, ['nope'])).rejects.toMatchObject({ code: 'NotFound' });
  });

  it('takes ten thousand columns', async () => {
    const columns = Array.from({ length: 10_000 }, (_, c) => ({ name: `f${c}`, values: new Float32Array(300).fill(c) }));
    await writeMatrix(path, columns);
    expect((await readMatrix(path, ['f9999', 'f0'])).data).toEqual(new Float32Array(600).fill(9999, 0, 300));
  });
});
