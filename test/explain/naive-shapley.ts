/** Shapley values of a tree by their definition: every set of features, the unknown ones averaged over by the rows that went each way. */
import type { AdditiveTrees } from '../../core/explain/additive.ts';

export function naiveShapley(trees: AdditiveTrees, covers: ArrayLike<number>, row: Float32Array, output: number): Float64Array {
  const { features } = trees;
  const worth = Float64Array.from({ length: 2 ** features }, (_, known) => expectation(trees, covers, row, output, known));
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
  const bits = (set: number) => set.toString(2).replaceAll('0', '').length;
  return Float64Array.from({ length: features }, (_, feature) => {
    let sum = 0;
    for (let set = 0; set < worth.length; set++) {
      if (set & (1 << feature)) continue;
      const weight = (factorial(bits(set)) * factorial(features - bits(set) - 1)) / factorial(features);
      sum += weight * (worth[set | (1 << feature)]! - worth[set]!);
    }
    return sum;
  });
}

function expectation(trees: AdditiveTrees, covers: ArrayLike<number>, row: Float32Array, output: number, known: number): number {
  const { roots, splits, rights, leaves, width, thresholds, missingLeft, outputs, scale } = trees;
  const at = (node: number): number => {
    const feature = splits[node]!;
    if (feature < 0) return leaves[rights[node]! * width + (width === 1 ? 0 : output)]!;
    const [left, right] = [node + 1, rights[node]!];
    const value = row[feature]!;
    if (known & (1 << feature))
      return value <= thresholds[node]! || (missingLeft[node] === 1 && Number.isNaN(value)) ? at(left) : at(right);
    const share = covers[node] === 0 ? 0.5 : covers[left]! / covers[node]!;
    return share * at(left) + (1 - share) * at(right);
  };
  return roots.reduce((sum, root, tree) => (width === 1 && tree % outputs !== output ? sum : sum + at(root) * scale), 0);
}
