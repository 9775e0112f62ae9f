/**
 * The detector of leakage on seeded tables, through the whole of cleaning: recall by sort of leak, and false alarms on honest tables, among which are
 * the three public ones of examples/. No rival: what there is on PyPI either comes with a hundred packages or is a threshold on one correlation.
 * So `rival` is the goal, and `ratio` our recall to it.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { DatasetSpec } from '../core/spec.ts';
import { cleanTable } from '../core/table/clean.ts';
import { machine, type Result } from './alternate.ts';
import { type Case, leakageCases } from './leakage.cases.ts';
import { bench } from './python.ts';
import { quality, tell } from './quality.ts';

const goal = 0.95;

export default async function leakage(): Promise<Result> {
  const made = leakageCases(7, 8);
  const cases: (Omit<Case, 'csv'> & { csv: string | Buffer; spec?: DatasetSpec })[] = [...made, ...publicTables()];
  const found: boolean[] = [];
  for (const { csv, kind, about, spec } of cases) {
    const quarantined = await quarantinedIn(csv, spec ?? {});
    // Of a leaky table only the leak itself counts; of an honest one anything.
    const hit = kind === null ? quarantined.length > 0 : quarantined.includes('leak');
    if (hit !== (kind !== null))
      console.log(kind === null ? `false alarm: ${about}: ${quarantined.join(', ')}` : `missed: ${kind} (${about})`);
    found.push(hit);
  }
  const ours = quality(cases, found);
  tell('leakage', ours);
  return {
    bench: 'leakage',
    ratio: ours.recall / goal,
    ours: ours.recall,
    rival: goal,
    unit: 'recall (no rival: the goal)',
    same_work: ours.recall >= goal && ours.falseAlarms <= 0.02,
    details: ours,
    machine: machine(),
  };
}

/** The names of the columns that are no features because of the target; a copy may also have been ignored as text that is near unique. */
async function quarantinedIn(csv: string | Buffer, spec: DatasetSpec): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'ingot-leakage-'));
  try {
    const path = join(directory, 'table.csv');
    writeFileSync(path, csv);
    const report = await cleanTable({
      dataset: 'bench',
      revision: 'bench',
      files: [{ name: 'table.csv', path }],
      spec,
      directory,
      threads: 2,
    });
    return report.columns.filter(({ leak }) => leak?.treatment === 'quarantined').map(({ name }) => name);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function publicTables() {
  const read = (path: string) => readFileSync(resolve(bench, '../examples', path));
  return [
    { kind: null, about: 'breast-cancer', csv: read('breast-cancer/breast-cancer.csv') },
    { kind: null, about: 'auto-mpg', csv: read('auto-mpg/auto-mpg.jsonl') },
    {
      kind: null,
      about: 'penguins',
      csv: read('penguins/penguins.csv'),
      spec: JSON.parse(String(read('penguins/dataset.json'))) as DatasetSpec,
    },
  ];
}
