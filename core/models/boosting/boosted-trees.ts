/** The trees of a run, to predict with and to export: those of round r and output k are number r × outputs + k. */
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import type { Matrix } from '../model.ts';
import { linksOf, type TreeEnsemble, threshold } from '../tree/ensemble.ts';
import { addTrees } from '../tree/ensemble-onnx.ts';
import { lowBits, splitLeaf } from './answer.ts';
import { type BoostedTree, leaf } from './booster.ts';

/** How long a prediction works before it lets the event loop turn, and the rows that it takes at a time. */
const turnMilliseconds = 20;
const blockBytes = 256 * 1024;

export interface BoostedTrees {
  /** One number a leaf, in units. */
  ensemble: TreeEnsemble;
  /** By node: whether a missing value goes left. */
  missingLeft: Uint8Array;
  /** Trees of a round. */
  outputs: number;
}

export function joinBoosted(trees: readonly BoostedTree[], edges: Float32Array, features: number, outputs: number): BoostedTrees {
  const roots = new Uint32Array(trees.length);
  let nodes = 0;
  trees.forEach(({ splits }, tree) => {
    roots[tree] = nodes;
    nodes += splits.length;
  });
  const splits = Uint32Array.from(trees.flatMap((tree) => tree.splits));
  const leaves = Int32Array.from(trees.flatMap((tree) => tree.leaves));
  const missingLeft = Uint8Array.from(trees.flatMap((tree) => tree.missingLeft));
  return { ensemble: { features, outputs: 1, edges, roots, splits, links: linksOf(splits), leaves }, missingLeft, outputs };
}

/** @param base where the scores begin. @returns float64 [outputs × rows] */
export async function sumBoosted({ ensemble, missingLeft, outputs }: BoostedTrees, x: Matrix, base: number[]): Promise<Float64Array> {
  const { roots, splits, links, leaves } = ensemble;
  const thresholds = Float32Array.from(splits, (split) => (split === leaf ? 0 : threshold(ensemble, split)));
  const scores = new Float64Array(x.rows * outputs);
  for (const [k, score] of base.entries()) scores.fill(score, k * x.rows, (k + 1) * x.rows);
  const { data } = x;
  const blockRows = Math.max(1, Math.min(x.rows, Math.floor(blockBytes / (x.columns * 4))));
  const block = new Float32Array(blockRows * x.columns);
  let turn = performance.now();
  for (let first = 0; first < x.rows; first += blockRows) {
    const rows = Math.min(blockRows, x.rows - first);
    for (let column = 0; column < x.columns; column++)
      for (let row = 0; row < rows; row++) block[row * x.columns + column] = data[column * x.rows + first + row]!;
    for (let tree = 0; tree < roots.length; tree++) {
      const at = (tree % outputs) * x.rows + first;
      for (let row = 0; row < rows; row++) {
        const cells = row * x.columns;
        let node = roots[tree]!;
        for (let split = splits[node]!; split !== leaf; split = splits[node]!) {
          const value = block[cells + (split >>> 8)]!;
          const left = value <= thresholds[node]! || (missingLeft[node] === 1 && Number.isNaN(value));
          node = left ? node + 1 : links[node]!;
        }
        scores[at + row]! += leaves[links[node]!]!;
      }
    }
    if (performance.now() - turn < turnMilliseconds) continue;
    await new Promise(setImmediate);
    turn = performance.now();
  }
  return scores;
}

/**
 * Adds the trees as one `TreeEnsembleRegressor` that sums the high and the low parts of their leaves (answer.ts).
 * @returns name of the float32 tensor [N, 2 × outputs], the high parts first
 */
export function boostedToOnnx({ ensemble, missingLeft, outputs }: BoostedTrees, graph: GraphBuilder, input: string): string {
  const { roots, leaves } = ensemble;
  const bits = lowBits(roots.length / outputs);
  const writeLeaf: Parameters<typeof addTrees>[4] = (tree, leaf, add) => {
    const { high, low } = splitLeaf(leaves[leaf]!, bits);
    add(tree % outputs, high);
    add(outputs + (tree % outputs), low);
  };
  return addTrees(graph, input, ensemble, 2 * outputs, writeLeaf, missingLeft);
}
