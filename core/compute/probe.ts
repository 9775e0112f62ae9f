/**
 * How hard a table is to learn, from short runs on some of its rows. What a solver does there is counted in steps, not in seconds, so that
 * the same table has the same estimate on every machine. Of two tables of one size, one takes a support vector machine ten times as long.
 */
import { linear } from '../models/linear/linear.ts';
import type { Matrix, Target } from '../models/model.ts';
import { resolve } from '../models/svm/params.ts';
import { svm } from '../models/svm/svm.ts';
import { RbfTrainer } from '../models/svm/train-rbf.ts';
import { takeMatrix } from '../models/take-matrix.ts';
import { takeTarget } from '../features/split.ts';
import type { DatasetSpec } from '../spec.ts';

/** As `preprocess.json` keeps it. */
export interface Probe {
  svm?: Machines;
  descent?: Descents;
}

/** Of machines with the rbf kernel. */
export interface Machines {
  rows: number;
  /** Kernels that the solver has gone over, at a C of 1, and at a C of 10, which begins with that of 1. */
  passed: number;
  passedTen: number;
  /** The share of the rows that are support vectors, at a C of 1. */
  vectors: number;
}

/** Epochs of linear models' gradient descents, by solver. */
export type Descents = { rows: number } & { [solver in (typeof descents)[number]]?: number };

const descents = ['gd', 'sgd', 'adam'] as const;
const machineRows = 300;
/** With more classes each pair would have a handful of rows. */
const mostClasses = 12;
/** Rows of wide tables are fewer. */
const descentRows = { least: 200, most: 1000, cells: 20_000 };
const seed = 0;

/**
 * @param x the train rows
 * @param spec says which families and solvers there are to be estimated; it takes some milliseconds for each, whatever the table
 */
export async function probe(x: Matrix, y: Target, { families, grids }: Pick<DatasetSpec, 'families' | 'grids'> = {}): Promise<Probe> {
  const machines = !families || families.includes('svm') ? probeMachines(x, y) : undefined;
  const solvers = grids?.linear?.['solver'] ?? [];
  const asked = descents.filter((solver) => solvers.includes(solver));
  return { ...(machines && { svm: machines }), ...(asked.length > 0 && { descent: await probeDescents(x, y, asked) }) };
}

function probeMachines(x: Matrix, y: Target): Machines | undefined {
  if (y.task === 'classification' && y.classes > mostClasses) return undefined;
  const rows = spread(x.rows, machineRows);
  const params = svm.parse({});
  const passedAt = (C: number) => {
    const trainer = new RbfTrainer(x, y, rows, resolve(params), seed);
    const { vectors } = trainer.fit(C, params);
    return { passed: trainer.kernel.passed, vectors: vectors.length / rows.length };
  };
  const { passed, vectors } = passedAt(1);
  return passed === 0 ? undefined : { rows: rows.length, passed, passedTen: passedAt(10).passed, vectors };
}

async function probeDescents(x: Matrix, y: Target, solvers: readonly (typeof descents)[number][]): Promise<Descents> {
  const { least, most, cells } = descentRows;
  const rows = spread(x.rows, Math.max(least, Math.min(most, Math.floor(cells / x.columns))));
  const [some, own] = [takeMatrix(x, rows), takeTarget(y, rows)];
  const found: Descents = { rows: rows.length };
  for (const solver of solvers)
    found[solver] = (await linear.fit(some, own, linear.parse({ solver }), { seed, workers: 1 })).learningCurve!.length;
  return found;
}

const spread = (rows: number, most: number): Int32Array => {
  const count = Math.min(rows, most);
  return Int32Array.from({ length: count }, (_, i) => Math.floor((i * rows) / count));
};
