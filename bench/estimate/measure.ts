/** Tables and parameters of many sizes, drawn by seed, and what fitting on them really takes. */

import type { Shape } from '../../core/compute/estimator.ts';
import { probe } from '../../core/compute/probe.ts';
import type { FamilyName } from '../../core/compute/work.ts';
import { familyOf } from '../../core/models/families.ts';
import type { Matrix, Params, Target } from '../../core/models/model.ts';
import type { Random } from '../../core/random.ts';
import { expandGrid } from '../../core/search/grid.ts';
import type { DatasetSpec } from '../../core/spec.ts';

export interface Case {
  shape: Shape;
  /** More than one: a search, which predicts a quarter as many rows besides. */
  candidates: Params[];
}

export interface Measured extends Case {
  /** Processor time, which what else the machine does touches less than it does the clock. */
  coreSeconds: number;
}

/** Rows and features evenly spread on a logarithmic scale; every other case is a search of a small grid, the others are single fits. */
export function drawForestCase(random: Random, family: 'forest' | 'extraTrees'): Case {
  const between = (low: number, high: number) => Math.round(low * (high / low) ** random.uniform());
  const pick = <T>(...values: T[]): T => values[random.below(values.length)]!;
  const shape: Shape = { rows: between(200, 40_000), features: between(3, 80), classes: pick(0, 2, 2, 3, 8) };
  const [trees, maxDepth, minSamplesSplit] = [between(10, 100), pick(null, null, 6, 10, 20), pick(2, 5, 10)];
  const grid: Record<string, Params[string][]> =
    random.below(2) === 0
      ? { nEstimators: [Math.ceil(trees / 3), trees], maxDepth: [null, 10, 20], minSamplesSplit: [2, 5, 10] }
      : { nEstimators: [trees], maxDepth: [maxDepth], minSamplesSplit: [minSamplesSplit], minSamplesLeaf: [pick(1, 1, 5)] };
  return { shape, candidates: expandGrid(grid).map((params) => familyOf(family).parse(params)) };
}

/** As above, of all losses; rounds that may stop early are left out, since the estimate counts them all. */
export function drawBoostingCase(random: Random): Case {
  const between = (low: number, high: number) => Math.round(low * (high / low) ** random.uniform());
  const pick = <T>(...values: T[]): T => values[random.below(values.length)]!;
  const shape: Shape = { rows: between(200, 40_000), features: between(3, 80), classes: pick(0, 2, 2, 3, 8) };
  const rounds = between(10, 100);
  const grid: Record<string, Params[string][]> =
    random.below(2) === 0
      ? { nEstimators: [Math.ceil(rounds / 2), rounds], maxLeaves: [7, 31] }
      : {
          nEstimators: [rounds],
          maxLeaves: [pick(7, 15, 31, 31, 63)],
          maxDepth: [pick(null, null, 6)],
          subsample: [pick(1, 1, 0.7)],
          colsample: [pick(1, 1, 0.5)],
          loss: [shape.classes === 0 ? pick('auto', 'quantile') : 'auto'],
        };
  return { shape, candidates: expandGrid(grid).map((params) => familyOf('boosting').parse(params)) };
}

/** As above, of all solvers; every other case is a search of penalties. */
export function drawLinearCase(random: Random): Case {
  const between = (low: number, high: number) => Math.round(low * (high / low) ** random.uniform());
  const pick = <T>(...values: T[]): T => values[random.below(values.length)]!;
  const shape: Shape = { rows: between(200, 20_000), features: between(3, 60), classes: pick(0, 2, 2, 3, 6) };
  const grid: Record<string, Params[string][]> =
    random.below(2) === 0
      ? { penalty: ['l2', 'l1'], alpha: [0.0001, 0.001, 0.01, 0.1, 1] }
      : { penalty: [pick('l2', 'l1')], alpha: [10 ** -(1 + random.below(4))], solver: [pick('lbfgs', 'lbfgs', 'gd', 'sgd', 'adam')] };
  return { shape, candidates: expandGrid(grid).map((params) => familyOf('linear').parse(params)) };
}

/** As above, of both kernels; every other case is a path of C. */
export function drawSvmCase(random: Random): Case {
  const between = (low: number, high: number) => Math.round(low * (high / low) ** random.uniform());
  const pick = <T>(...values: T[]): T => values[random.below(values.length)]!;
  const shape: Shape = { rows: between(200, 8000), features: between(3, 60), classes: pick(0, 2, 2, 3, 6) };
  const kernel = [pick('rbf', 'rbf', 'linear')];
  const grid: Record<string, Params[string][]> =
    random.below(2) === 0 ? { kernel, C: [0.1, 1, 10, 100] } : { kernel, C: [pick(0.1, 1, 10, 100)] };
  return { shape, candidates: expandGrid(grid).map((params) => familyOf('svm').parse(params)) };
}

/** As above, of both normalisations; every other case is a search of two widths and two numbers of epochs. */
export function drawNetworkCase(random: Random): Case {
  const between = (low: number, high: number) => Math.round(low * (high / low) ** random.uniform());
  const pick = <T>(...values: T[]): T => values[random.below(values.length)]!;
  const shape: Shape = { rows: between(200, 20_000), features: between(3, 60), classes: pick(0, 2, 2, 3, 6) };
  const epochs = between(4, 30);
  const grid: Record<string, Params[string][]> =
    random.below(2) === 0
      ? { epochs: [Math.ceil(epochs / 2), epochs], width: [32, 128] }
      : {
          epochs: [epochs],
          width: [pick(32, 64, 128, 256)],
          depth: [pick(1, 2, 2, 3)],
          bins: [pick(0, 8, 16)],
          normalisation: [pick('none', 'none', 'batch')],
        };
  return { shape, candidates: expandGrid(grid).map((params) => familyOf('network').parse(params)) };
}

/** A table of the shape: a signal in some features, noise of a drawn strength in the target, every third feature of few values. */
export function drawTable({ rows, features, classes }: Shape, random: Random): { x: Matrix; y: Target } {
  const data = new Float32Array(rows * features);
  for (let column = 0; column < features; column++)
    for (let row = 0; row < rows; row++) {
      const value = random.uniform() + random.uniform() + random.uniform() - 1.5;
      data[column * rows + row] = column % 3 === 2 ? Math.round(value * 3) : value;
    }
  const x: Matrix = { rows, columns: features, names: Array.from({ length: features }, (_, column) => `c${column}`), data };
  const noise = 2 * random.uniform() ** 2;
  const signal = Float64Array.from({ length: rows }, (_, row) => {
    const at = (column: number) => data[(column % features) * rows + row]!;
    return at(0) - at(1) + at(0) * at(2) + noise * (random.uniform() - 0.5);
  });
  if (classes === 0) return { x, y: { task: 'regression', values: signal } };
  const sorted = signal.slice().sort();
  const edges = Array.from({ length: classes - 1 }, (_, k) => sorted[Math.floor(((k + 1) * rows) / classes)]!);
  return {
    x,
    y: { task: 'classification', classes, labels: Int32Array.from(signal, (value) => edges.filter((edge) => value >= edge).length) },
  };
}

/** What is short is done for so long before, as the first times also compile the code, some milliseconds that go with a call of a function; and again as often. */
const warmSeconds = 0.05;

/** Fits (or searches) on one thread: the least of two times or more, when the code is compiled. */
export async function measure(family: string, { shape, candidates }: Case, random: Random): Promise<Measured> {
  const valid = candidates.length > 1 ? Math.floor(shape.rows / 4) : 0;
  const { x, y } = drawTable({ ...shape, rows: shape.rows + valid }, random);
  const context = { seed: random.uint32(), workers: 1 };
  const work = async () => {
    if (valid === 0) (await familyOf(family).fit(x, y, candidates[0]!, context)).serialize();
    else {
      const rows = Int32Array.from({ length: shape.rows }, (_, row) => row);
      const validRows = Int32Array.from({ length: valid }, (_, row) => shape.rows + row);
      for await (const _ of familyOf(family).predictGrid(x, y, rows, validRows, candidates, context));
    }
  };
  const timed = async () => {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  };
  for (let spent = 0; spent < warmSeconds; ) spent += await timed();
  const times = [await timed(), await timed()];
  for (let spent = 0; spent < warmSeconds; spent += times.at(-1)!) times.push(await timed());
  const grids = gridsOf(family, candidates);
  const families = [family as FamilyName];
  return { shape: { ...shape, probe: await probe(x, y, { families, grids }) }, candidates, coreSeconds: Math.min(...times) };
}

/** As dataset.json would ask for a single candidate of linear models; the estimates know of its descent then. */
function gridsOf(family: string, [first]: Params[]): DatasetSpec['grids'] {
  if (family !== 'linear') return undefined;
  const { solver, penalty, alpha } = first!;
  return { linear: { solver: [solver!], penalty: [penalty!], alpha: [alpha!] } };
}
