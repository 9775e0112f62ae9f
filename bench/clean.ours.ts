/** `clean.ours.ts <file> <folder>`: from the file to clean parquet with the whole report. */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { cleanTable } from '../core/table/clean.ts';
import { literal, rowsOf, withDatabase } from '../core/table/database.ts';

const [path, directory] = process.argv.slice(2) as [string, string];
mkdirSync(directory, { recursive: true });
const started = performance.now();
const report = await cleanTable({
  dataset: 'bench',
  revision: 'bench',
  files: [{ name: 'mixed.csv', path }],
  spec: {},
  directory,
  threads: 2,
});
const seconds = (performance.now() - started) / 1000;
const peakMegabytes = process.resourceUsage().maxRSS / 1024;
const { read, duplicates } = report.rows;
const missing = report.columns.flatMap(({ missingTokens }) => Object.values(missingTokens)).reduce((sum, count) => sum + count, 0);
const table = `read_parquet(${literal(resolve(directory, 'table.parquet'))})`;
const complete = await withDatabase({}, async (database) =>
  Number((await rowsOf(database, `SELECT count(*) FROM ${table} AS t WHERE COLUMNS(*) IS NOT NULL`))[0]![0]),
);
console.log(JSON.stringify({ seconds, peakMegabytes, read, duplicates, missing, complete }));
