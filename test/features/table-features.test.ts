import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { equalRows } from '../../core/features/equal-rows.ts';
import { splitRows, takeRows, takeTarget } from '../../core/features/split.ts';
import { crossTable, equalRowsOf, fitTable, transformTable } from '../../core/features/table-features.ts';
import { fit, transform, transformTrain, withCrosses } from '../../core/features/tabular.ts';
import type { Matrix } from '../../core/models/model.ts';
import { foldsOf } from '../../core/search/folds.ts';
import { literal, withDatabase } from '../../core/table/database.ts';
import { readFrame } from '../../core/table/frame-file.ts';
import { MatrixWriter } from '../../core/table/matrix-file.ts';
import { StoredTable } from '../../core/table/stored-table.ts';
import { reportOf } from './tables.ts';

const directory = mkdtempSync(join(tmpdir(), 'ingot-table-features-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const rows = 30_000;
const columns = [
  { name: 'number', type: 'number', sql: `CASE WHEN i % 11 = 0 THEN NULL ELSE (i * 7919 % 1009)::DOUBLE END` },
  { name: 'other', type: 'number', sql: `(i % 97)::DOUBLE / 7` },
  { name: 'large', type: 'number', sql: `1e9 + i * 3` },
  { name: 'colour', type: 'category', sql: `['red', 'green', NULL, 'blue'][1 + i % 4]` },
  { name: 'shop', type: 'category', sql: `'shop ' || (i * 31 % 500)` },
  // More values than a query can hold.
  { name: 'customer', type: 'category', sql: `'customer ' || (i * 7 % 13000)` },
  { name: 'note', type: 'text', sql: `'the ' || ['old', 'new', 'red'][1 + i % 3] || ' thing of number ' || (i % 700)` },
  { name: 'member', type: 'boolean', sql: `i % 5 < 2` },
] as const;
const names = columns.map(({ name }) => name);

/** The table, and the target of each row. */
async function stored() {
  const path = join(directory, 'table.parquet');
  const items = columns.map(({ name, sql }) => `${sql} AS "${name}"`).join(', ');
  await withDatabase({}, async (database) => {
    await database.run(`COPY (SELECT ${items} FROM range(${rows}) t(i)) TO ${literal(path)} (FORMAT parquet, ROW_GROUP_SIZE 4096)`);
  });
  return {
    path,
    target: {
      task: 'classification' as const,
      classes: 2,
      labels: Int32Array.from({ length: rows }, (_, i) => Number((i * 31) % 500 > 200)),
    },
  };
}

/** A matrix that is handed out in parts, as one. */
function joinParts(parts: Matrix[]): Matrix {
  const count = parts.reduce((sum, part) => sum + part.rows, 0);
  const [first] = parts as [Matrix];
  const data = new Float32Array(count * first.columns);
  let at = 0;
  for (const part of parts) {
    for (let column = 0; column < part.columns; column++)
      data.set(part.data.subarray(column * part.rows, (column + 1) * part.rows), column * count + at);
    at += part.rows;
  }
  return { ...first, rows: count, data };
}

test('a table of which little is in memory at a time has the features that it has as a whole', async () => {
  const { path, target } = await stored();
  const report = reportOf(columns);
  const wide = ['large'];
  const whole = await readFrame(path, { columns: names, wide });
  const together = equalRows(whole);
  const sides = splitRows(target, 0.2, 1, { together });
  const train = takeRows(whole, sides.train);
  const learning = { target: takeTarget(target, sides.train), foldOf: foldsOf(takeTarget(target, sides.train), 5, 1) };
  const crosses = [
    { operation: 'within' as const, a: 0, b: 3 },
    { operation: 'over' as const, a: 0, b: 1 },
  ];
  const expected = withCrosses(fit(train, report, sides.test.length, learning), crosses, train);

  // A column at a time, and 2,048 rows at a time.
  const table = new StoredTable(path, names, rows, { wide, values: rows });
  expect(await equalRowsOf(table)).toEqual(together);
  const fitted = await fitTable(table, report, sides, learning);
  const preprocess = await crossTable(table, fitted.preprocess, crosses, sides.train);
  expect(preprocess).toEqual(expected);
  const parts: Record<'train' | 'test', Matrix[]> = { train: [], test: [] };
  await transformTable(table, { ...fitted, preprocess }, sides, async (side, x) => void parts[side].push(x));
  expect(parts.train.length).toBeGreaterThan(10);
  expect(joinParts(parts.train)).toEqual(transformTrain(expected, train, learning));
  expect(joinParts(parts.test)).toEqual(transform(expected, takeRows(whole, sides.test)));
});

test('rows are taken from wherever they lie', async () => {
  const { path } = await stored();
  const some = Int32Array.of(5, 29_999, 17);
  const whole = takeRows(await readFrame(path, { columns: names }), some);
  expect(await new StoredTable(path, names, rows, { values: 1000 }).take(some)).toEqual(whole);
  expect(await new StoredTable(path, names, rows, { values: 1000 }).takeEach([some, some.slice(1)])).toEqual([
    whole,
    takeRows(whole, Int32Array.of(1, 2)),
  ]);
  expect(await new StoredTable(path, names, rows).take(some, ['shop', 'number'])).toEqual({
    rows: 3,
    columns: [whole.columns[4], whole.columns[0]],
  });
});

test('a matrix that is written part by part has the bytes of one that is written at once', async () => {
  const count = 300_000;
  const values = [0, 1].map((column) => Float32Array.from({ length: count }, (_, row) => Math.sin(row + column)));
  const write = async (name: string, size: number) => {
    const writer = new MatrixWriter(join(directory, name));
    for (let from = 0; from < count; from += size)
      await writer.add(values.map((column, i) => ({ name: `f${i}`, values: column.subarray(from, from + size) })));
    await writer.close();
    return readFileSync(join(directory, name));
  };
  expect(Buffer.compare(await write('parts.parquet', 50_000), await write('whole.parquet', count))).toBe(0);
});
