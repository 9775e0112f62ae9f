/**
 * A process that fits one model on a table that is read from a file, as a job does, and prints `started` before there is a table, and `begin` when it is there.
 * Its arguments, as JSON: a family, a shape, parameters, and how many rows more are predicted out of fold (0: all rows are fitted on).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Shape } from '../../core/compute/estimator.ts';
import { familyOf } from '../../core/models/families.ts';
import type { Params, Target } from '../../core/models/model.ts';
import { collectMemory } from '../../core/models/wasm-memory.ts';
import { Random } from '../../core/random.ts';
import { ColumnFile } from '../../core/table/column-file.ts';

const say = (word: string) => new Promise<void>((done) => process.stdout.write(`${word}\n`, () => setTimeout(done, 100)));
await say('started');
const [family, shape, params, valid] = JSON.parse(process.argv[2]!) as [string, Shape, Params, number];
const { rows, features, classes } = shape;
const all = rows + valid;
const directory = mkdtempSync(join(tmpdir(), 'ingot-fit-'));
const file = new ColumnFile(
  join(directory, 'columns'),
  Array.from({ length: features }, (_, i) => `c${i}`),
  all,
);
const random = new Random(3);
const signal = new Float64Array(all);
for (let from = 0; from < all; from += 2048) {
  const count = Math.min(2048, all - from);
  const columns = Array.from({ length: features }, () => Float32Array.from({ length: count }, () => random.uniform() * 2 - 1));
  for (let i = 0; i < count; i++) signal[from + i] = columns[0]![i]! + columns[1]![i]! ** 2 + random.uniform() * 0.3;
  file.add(
    columns,
    Int32Array.from({ length: count }, (_, i) => i),
  );
}
const labels = new Int32Array(all);
for (let row = 0; classes > 0 && row < all; row++) labels[row] = Math.abs(Math.floor(signal[row]! * 2)) % classes;
const y: Target = classes === 0 ? { task: 'regression', values: signal } : { task: 'classification', classes, labels };
const x = file.matrix();
const context = { seed: 1, workers: 2 };
collectMemory();
await say('begin');
if (valid === 0) (await familyOf(family).fit(x, y, params, context)).serialize();
else {
  const places = new Int32Array(all).map((_, row) => row);
  for await (const _ of familyOf(family).predictGrid(x, y, places.subarray(0, rows), places.subarray(rows), [params], context));
}
file.close();
rmSync(directory, { recursive: true });
process.exit(0);
