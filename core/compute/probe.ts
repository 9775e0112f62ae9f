/**
 * How hard a table is to learn, from short runs on some of its rows. What a solver does there is counted in steps, not in seconds, so that
 * the same table has the same estimate on every machine. Of two tables of one size, one takes a support vector machine ten times as long.
 */

import { takeTarget } from '../features/split.ts';
import { linear } from '../models/linear/linear.ts';
import type { Matrix, Params, Target } from '../models/model.ts';
import { resolve } from '../models/svm/params.ts';
import { svm } from '../models/svm/svm.ts';
import { RbfTrainer } from '../models/svm/train-rbf.ts';
import { takeMatrix } from '../models/take-matrix.ts';
import { applyView } from '../models/view/apply-view.ts';
import { filledView } from '../models/view/filled.ts';
import { expandGrid } from '../search/grid.ts';
import type { DatasetSpec } from '../spec.ts';
import type { Descents, Machines, Probe } from './hardness.ts';
import { descentKey } from './linear-work.ts';

const machineRows = 300;
/** With more classes each pair would have a handful of rows. */
const mostClasses = 12;
/** Rows of wide tables are fewer. */
const descentRows = { least: 200, most: 1000, cells: 60_000 };
/** Of a grid, so many descents are tried. */
const mostDescents = 12;
const seed = 0;

/** The rows to probe, of all train rows. */
export const rowsToProbe = (rows: number): Int32Array => spread(rows, descentRows.most);

/**
 * @param features of some train rows, as the table has them
 * @param spec says which families and solvers there are to be estimated; it takes some milliseconds for each, whatever the table
 */
export async function probe(
  features: Matrix,
  y: Target,
  { families, grids }: Pick<DatasetSpec, 'families' | 'grids'> = {},
): Promise<Probe> {
  const view = filledView(features);
  const x = view ? applyView(view, features) : features;
  const machines = !families || families.includes('svm') ? await probeMachines(x, y) : undefined;
  const { solver: solvers = [], ...others } = { ...linear.grid, ...grids?.linear };
  const asked = expandGrid({ solver: solvers.filter((solver) => solver !== 'lbfgs'), ...others }).slice(0, mostDescents);
  return { ...(machines && { svm: machines }), ...(asked.length > 0 && { descent: await probeDescents(x, y, asked) }) };
}

async function probeMachines(x: Matrix, y: Target): Promise<Machines | undefined> {
  if (y.task === 'classification' && y.classes > mostClasses) return undefined;
  const rows = spread(x.rows, machineRows);
  const params = svm.parse({});
  const passedAt = async (C: number) => {
    const trainer = new RbfTrainer(x, y, rows, resolve(params), seed);
    const { vectors } = await trainer.fit(C, params);
    return { passed: trainer.kernel.passed, vectors: vectors.length / rows.length };
  };
  const { passed, vectors } = await passedAt(1);
  return passed === 0 ? undefined : { rows: rows.length, passed, passedTen: (await passedAt(10)).passed, vectors };
}

async function probeDescents(x: Matrix, y: Target, asked: readonly Params[]): Promise<Descents> {
  const { least, most, cells } = descentRows;
  const rows = spread(x.rows, Math.max(least, Math.min(most, Math.floor(cells / x.columns))));
  const [some, own] = [takeMatrix(x, rows), takeTarget(y, rows)];
  const epochs: Descents['epochs'] = {};
  for (const each of asked) {
    const params = linear.parse(each);
    const seeds = params['solver'] === 'gd' ? [seed] : [seed, seed + 1];
    let logarithms = 0;
    for (const of of seeds) {
      const { learningCurve } = await linear.fit(some, own, params, { seed: of, workers: 1 });
      logarithms += Math.log(learningCurve!.length - 1) / seeds.length;
    }
    epochs[descentKey(params)] = Math.exp(logarithms);
  }
  return { rows: rows.length, epochs };
}

const spread = (rows: number, most: number): Int32Array => {
  const count = Math.min(rows, most);
  return Int32Array.from({ length: count }, (_, i) => Math.floor((i * rows) / count));
};
