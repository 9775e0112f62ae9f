import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { families } from '../../core/models/families.ts';
import { takeMatrix } from '../../core/models/take-matrix.ts';
import { readMatrix, storeMatrix, writeMatrix } from '../../core/table/matrix-file.ts';
import { lazy, makeSample } from '../models/data.ts';

const directory = mkdtempSync(join(tmpdir(), 'ingot-columns-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const [parquet, file] = [join(directory, 'x.parquet'), join(directory, 'x.columns')];

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength);

test('a matrix in a file gives the columns that it has in memory: all rows, or some', async () => {
  const rows = 250_000;
  const names = Array.from({ length: 20 }, (_, i) => `f${i}`);
  await writeMatrix(
    parquet,
    names.map((name, c) => ({ name, values: Float32Array.from({ length: rows }, (_, r) => (r % 7 === 0 ? NaN : Math.sin(r * (c + 1)))) })),
  );
  for (const some of [undefined, Int32Array.from({ length: 80_000 }, (_, i) => i * 3 - (i % 2 && 1))]) {
    const whole = await readMatrix(parquet, names, { rows: some });
    const stored = await storeMatrix(parquet, names, file, { rows: some });
    const x = stored.matrix();
    expect(x).toMatchObject({ rows: whole.rows, columns: 20 });
    for (const feature of [0, 7, 19])
      expect(
        Buffer.compare(bytesOf(x.column(feature)), bytesOf(whole.data.subarray(feature * whole.rows, (feature + 1) * whole.rows))),
      ).toBe(0);
    expect(Buffer.compare(bytesOf(x.data), bytesOf(whole.data))).toBe(0);
    stored.close();
  }
  await expect(storeMatrix(parquet, ['nope'], file)).rejects.toMatchObject({ code: 'NotFound' });
});

test('rows are taken of a matrix that is not in memory, and stay out of it where they are many', () => {
  const { x } = makeSample(600_000, 8, 2, 1);
  const rows = Int32Array.from({ length: 550_000 }, (_, i) => i + (i % 2));
  const taken = takeMatrix(lazy(x), rows);
  expect(taken.column).toBeDefined();
  expect(Buffer.compare(bytesOf(taken.data), bytesOf(takeMatrix(x, rows).data))).toBe(0);
  expect(takeMatrix(lazy(x), rows.subarray(0, 10))).toEqual(takeMatrix(x, rows.subarray(0, 10)));
});

describe.each(families.map((family) => [family.name, family] as const))('%s', (_, family) => {
  const { x, y } = makeSample(300, 6, 3, 4);
  // The third column is a category of a few codes.
  for (let row = 0; row < x.rows; row++) x.data[2 * x.rows + row] = Math.abs(x.data[2 * x.rows + row]!);
  const zeros = new Array<number>(6).fill(0);
  const traits = {
    impute: zeros,
    low: zeros.map(() => -1),
    high: zeros.map(() => 1),
    categories: [{ code: 2, values: 6, flags: [] }],
  };
  const known = { ...x, traits };
  const params = 'nEstimators' in family.parse({}) ? { nEstimators: 10 } : {};

  test('is fitted alike on a matrix in memory and on one that is not', async () => {
    const context = { seed: 1, workers: 1 };
    const [expected, model] = await Promise.all([known, lazy(known)].map((each) => family.fit(each, y, params, context)));
    expect(Buffer.compare(model!.serialize(), expected!.serialize())).toBe(0);
    expect(await model!.predict(lazy(known))).toEqual(await expected!.predict(known));
  });
});
