/**
 * The detector of wrong labels: in public and made tables, some labels are changed by seed; how many of them are listed, and how many others. Against
 * cleanlab's default filter, on probabilities of scikit-learn's forest of as many trees, out of fold. That a row is listed that was not changed need
 * not be wrong (breast_cancer has rows that no model understands): such tables count with those rows.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Matrix } from '../core/models/model.ts';
import { Random } from '../core/random.ts';
import { findSuspiciousLabels } from '../core/search/suspicious-labels.ts';
import { machine, type Result, runSide } from './alternate.ts';
import { bench } from './python.ts';
import { quality, tell } from './quality.ts';

/** How many of 100 labels are changed. */
const changed = 4;

interface Labelled {
  name: string;
  x: Matrix;
  classes: number;
  labels: Int32Array;
}

export default async function labels(): Promise<Result> {
  mkdirSync(resolve(bench, '.data'), { recursive: true });
  const cases: { kind: string | null }[] = [];
  const [ours, rival]: [boolean[], boolean[]] = [[], []];
  for (const [index, { name, x, classes, labels }] of tables().entries()) {
    const random = new Random(99 + index);
    const isChanged = Array.from(labels, () => random.below(100) < changed);
    const given = labels.map((label, row) => (isChanged[row] ? (label + 1 + random.below(classes - 1)) % classes : label));
    cases.push(...isChanged.map((is) => ({ kind: is ? name : null })));
    const rows = Int32Array.from(labels.keys());
    const found = await findSuspiciousLabels(x, { task: 'classification', classes, labels: given }, rows, { seed: 0, workers: 2 });
    const listed = new Set(found.labels.map(({ row }) => row));
    const file = resolve(bench, '.data/labels.json');
    writeFileSync(
      file,
      JSON.stringify({ x: [...rows].map((row) => x.names.map((_, column) => x.data[column * x.rows + row])), labels: [...given] }),
    );
    const theirs = new Set((await runSide('labels.rival.py', [file]))['listed'] as unknown as number[]);
    ours.push(...Array.from(rows, (row) => listed.has(row)));
    rival.push(...Array.from(rows, (row) => theirs.has(row)));
    const part = (sides: boolean[]) => quality(cases.slice(-x.rows), sides.slice(-x.rows));
    tell(name, part(ours), part(rival));
  }
  const [own, other] = [quality(cases, ours), quality(cases, rival)];
  tell('all tables (second column: cleanlab)', own, other);
  return {
    bench: 'labels',
    ratio: own.recall / other.recall,
    ours: own.recall,
    rival: other.recall,
    unit: 'recall of changed labels',
    same_work: own.recall >= 0.95 && own.falseAlarms <= 0.02,
    details: { ours: own, rival: other },
    machine: machine(),
  };
}

function tables(): Labelled[] {
  return [
    ...[
      { classes: 2, apart: 4, columns: 6 },
      { classes: 3, apart: 4, columns: 10 },
      { classes: 5, apart: 5, columns: 8 },
    ].map(made),
    breastCancer(),
  ];
}

/** Clouds of points in some of the columns, `apart` standard deviations from one another; the other columns tell nothing. */
function made({ classes, apart, columns }: { classes: number; apart: number; columns: number }, seed: number): Labelled {
  const random = new Random(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
  const rows = 2000;
  const labels = Int32Array.from({ length: rows }, () => random.below(classes));
  const centres = Array.from({ length: classes }, (_, label) =>
    Array.from({ length: columns }, (_, column) => (column % classes === label ? apart : 0)),
  );
  const data = Float32Array.from({ length: rows * columns }, (_, i) => centres[labels[i % rows]!]![Math.floor(i / rows)]! + normal());
  const names = Array.from({ length: columns }, (_, column) => `f${column}`);
  return { name: `${classes} clouds`, x: { rows, columns, names, data }, classes, labels };
}

function breastCancer(): Labelled {
  const [header, ...lines] = readFileSync(resolve(bench, '../examples/breast-cancer/breast-cancer.csv'), 'utf8').trim().split('\n');
  const names = header!.trim().split(',').slice(0, -1);
  const cells = lines.map((line) => line.trim().split(','));
  const classes = [...new Set(cells.map((row) => row.at(-1)!))].sort();
  const data = Float32Array.from({ length: lines.length * names.length }, (_, i) =>
    Number(cells[i % lines.length]![Math.floor(i / lines.length)]),
  );
  const labels = Int32Array.from(cells, (row) => classes.indexOf(row.at(-1)!));
  return { name: 'breast_cancer', x: { rows: lines.length, columns: names.length, names, data }, classes: 2, labels };
}
