/**
 * The work of forests and of extremely randomised trees. A tree on n rows passes over its rows once a level, in each feature looked at, and over the bins of its nodes;
 * candidates that are nested in number of trees, depth and size of split nodes are one forest (core/models/forest).
 */
import { type ForestParams, resolve } from '../models/forest/params.ts';
import type { Params } from '../models/model.ts';
import { leafBits } from '../models/tree/fixed-point.ts';
import type { Estimator, Shape } from './estimator.ts';
import { binsInMemory, orderedInMemory, usualThreads } from './memory.ts';

/** Seconds, fitted by bench/estimate.ts. */
const seconds = {
  /** Finding a value's bin. */
  bin: 1.92e-8,
  /** A row, a level, a feature that is looked at. */
  cell: 1.32e-9,
  /** A node, a feature that is looked at, an output: emptying and scanning its bins. */
  scan: 3.94e-8,
  /** A node, a feature of it: a random cut, which empties and scans no bins. */
  randomCut: 1.5e-8,
  /** A row, a level: to one side or the other. */
  move: 1.63e-9,
  /** A row a tree: drawing the bootstrap. */
  draw: 4.9e-9,
  tree: 1.4e-5,
  /** An output of a cut, a row to predict, a tree. */
  cut: 1e-9,
};

/** A class's rows end in one leaf where they lie together; of a regression nearly every value has a leaf of its own. */
const impureness = 4;

/** Random cuts part the rows less evenly than the best do, so that their trees are deeper. */
const randomLevels = 1.5;

/** Of a row: its numbers, sums and nodes while a tree is grown (core/models/tree/kernel/assembly/job.ts). */
const arenaBytes = 105;

/** What a thread comes across of it: its rows' numbers and sums, twice, and the nodes. */
const grownBytes = { row: 41, node: 32 };

/** A bootstrap of n rows has n (1 - 1/e) distinct ones. */
const distinctShare = 1 - 1 / Math.E;

/** @param extra whether the trees are extremely randomised ones */
const workOf = (extra: boolean): Estimator => ({
  steps: 'nEstimators',
  usesAllCores: true,
  spread: { low: 0.6, high: 1.9 },

  coreSeconds(shape, candidates, validRows) {
    const groups = groupsOf(shape, candidates, extra);
    const binning = (shape.rows + validRows) * shape.features * seconds.bin;
    return groups.reduce((total, group) => {
      const { trees, levels, nodes, maxFeatures, cuts } = group;
      const outputs = outputsOf(shape);
      const tree =
        seconds.tree +
        shape.rows * (seconds.draw + levels * (seconds.move + maxFeatures * seconds.cell) * (extra ? randomLevels : 1)) +
        nodes * maxFeatures * (extra ? seconds.randomCut : outputs * seconds.scan) +
        validRows * cuts * outputs * seconds.cut;
      return total + trees * tree;
    }, binning);
  },

  // Bins by row and by column, targets, and the arena of one thread.
  shared(shape, _, validRows) {
    return (shape.rows + validRows) * (shape.features * 2 + 4 + arenaBytes + 8 * outputsOf(shape));
  },

  memory(shape, candidates, validRows, threads = usualThreads) {
    const { bins, binning } = binsInMemory(shape, validRows, threads);
    const counts = new Set(candidates.map((params) => params['nEstimators'])).size;
    const groups = groupsOf(shape, candidates, extra);
    const sums = Math.max(...groups.map(({ cuts }) => counts * cuts * validRows * outputsOf(shape) * 4));
    const trees = validRows > 0 ? 0 : Math.max(...groups.map((group) => group.trees * group.nodes * (16 + 4 * outputsOf(shape))));
    const arena = shape.rows * grownBytes.row + Math.max(...groups.map(({ nodes }) => nodes)) * grownBytes.node;
    // Bins by row and by column, and the raw columns, whose place the arenas take then; of JavaScript, places and targets.
    const growing = threads * (arena + sums) + sums;
    return bins + Math.max(binning, growing) + trees + (shape.rows + validRows) * 16 + orderedInMemory(shape);
  },

  modelSize(shape, params) {
    const { trees, nodes } = growthOf(shape, [resolveFor(shape, params, extra)]);
    return trees * nodes * (1 + outputsOf(shape) / 4) * (shape.classes === 0 ? impureness : 1);
  },
});

export const forestWork = workOf(false);
export const extraTreesWork = workOf(true);

const resolveFor = (shape: Shape, params: Params, extra: boolean) => resolve(params, taskOf(shape), shape.features, extra ? 1 : 3);

const taskOf = ({ classes }: Shape) => (classes === 0 ? 'regression' : 'classification');
const outputsOf = ({ classes }: Shape) => (classes > 2 ? classes : 1);

function groupsOf(shape: Shape, candidates: Params[], extra: boolean) {
  const resolved = candidates.map((params) => resolveFor(shape, params, extra));
  const groups = Map.groupBy(resolved, ({ maxFeatures, minSamplesLeaf, bootstrap, nEstimators }) =>
    [maxFeatures, minSamplesLeaf, bootstrap, leafBits(nEstimators)].join(),
  );
  return [...groups.values()].map((members) => growthOf(shape, members));
}

/** The forest that all members are parts of. */
function growthOf(shape: Shape, members: ForestParams[]) {
  const { maxFeatures, minSamplesLeaf, bootstrap } = members[0]!;
  const rows = bootstrap ? shape.rows * distinctShare : shape.rows;
  const depth = Math.max(...members.map(({ maxDepth }) => maxDepth));
  const split = Math.min(...members.map(({ minSamplesSplit }) => minSamplesSplit));
  const leafRows = Math.max(split / 2, minSamplesLeaf);
  return {
    rows,
    maxFeatures,
    trees: Math.max(...members.map(({ nEstimators }) => nEstimators)),
    levels: Math.min(depth, Math.max(1, Math.log2(rows / leafRows))),
    nodes: Math.max(1, Math.min(2 ** Math.min(depth, 40), rows / Math.max(leafRows, 1.5))),
    cuts: new Set(members.map(({ maxDepth }) => maxDepth)).size * new Set(members.map(({ minSamplesSplit }) => minSamplesSplit)).size,
  };
}
