/** `privacy.ours.ts <cases>`: which columns cleaning takes for personal, and which texts have something masked. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanTable } from '../core/table/clean.ts';
import { formatRecord } from '../core/table/csv-records.ts';
import { mask } from '../core/table/detect/personal.ts';
import type { Cases } from './privacy.ts';

const { columns, texts } = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Cases;
const started = performance.now();

/** A table has no two columns of one name, and as many of them as make few tables. */
const widest = 40;
const tables: Map<string, number>[] = [];
for (const [index, { name }] of columns.entries()) {
  const key = name.toLowerCase();
  const table = tables.find((each) => each.size < widest && !each.has(key));
  if (table) table.set(key, index);
  else tables.push(new Map([[key, index]]));
}

/** Whether anything was found in each of these columns; those with fewer values than others end in gaps. */
async function clean(indices: number[]): Promise<[index: number, found: boolean][]> {
  const directory = mkdtempSync(join(tmpdir(), 'ingot-privacy-'));
  try {
    const own = indices.map((index) => columns[index]!);
    const rows = Array.from({ length: Math.max(...own.map(({ values }) => values.length)) }, (_, row) =>
      formatRecord([...own.map(({ values }) => values[row] ?? ''), String(row % 7), row % 2 ? 'a' : 'b']),
    );
    const path = join(directory, 'cases.csv');
    writeFileSync(
      path,
      `${[formatRecord([...own.map(({ name }) => name), 'feature of the bench', 'target of the bench']), ...rows].join('\n')}\n`,
    );
    const report = await cleanTable({
      dataset: 'cases',
      revision: '',
      files: [{ name: 'cases.csv', path }],
      spec: { header: true },
      directory,
    });
    return indices.map((index) => [
      index,
      report.columns.some(({ name, personal }) => name === columns[index]!.name && personal !== undefined),
    ]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const found: boolean[] = [];
for (const table of tables) for (const [index, is] of await clean([...table.values()])) found[index] = is;
const masked = texts.map(({ text }) => mask(text) !== text);
console.log(JSON.stringify({ seconds: (performance.now() - started) / 1000, found, masked }));
