/** Ten public tables (auto.data.py says which), each a folder with train.csv, test.csv and about.json. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { MetricName } from '../core/spec.ts';
import { bench, benchPython, rivalEnvironment } from './python.ts';

export const publicTables = ['breast-cancer', 'digits', 'attrition', 'churn', 'jobs', 'credit', 'telco', 'concrete', 'houses', 'diamonds'];

export interface PublicTable {
  target: string;
  metric: MetricName;
  rows: number;
  columns: number;
}

/** The folder that has them; they are made where they are missing. */
export function tablesFolder(): string {
  const folder = resolve(bench, '.data/auto');
  if (!existsSync(join(folder, publicTables.at(-1)!, 'about.json')))
    execFileSync(benchPython(), [resolve(bench, 'auto.data.py'), folder], { env: rivalEnvironment() });
  return folder;
}

/** @param path a table's folder */
export function aboutOf(path: string): PublicTable {
  return JSON.parse(readFileSync(join(path, 'about.json'), 'utf8')) as PublicTable;
}
