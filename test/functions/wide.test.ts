import { expect, test, vi } from 'vitest';
import { dataKeys } from '../../core/keys.ts';
import { getJson } from '../../core/object-store.ts';
import type { DatasetPointer } from '../../core/registry/datasets.ts';
import type { CleanReport } from '../../core/table/report.ts';
import { Laboratory } from './laboratory.ts';

/** Far more columns than rows, in three blocks of columns and a bit: numbers, an eighth of them categories, some cells missing. */
const width = 3100;
const rows = 60;

const cell = (row: number, column: number): number | string | null => {
  if ((row * 31 + column) % 97 === 0) return null;
  return column % 8 === 7
    ? ['red', 'green', 'blue'][Math.floor(43_758 * Math.abs(Math.sin(row * 12.9898 + column * 78.233))) % 3]!
    : Math.round(1e4 * Math.sin(row * 7.3 + column * 1.7)) / 1e4;
};
const names = Array.from({ length: width }, (_, column) => `c${column}`);
const label = (row: number) => (row % 2 ? 'odd' : 'even');

test('a table of thousands of columns becomes a model that answers, in less memory than the functions have by default', async () => {
  vi.stubEnv('AWS_LAMBDA_FUNCTION_MEMORY_SIZE', '2048');
  const lab = new Laboratory();
  await lab.rawData.put(
    'raw/wide/dataset.json',
    JSON.stringify({ folds: 2, grids: { forest: { nEstimators: [5], maxDepth: [null], minSamplesSplit: [2] } } }),
  );
  const lines = Array.from({ length: rows }, (_, row) => [...names.map((_, column) => cell(row, column) ?? ''), label(row)].join(','));
  // The last row is the first once more: rows are compared over all blocks of columns.
  await lab.prepare(await lab.upload('raw/wide/wide.csv', [[...names, 'y'].join(','), ...lines, lines[0]].join('\n')));
  const pointer = (await getJson<DatasetPointer>(lab.rawData, dataKeys.current('wide')))!;
  expect(pointer.error).toBeUndefined();
  expect(pointer).toMatchObject({ status: 'READY' });
  const report = (await getJson<CleanReport>(lab.rawData, dataKeys.report('wide', pointer.revision!)))!;
  expect(report.rows).toEqual({ read: rows + 1, kept: rows, rejected: 0, duplicates: 1, missingTarget: 0 });
  expect(report.columns.map(({ name, role }) => `${name} ${role}`)).toEqual([...names.map((name) => `${name} feature`), 'y target']);
  expect(report.columns.slice(0, width).map(({ missing }) => missing)).toEqual(
    names.map((_, column) => Array.from({ length: rows }, (_, row) => cell(row, column)).filter((value) => value === null).length),
  );

  await lab.runAll();
  const row = Object.fromEntries(names.map((name, column) => [name, cell(3, column)]));
  const { statusCode, body } = await lab.ask('POST', '/models/wide/predict', { rows: [row] });
  expect(statusCode).toBe(200);
  expect(JSON.parse(body)).toMatchObject({ model: 'wide', version: 1, predictions: [{ label: expect.stringMatching(/^(odd|even)$/) }] });
  vi.unstubAllEnvs();
}, 300_000);
