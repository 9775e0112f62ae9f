/** Grown trees made small, to predict with, to keep and to export. */
import type { Matrix } from '../model.ts';
import { binsPerFeature } from './growth.ts';
import { type GrownTree, leaf } from './thread.ts';

/** How long a prediction works before it lets the event loop turn. */
const turnMilliseconds = 20;
/** Rows are predicted in blocks, row-major, that fit in a core's cache: a row's path then stays in it. */
const blockBytes = 256 * 1024;

export interface TreeEnsemble {
  features: number;
  /** Numbers in a leaf. */
  outputs: number;
  /** float32 [features × 256], as Growth has them. */
  edges: Float32Array;
  /** The first node of each tree; trees lie one behind the other, each in preorder. */
  roots: Uint32Array;
  /** feature << 8 | bin, or `leaf`. */
  splits: Uint32Array;
  /** The right child of a split, or which of the leaves a leaf is. */
  links: Uint32Array;
  /** int32 [leaves × outputs]. */
  leaves: Int32Array;
}

/** The value that goes left where x <= threshold. */
export function threshold({ edges }: Pick<TreeEnsemble, 'edges'>, split: number): number {
  return edges[(split >>> 8) * binsPerFeature + (split & 255)]!;
}

/** Joins trees, and joins the two sides of a split where they are leaves of one value. */
export function joinTrees(trees: readonly GrownTree[], edges: Float32Array, outputs: number): TreeEnsemble {
  const plans = trees.map((tree) => collapse(tree, outputs));
  const nodes = plans.reduce((sum, plan) => sum + plan.nodes, 0);
  const leafCount = plans.reduce((sum, plan) => sum + (plan.nodes + 1) / 2, 0);
  const splits = new Uint32Array(nodes);
  const links = new Uint32Array(nodes);
  const leaves = new Int32Array(leafCount * outputs);
  const roots = new Uint32Array(trees.length);
  let next = 0;
  let nextLeaf = 0;
  trees.forEach(({ splits: from, rights, values }, index) => {
    const { ends, places } = plans[index]!;
    const moved = new Uint32Array(from.length);
    const first = next;
    roots[index] = first;
    for (let node = 0; node < from.length; next++) {
      moved[node] = next;
      if (ends[node] === 0) {
        splits[next] = from[node]!;
        // Where the right child goes is known only later: noted by its old number.
        links[next] = rights[node]!;
        node++;
        continue;
      }
      splits[next] = leaf;
      links[next] = nextLeaf;
      for (let k = 0; k < outputs; k++) leaves[nextLeaf * outputs + k] = values[places[node]! * outputs + k]!;
      nextLeaf++;
      node = ends[node]!;
    }
    for (let node = first; node < next; node++) if (splits[node] !== leaf) links[node] = moved[links[node]!]!;
  });
  return { features: edges.length / binsPerFeature, outputs, edges, roots, splits, links, leaves };
}

/** For each node that is or becomes a leaf: the node behind its subtree, else 0, and which of the values is its own; and how many nodes are left. */
function collapse({ splits, rights, values }: GrownTree, outputs: number) {
  const ends = new Uint32Array(splits.length);
  const places = new Uint32Array(splits.length);
  let nodes = splits.length;
  let leavesBefore = (splits.length + 1) / 2;
  for (let node = splits.length - 1; node >= 0; node--) {
    if (splits[node] === leaf) {
      ends[node] = node + 1;
      places[node] = --leavesBefore;
      continue;
    }
    const left = node + 1;
    const right = rights[node]!;
    if (ends[left] === 0 || ends[right] === 0 || !sameValues(values, places[left]!, places[right]!, outputs)) continue;
    ends[node] = ends[right]!;
    places[node] = places[left]!;
    nodes -= 2;
  }
  return { ends, places, nodes };
}

function sameValues(values: Int32Array, a: number, b: number, outputs: number): boolean {
  for (let k = 0; k < outputs; k++) if (values[a * outputs + k] !== values[b * outputs + k]) return false;
  return true;
}

/** @returns int32 [rows × outputs]: the sum of the leaves that each row ends in */
export async function sumLeaves(ensemble: TreeEnsemble, x: Matrix): Promise<Int32Array> {
  const { roots, splits, links, leaves, outputs } = ensemble;
  const thresholds = Float32Array.from(splits, (split) => (split === leaf ? 0 : threshold(ensemble, split)));
  const sums = new Int32Array(x.rows * outputs);
  const { data } = x;
  const blockRows = Math.max(1, Math.min(x.rows, Math.floor(blockBytes / (x.columns * 4))));
  const block = new Float32Array(blockRows * x.columns);
  let turn = performance.now();
  for (let first = 0; first < x.rows; first += blockRows) {
    const rows = Math.min(blockRows, x.rows - first);
    for (let column = 0; column < x.columns; column++)
      for (let row = 0; row < rows; row++) block[row * x.columns + column] = data[column * x.rows + first + row]!;
    for (const root of roots) {
      for (let row = 0; row < rows; row++) {
        const cells = row * x.columns;
        let node = root;
        for (let split = splits[node]!; split !== leaf; split = splits[node]!)
          node = block[cells + (split >>> 8)]! <= thresholds[node]! ? node + 1 : links[node]!;
        const from = links[node]! * outputs;
        for (let k = 0; k < outputs; k++) sums[(first + row) * outputs + k]! += leaves[from + k]!;
      }
    }
    if (performance.now() - turn < turnMilliseconds) continue;
    await new Promise(setImmediate);
    turn = performance.now();
  }
  return sums;
}

/** The first trees alone. */
export function firstTrees(ensemble: TreeEnsemble, count: number): TreeEnsemble {
  const end = ensemble.roots[count] ?? ensemble.splits.length;
  return {
    ...ensemble,
    roots: ensemble.roots.subarray(0, count),
    splits: ensemble.splits.subarray(0, end),
    links: ensemble.links.subarray(0, end),
  };
}

/** The nodes as explanations walk them. */
export function nodesOf(ensemble: TreeEnsemble) {
  const { roots, splits, links, leaves } = ensemble;
  return {
    roots,
    splits: Int32Array.from(splits, (split) => (split === leaf ? -1 : split >>> 8)),
    thresholds: Float32Array.from(splits, (split) => (split === leaf ? 0 : threshold(ensemble, split))),
    rights: links,
    leaves,
  };
}

/** The right child of every split, and the numbers of the leaves, from the splits in preorder alone. */
export function linksOf(splits: Uint32Array): Uint32Array {
  const links = new Uint32Array(splits.length);
  const open: number[] = [];
  let leaves = 0;
  for (let node = 0; node < splits.length; node++) {
    if (splits[node] !== leaf) {
      open.push(node);
      continue;
    }
    links[node] = leaves++;
    // The node behind a leaf is the right child of the split that was opened last and has none.
    const parent = open.pop();
    if (parent !== undefined) links[parent] = node + 1;
  }
  return links;
}
