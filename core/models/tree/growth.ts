/** Grows trees on a training set: bins its columns once, then grows as often as asked, all on the threads of the pool. */
import { mix32 } from '../../random.ts';
import { columnOf } from '../lazy-matrix.ts';
import type { Matrix } from '../model.ts';
import type { FixedTarget } from './fixed-point.ts';
import { type Kernel, SharedMemory } from './memory.ts';
import { runPhase } from './pool.ts';
import { binBlock, type GrownTree, maxTasks, type Phase } from './thread.ts';

export const binsPerFeature = 256;

export interface GrowthParams {
  seed: number;
  /** Bits of a leaf's value, see fixed-point.ts. */
  bits: number;
  bootstrap: boolean;
  maxFeatures: number;
  maxDepth: number;
  minSamplesSplit: number;
  minSamplesLeaf: number;
  /** The best cut of each feature looked at, or a random one. */
  splitter: 'best' | 'random';
}

/** The cuts of a forest whose predictions are wanted: every combination of the three. */
export interface Cuts {
  /** Numbers of trees and depths, ascending. */
  counts: number[];
  depths: number[];
  /** minSamplesSplit, descending. */
  splits: number[];
}

/** Bytes of raw columns that are in shared memory at a time, while they are binned. */
const batchBytes = 128 * 2 ** 20;
/** Work (rows × features looked at × trees) below which other threads would start too late to help: some 20 ms. */
const smallWork = 2_000_000;

let jobs = 0;

export class Growth {
  /** float32 [features × 256]: ascending upper edges of each feature's bins, +Infinity behind the last. */
  edges = new Float32Array();
  private readonly job = jobs++;
  /** Boosting keeps its own beside the bins. */
  readonly shared = new SharedMemory();
  private readonly kernel: Kernel = this.shared.instantiate();
  private readonly features: number;
  private readonly rows: Int32Array;
  private readonly validRows: Int32Array;
  private readonly target: FixedTarget;
  private readonly workers: number;
  private phases = 0;
  private free = 0;

  private constructor(x: Matrix, target: FixedTarget, rows: Int32Array, validRows: Int32Array, workers: number) {
    this.features = x.columns;
    this.rows = rows;
    this.validRows = validRows;
    this.target = target;
    this.workers = workers;
  }

  /**
   * @param target of `rows`, the rows of x to grow on
   * @param validRows rows of x to predict by cuts; binned by the edges of the others
   */
  static async on(x: Matrix, target: FixedTarget, rows: Int32Array, validRows: Int32Array, workers: number): Promise<Growth> {
    const growth = new Growth(x, target, rows, validRows, workers);
    await growth.bin(x);
    return growth;
  }

  private async bin(x: Matrix): Promise<void> {
    const { shared, rows, validRows, features } = this;
    const allRows = rows.length + validRows.length;
    const edges = shared.take(features * binsPerFeature * 4);
    const bins = shared.take(allRows * features);
    const columnBins = shared.take(rows.length * features);
    const target = shared.put(this.target.values);
    shared.set({ features, rows: rows.length, allRows, bins, columnBins, edges, target, outputs: this.target.outputs });
    this.free = shared.take(0);
    const inOrder = rows.every((row, i) => row === i);
    const batch = Math.max(1, Math.min(features, maxTasks, Math.floor(batchBytes / (allRows * 4))));
    for (let first = 0; first < features; first += batch) {
      const columns = Math.min(batch, features - first);
      const raw = shared.take(columns * allRows * 4);
      for (let i = 0; i < columns; i++) {
        const column = columnOf(x, first + i);
        const copy = shared.floats(raw + i * allRows * 4, allRows);
        if (inOrder) copy.set(column.subarray(0, rows.length));
        else for (let row = 0; row < rows.length; row++) copy[row] = column[rows[row]!]!;
        for (let row = 0; row < validRows.length; row++) copy[rows.length + row] = column[validRows[row]!]!;
      }
      shared.set({ raw, firstColumn: first, columns });
      const work = columns * allRows * 4;
      await this.run('edges', columns, work);
      await this.run('bins', Math.ceil(allRows / binBlock), work);
      shared.release(this.free);
    }
    this.edges = shared.floats(edges, features * binsPerFeature).slice();
  }

  /** Grows trees `first` to trees - 1. A tree is the same whatever the number of trees. */
  async grow(params: GrowthParams, trees: number, onProgress?: (done: number) => void, first = 0): Promise<GrownTree[]> {
    this.shared.set({ ...header(params), countsLength: 0, depthsLength: 0, splitsLength: 0 });
    const count = trees - first;
    const work = count * this.rows.length * params.maxFeatures;
    const { trees: grown } = await this.run('grow', count, work, (tasks) => onProgress?.(tasks / count), first);
    return grown;
  }

  /**
   * Grows as many trees as the largest count wants, and sums the leaves that the rows to predict end in, for each cut.
   * @returns int32 [counts × rows × depths × splits × outputs]
   */
  async sumCuts(params: GrowthParams, cuts: Cuts, onProgress?: (done: number) => void): Promise<Int32Array> {
    const { shared, validRows, free } = this;
    const lists = { counts: shared.put(cuts.counts), depths: shared.put(cuts.depths), splits: shared.put(cuts.splits) };
    shared.set({
      ...header(params),
      ...lists,
      countsLength: cuts.counts.length,
      depthsLength: cuts.depths.length,
      splitsLength: cuts.splits.length,
    });
    const trees = cuts.counts.at(-1)!;
    const length = validRows.length * cuts.depths.length * cuts.splits.length * this.target.outputs;
    const work = trees * this.rows.length * params.maxFeatures;
    const { active, phase, sums } = await this.run('cuts', trees, work, (tasks) => onProgress?.(tasks / trees));
    const total = new Int32Array(cuts.counts.length * length);
    for (const thread of active) {
      const part = shared.int32s(sums + thread * phase.arenaBytes, total.length);
      for (let i = 0; i < total.length; i++) total[i]! += part[i]!;
    }
    for (let i = length; i < total.length; i++) total[i]! += total[i - length]!;
    shared.release(free);
    return total;
  }

  private async run(kind: Phase['kind'], tasks: number, work: number, onProgress?: (tasks: number) => void, first = 0) {
    const { shared, kernel } = this;
    const arenaBytes = shared.arenaBytes(kernel);
    const wanted = work < smallWork ? 1 : Math.min(this.workers, tasks);
    const threads = Math.max(1, Math.min(wanted, Math.floor(shared.left / arenaBytes)));
    const arenas = shared.take(threads * arenaBytes);
    shared.enter(kernel, arenas);
    const sums = kernel.sums.value >>> 0;
    const { outputs } = this.target;
    const rows = this.rows.length + this.validRows.length;
    const phase: Phase = { number: this.phases++, kind, tasks, first, rows, outputs, arenas, arenaBytes };
    const result = await runPhase(shared, kernel, this.job, phase, threads, onProgress);
    shared.release(arenas);
    return { ...result, phase, sums };
  }
}

function header({ seed, bootstrap, splitter, ...params }: GrowthParams) {
  return { ...params, seed: mix32(seed, 0), bootstrap: bootstrap ? 1 : 0, splitter: splitter === 'random' ? 1 : 0 };
}
