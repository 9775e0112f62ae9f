import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileKernel } from '../../core/compile-kernels.ts';
import type { Matrix } from '../../core/models/model.ts';
import { joinTrees, linksOf } from '../../core/models/tree/ensemble.ts';
import { decodeEnsemble, encodeEnsemble } from '../../core/models/tree/ensemble-file.ts';
import { fixTarget, leafBits } from '../../core/models/tree/fixed-point.ts';
import { binsPerFeature, Growth, type GrowthParams } from '../../core/models/tree/growth.ts';
import { type Kernel, SharedMemory } from '../../core/models/tree/memory.ts';
import { runPhase } from '../../core/models/tree/pool.ts';
import { type GrownTree, leaf } from '../../core/models/tree/thread.ts';
import { makeSample } from './data.ts';
import { drawWeights, growNaively } from './naive-tree.ts';

const allRows = (x: Matrix) => Int32Array.from({ length: x.rows }, (_, row) => row);
const none = new Int32Array();
const unbounded = 0xffff_ffff;

const growthParams: fc.Arbitrary<GrowthParams> = fc.record({
  seed: fc.nat(),
  bits: fc.constantFrom(15, 12),
  bootstrap: fc.boolean(),
  maxFeatures: fc.integer({ min: 1, max: 9 }),
  maxDepth: fc.constantFrom(1, 3, unbounded),
  minSamplesSplit: fc.constantFrom(2, 5, 10),
  minSamplesLeaf: fc.constantFrom(1, 1, 3),
  splitter: fc.constantFrom('best', 'random'),
});

/** Number of edges below the value, as the kernel's binning means it. */
function binsOf(x: Matrix, edges: Float32Array): number[][] {
  return Array.from({ length: x.rows }, (_, row) =>
    Array.from({ length: x.columns }, (_, f) => {
      const value = x.data[f * x.rows + row]!;
      return edges.subarray(f * binsPerFeature, (f + 1) * binsPerFeature).filter((edge) => !(value <= edge)).length;
    }),
  );
}

/** The tree as it would be had it not been grown beyond: preorder, with right children renumbered. */
function cut({ splits, rights }: GrownTree, samples: number[], maxDepth: number, minSamplesSplit: number) {
  const kept = { splits: [] as number[], rights: [] as number[] };
  const visit = (node: number, depth: number) => {
    const at = kept.splits.length;
    const stops = splits[node] === leaf || depth >= maxDepth || samples[node]! < minSamplesSplit;
    kept.splits.push(stops ? leaf : splits[node]!);
    kept.rights.push(0);
    if (stops) return;
    visit(node + 1, depth + 1);
    kept.rights[at] = kept.splits.length;
    visit(rights[node]!, depth + 1);
  };
  visit(0, 0);
  return kept;
}

const plain = ({ splits, rights, values }: Pick<GrownTree, 'splits' | 'rights' | 'values'>) => ({
  splits: [...splits],
  rights: Array.from(rights, (right, node) => (splits[node] === leaf ? 0 : right)),
  values: [...values],
});

test('the committed kernel is what its source compiles to', async () => {
  expect(readFileSync(new URL('../../core/models/tree/kernel/kernel.wasm.ts', import.meta.url), 'utf8')).toBe(
    await compileKernel('models/tree/kernel/kernel.wasm.ts'),
  );
});

test('the kernel grows the same trees as its naive twin', async () => {
  await fc.assert(
    fc.asyncProperty(
      growthParams,
      fc.constantFrom(0, 2, 3, 5),
      fc.integer({ min: 1, max: 260 }),
      fc.integer({ min: 1, max: 9 }),
      fc.nat(),
      async (params, classes, rows, columns, seed) => {
        const { x, y } = makeSample(rows, columns, classes, seed);
        const target = fixTarget(y, allRows(x));
        const fitting = { ...params, maxFeatures: Math.min(params.maxFeatures, columns) };
        const growth = await Growth.on(x, target, allRows(x), none, 1);
        const bins = binsOf(x, growth.edges);
        for (const tree of await growth.grow(fitting, 3)) expect(plain(tree)).toEqual(growNaively(bins, target, fitting, tree.tree));
      },
    ),
    { numRuns: 60 },
  );
});

test('a tree cut at a depth or at small nodes is the tree grown with maxDepth and minSamplesSplit', async () => {
  await fc.assert(
    fc.asyncProperty(
      growthParams,
      fc.constantFrom(0, 2, 4),
      fc.nat(),
      fc.nat(12),
      fc.nat(20),
      async (params, classes, seed, depth, samples) => {
        const { x, y } = makeSample(400, 6, classes, seed);
        const target = fixTarget(y, allRows(x));
        const growth = await Growth.on(x, target, allRows(x), none, 1);
        const free = { ...params, maxFeatures: 3, maxDepth: unbounded, minSamplesSplit: 2 };
        const [full] = await growth.grow(free, 1);
        const [grown] = await growth.grow({ ...free, maxDepth: depth + 1, minSamplesSplit: samples + 2 }, 1);
        expect(plain(grown!)).toMatchObject(cut(full!, samplesOf(full!, free, binsOf(x, growth.edges)), depth + 1, samples + 2));
      },
    ),
    { numRuns: 40 },
  );
});

/** How many of the rows that the first tree drew pass each of its nodes. */
function samplesOf({ splits, rights }: GrownTree, params: GrowthParams, bins: number[][]): number[] {
  const counts = new Array<number>(splits.length).fill(0);
  drawWeights(bins.length, params, 0).forEach((weight, row) => {
    if (weight === 0) return;
    let node = 0;
    for (let split = splits[0]!; split !== leaf; split = splits[node]!) {
      counts[node]! += 1;
      node = bins[row]![split >>> 8]! <= (split & 255) ? node + 1 : rights[node]!;
    }
    counts[node]! += 1;
  });
  return counts;
}

test('edges are exact where values are few, and part the rows evenly where they are many', async () => {
  const rows = 10_000;
  const few = Float32Array.from({ length: rows }, (_, i) => [0.1, 0.2, -0, 0, Number.POSITIVE_INFINITY][i % 5]!);
  const many = Float32Array.from({ length: rows }, (_, i) => Math.fround(Math.sin(i) * 1e-3));
  const x = { rows, columns: 2, names: ['few', 'many'], data: Float32Array.of(...few, ...many) };
  const growth = await Growth.on(x, fixTarget({ task: 'regression', values: new Float64Array(rows) }, allRows(x)), allRows(x), none, 1);
  const edges = growth.edges.filter((edge) => edge !== Number.POSITIVE_INFINITY);
  const values = [0, Math.fround(0.1), Math.fround(0.2), Number.POSITIVE_INFINITY];
  for (let i = 0; i < 3; i++) expect(values[i]! <= edges[i]! && edges[i]! < values[i + 1]!).toBe(true);
  const counts = new Map<number, number>();
  for (const [, bin] of binsOf(x, growth.edges)) counts.set(bin!, (counts.get(bin!) ?? 0) + 1);
  expect(counts.size).toBe(255);
  expect(Math.max(...counts.values()) - Math.min(...counts.values())).toBeLessThanOrEqual(2);
});

test('more memory than a process can share is refused in words', () => {
  expect(() => new SharedMemory().take(5e9)).toThrow(/too large to grow trees on/);
});

test('a job goes on where the last one failed, with other workers', async () => {
  const shared = new SharedMemory();
  const phase = { number: 0, kind: 'grow', tasks: 1000, first: 0, rows: 0, outputs: 1, arenas: 0, arenaBytes: 0 } as const;
  const failing: Kernel = { ...shared.instantiate(), layout: () => 0, begin: () => {}, growTree: () => expect.unreachable() };
  await expect(runPhase(shared, failing, -1, phase, 2)).rejects.toThrow();
  const { x, y } = makeSample(6000, 12, 2, 5);
  const target = fixTarget(y, allRows(x));
  const params = {
    seed: 1,
    bits: 15,
    bootstrap: true,
    maxFeatures: 3,
    maxDepth: 6,
    minSamplesSplit: 2,
    minSamplesLeaf: 1,
    splitter: 'best',
  } as const;
  const growth = await Growth.on(x, target, allRows(x), none, 2);
  const trees = await growth.grow(params, 150);
  expect(trees.map(({ tree }) => tree)).toEqual(Array.from({ length: 150 }, (_, tree) => tree));
});

test('joined trees are fewer nodes of the same answers, and come back from bytes as they were', async () => {
  const { x, y } = makeSample(500, 5, 2, 3);
  const target = fixTarget(y, allRows(x));
  const growth = await Growth.on(x, target, allRows(x), none, 1);
  const params = {
    seed: 1,
    bits: leafBits(3),
    bootstrap: true,
    maxFeatures: 2,
    maxDepth: 4,
    minSamplesSplit: 2,
    minSamplesLeaf: 1,
    splitter: 'best',
  } as const;
  const trees = await growth.grow(params, 3);
  const ensemble = joinTrees(structuredClone(trees), growth.edges, target.outputs);
  expect(ensemble.splits.length).toBeLessThanOrEqual(trees.reduce((sum, { splits }) => sum + splits.length, 0));
  const bins = binsOf(x, growth.edges);
  const through = (splits: Uint32Array, links: Uint32Array, row: number[], root: number) => {
    let node = root;
    for (let split = splits[node]!; split !== leaf; split = splits[node]!)
      node = row[split >>> 8]! <= (split & 255) ? node + 1 : links[node]!;
    return node;
  };
  for (const row of bins)
    trees.forEach(({ splits, rights, values }, tree) => {
      const node = through(ensemble.splits, ensemble.links, row, ensemble.roots[tree]!);
      const leavesBefore = splits.subarray(0, through(splits, rights, row, 0)).filter((split) => split === leaf).length;
      expect(ensemble.leaves[ensemble.links[node]!]).toBe(values[leavesBefore]);
    });
  expect(linksOf(ensemble.splits)).toEqual(ensemble.links);
  expect(decodeEnsemble(encodeEnsemble(ensemble))).toEqual(ensemble);
});
