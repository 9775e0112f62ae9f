/**
 * A 1 GB CSV of 7 million rows and 17 mixed columns to clean parquet: seconds from file to file, and peak memory, against pandas' read_csv,
 * dropna, StandardScaler and to_parquet. Ours does far more: it finds the types, counts every missing token, merges spellings, drops
 * duplicate rows, and reports on each column. The same work is what both do: they must read as many rows, find as many missing cells, and
 * agree on how many different rows have none.
 */
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { literal, withDatabase } from '../core/table/database.ts';
import { alternate, machine, type Result, runSide } from './alternate.ts';
import { bench } from './python.ts';

const rows = 7_000_000;

export default async function clean(): Promise<Result> {
  const file = resolve(bench, `.data/mixed-${rows}.csv`);
  if (!existsSync(file)) await makeFile(file);
  const output = resolve(bench, '.data/clean');
  const { ours, rival } = await alternate(
    () => runSide('clean.ours.ts', [file, output]),
    () => runSide('clean.rival.py', [file, output]),
    3,
  );
  const { complete } = await runSide('clean.rival.py', [file, output, 'check']);
  rmSync(output, { recursive: true, force: true });
  return {
    bench: 'clean',
    ratio: rival.seconds / ours.seconds,
    ours: ours.seconds,
    rival: rival.seconds,
    unit: 's',
    same_work: ours['read'] === rival['read'] && ours['missing'] === rival['missing'] && ours['complete'] === complete,
    megabytes: Math.round(statSync(file).size / 1e6),
    memoryRatio: rival.peakMegabytes / ours.peakMegabytes,
    details: { ours, rival: { ...rival, complete } },
    machine: machine(),
  };
}

/** Columns are functions of the row's number by DuckDB's hash, so the file is the same each time; every 1,000th row repeats an earlier one. */
async function makeFile(file: string): Promise<void> {
  mkdirSync(resolve(bench, '.data'), { recursive: true });
  const pick = (salt: number, values: string[]) =>
    `[${values.map(literal).join(', ')}][1 + (u(i, ${salt}) * ${values.length})::INTEGER % ${values.length}]`;
  await withDatabase({ threads: 2 }, async (database) => {
    await database.run('CREATE MACRO u(i, salt) AS (hash(i * 31 + salt) % 1000003) / 1000003.0');
    await database.run(
      `CREATE MACRO missing(i, salt, share, v) AS CASE WHEN u(i, salt + 100) >= share THEN v WHEN hash(i + salt) % 3 = 0 THEN NULL
       WHEN hash(i + salt) % 3 = 1 THEN 'NA' ELSE 'null' END`,
    );
    await database.run(
      `COPY (SELECT
         missing(i, 1, 0.02, (18 + u(i, 1) * 70)::INTEGER::VARCHAR) AS age,
         missing(i, 2, 0.01, round(exp(9 + u(i, 2) * 2.5), 2)::VARCHAR) AS income,
         round(u(i, 3), 6) AS score,
         round(-90 + 180 * u(i, 4) + u(i, 5) / 1000, 6) AS latitude,
         round(-180 + 360 * u(i, 6) + u(i, 7) / 1000, 6) AS longitude,
         floor(-ln(1 - u(i, 8)) * 20)::INTEGER AS visits,
         CASE WHEN u(i, 9) < 0.001 THEN round(1e6 * u(i, 10), 2) ELSE round((u(i, 10) - 0.5) * 2000, 2) END AS balance,
         missing(i, 11, 0.005, format('{:.8e}', u(i, 11) * 1e-3)) AS rate,
         round(u(i, 12) * 100, 3) AS humidity,
         CASE WHEN u(i, 13) < 0.01 THEN upper(city) WHEN u(i, 13) < 0.015 THEN ' ' || city ELSE city END AS city,
         missing(i, 14, 0.01, ${pick(14, ['Germany', 'France', 'United States', 'Japan', 'Brazil', 'Kenya'])}) AS country,
         ${pick(15, ['phone', 'laptop', 'tablet', 'desktop', 'television'])} AS device,
         ${pick(16, ['free', 'basic', 'professional', 'enterprise'])} AS plan,
         u(i, 17) < 0.5 AS active,
         (DATE '2015-01-01' + (u(i, 18) * 3650)::INTEGER)::VARCHAR AS signup,
         'SKU-' || (10000 + (u(i, 19) * 5000)::INTEGER) || '-warehouse' AS article,
         CASE WHEN u(i, 20) + u(i, 1) < 0.8 THEN 'yes' ELSE 'no' END AS churned
       FROM (SELECT i, ${pick(21, ['Amsterdam', 'Berlin', 'New York', 'San Francisco', 'Tokyo', 'Nairobi', 'São Paulo', 'Paris', 'Lyon', 'Hamburg', 'Osaka'])} AS city
             FROM (SELECT j - CASE WHEN j % 1000 = 999 THEN 500 ELSE 0 END AS i FROM range(${rows}) t(j)))
       ) TO ${literal(`${file}.part`)} (FORMAT csv, HEADER)`,
    );
  });
  renameSync(`${file}.part`, file);
}
