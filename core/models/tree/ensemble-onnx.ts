import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { type TreeEnsemble, threshold } from './ensemble.ts';
import { leaf } from './thread.ts';

/**
 * Adds the trees as one `TreeEnsembleRegressor` (ai.onnx.ml 3) that sums their leaves.
 * @param input name of the float32 [N, features] tensor
 * @param scale a power of two: what a unit of a leaf is worth
 * @returns name of the float32 [N, outputs] tensor of sums
 */
export function addEnsemble(graph: GraphBuilder, input: string, ensemble: TreeEnsemble, scale: number): string {
  const { leaves, outputs } = ensemble;
  return addTrees(graph, input, ensemble, outputs, (_, leaf, add) => {
    for (let k = 0; k < outputs; k++) {
      const value = leaves[leaf * outputs + k]!;
      // Zeros need not be written, but a leaf must have something.
      if (value !== 0 || k === 0) add(k, value * scale);
    }
  });
}

/**
 * As above, but a leaf adds what `writeLeaf` says.
 * @param missingLeft by node: whether a missing value goes left; else none does
 * @returns name of the float32 [N, targets] tensor of sums
 */
export function addTrees(
  graph: GraphBuilder,
  input: string,
  ensemble: TreeEnsemble,
  targetCount: number,
  writeLeaf: (tree: number, leaf: number, add: (target: number, weight: number) => void) => void,
  missingLeft?: Uint8Array,
): string {
  const { roots, splits, links } = ensemble;
  const nodes = splits.length;
  const treeIds = new Int32Array(nodes);
  const nodeIds = new Int32Array(nodes);
  const features = new Int32Array(nodes);
  const thresholds = new Float32Array(nodes);
  const trueIds = new Int32Array(nodes);
  const falseIds = new Int32Array(nodes);
  const targets = { trees: [] as number[], nodes: [] as number[], ids: [] as number[], weights: [] as number[] };
  roots.forEach((root, tree) => {
    const end = roots[tree + 1] ?? nodes;
    for (let node = root; node < end; node++) {
      treeIds[node] = tree;
      nodeIds[node] = node - root;
      const split = splits[node]!;
      if (split !== leaf) {
        features[node] = split >>> 8;
        thresholds[node] = threshold(ensemble, split);
        trueIds[node] = node + 1 - root;
        falseIds[node] = links[node]! - root;
        continue;
      }
      writeLeaf(tree, links[node]!, (target, weight) => {
        targets.trees.push(tree);
        targets.nodes.push(node - root);
        targets.ids.push(target);
        targets.weights.push(weight);
      });
    }
  });
  return graph.node(
    'TreeEnsembleRegressor',
    [input],
    {
      aggregate_function: { string: 'SUM' },
      n_targets: { int: targetCount },
      post_transform: { string: 'NONE' },
      nodes_treeids: { ints: treeIds },
      nodes_nodeids: { ints: nodeIds },
      nodes_featureids: { ints: features },
      nodes_modes: { strings: Array.from(splits, (split) => (split === leaf ? 'LEAF' : 'BRANCH_LEQ')) },
      nodes_values: { floats: thresholds },
      nodes_truenodeids: { ints: trueIds },
      nodes_falsenodeids: { ints: falseIds },
      nodes_missing_value_tracks_true: { ints: missingLeft ? Int32Array.from(missingLeft) : new Int32Array(nodes) },
      target_treeids: { ints: targets.trees },
      target_nodeids: { ints: targets.nodes },
      target_ids: { ints: targets.ids },
      target_weights: { floats: targets.weights },
    },
    { domain: 'ai.onnx.ml' },
  );
}
