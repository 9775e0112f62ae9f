/**
 * Shapley values of trees, as TreeSHAP defines them (Lundberg et al. 2018, path-dependent): a feature that is not known is averaged over by how
 * many rows went each way.
 *
 * On the path to a leaf, feature j is known to lead there or not (o_j is 1 or 0), and unknown leads there by a share z_j of the rows. A leaf's
 * part in the game is the product of these, and the Shapley value of a product is, by its multilinear extension (Owen 1972),
 *
 *   φ_i = leaf · (o_i − z_i) · ∫ Π_{j ≠ i} (t · o_j + (1 − t) · z_j) dt   over t from 0 to 1.
 *
 * The integrand is a polynomial, so that a few nodes of Gauss-Legendre quadrature give it exactly, by products of numbers in [0, 1]. The products
 * are carried down the tree and the leaves' sums up, as Linear TreeSHAP does (Yu et al. 2022): nodes × depth / 2 steps a row.
 */
import type { AdditiveTrees } from './additive.ts';
import { gaussLegendre } from './quadrature.ts';

export class TreeExplainer {
  /** By output: the mean raw output of the rows that were counted. */
  readonly bases: number[];
  private readonly trees: AdditiveTrees;
  private readonly covers: ArrayLike<number>;
  private readonly nodes: Float64Array;
  private readonly weights: Float64Array;
  /** By level: the products on the way down, and the sums on the way up. */
  private readonly products: Float64Array;
  private readonly sums: Float64Array;
  /** By feature: whether known, and by what share unknown, it leads on; 1 and 1 where the path has not asked for it. */
  private readonly known: Float64Array;
  private readonly share: Float64Array;

  /** @param covers by node: how many rows went through it */
  constructor(trees: AdditiveTrees, covers: ArrayLike<number>) {
    this.trees = trees;
    this.covers = covers;
    const depth = depthOf(trees);
    const { nodes, weights } = gaussLegendre(Math.max(1, Math.ceil(Math.min(depth, trees.features) / 2)));
    this.nodes = nodes;
    this.weights = weights;
    this.products = new Float64Array((depth + 1) * nodes.length);
    this.sums = new Float64Array((depth + 1) * nodes.length);
    this.known = new Float64Array(trees.features).fill(1);
    this.share = new Float64Array(trees.features).fill(1);
    this.bases = trees.offsets.map((offset, output) => offset + trees.scale * this.expected(output));
  }

  /** @param row its features. @returns float64 [features]: with the base they sum to the raw output */
  contributions(row: Float32Array, output: number): Float64Array {
    const { roots, outputs, width, scale, features } = this.trees;
    const into = new Float64Array(features);
    this.products.fill(1, 0, this.nodes.length);
    for (let tree = 0; tree < roots.length; tree++) {
      if (width === 1 && tree % outputs !== output) continue;
      this.visit(roots[tree]!, 0, row, width === 1 ? 0 : output, into);
    }
    return into.map((value) => value * scale);
  }

  /** Leaves the sum over the leaves below of leaf × product, by quadrature node, in this level's sums. */
  private visit(node: number, level: number, row: Float32Array, output: number, into: Float64Array): void {
    const { splits, rights, leaves, width, thresholds, missingLeft } = this.trees;
    const { products, sums, nodes, weights, known, share } = this;
    const count = nodes.length;
    const at = level * count;
    const feature = splits[node]!;
    if (feature < 0) {
      const leaf = leaves[rights[node]! * width + output]!;
      for (let q = 0; q < count; q++) sums[at + q] = leaf * products[at + q]!;
      return;
    }
    sums.fill(0, at, at + count);
    const value = row[feature]!;
    const goesLeft = value <= thresholds[node]! || (missingLeft[node] === 1 && Number.isNaN(value));
    const [wasKnown, wasShare] = [known[feature]!, share[feature]!];
    for (const [child, hot] of [
      [node + 1, goesLeft],
      [rights[node]!, !goesLeft],
    ] as const) {
      const nowKnown = hot ? wasKnown : 0;
      const nowShare = wasShare * this.shareOf(child, node);
      // Known or unknown, the feature does not lead there: the leaves below have no part.
      if (nowKnown === 0 && nowShare === 0) continue;
      for (let q = 0; q < count; q++) {
        const t = nodes[q]!;
        const before = t * wasKnown + (1 - t) * wasShare;
        products[at + count + q] = (products[at + q]! / before) * (t * nowKnown + (1 - t) * nowShare);
      }
      known[feature] = nowKnown;
      share[feature] = nowShare;
      this.visit(child, level + 1, row, output, into);
      let gained = 0;
      let lost = 0;
      for (let q = 0; q < count; q++) {
        const t = nodes[q]!;
        const below = sums[at + count + q]!;
        const weighted = weights[q]! * below;
        gained += weighted / (t * nowKnown + (1 - t) * nowShare);
        // What the split above on the same feature will count for these leaves too, and should not.
        lost += weighted / (t * wasKnown + (1 - t) * wasShare);
        sums[at + q]! += below;
      }
      into[feature]! += (nowKnown - nowShare) * gained - (wasKnown - wasShare) * lost;
    }
    known[feature] = wasKnown;
    share[feature] = wasShare;
  }

  /** Where no row came, both ways are as likely. */
  private shareOf(child: number, node: number): number {
    const all = this.covers[node]!;
    return all === 0 ? 0.5 : this.covers[child]! / all;
  }

  private expected(output: number): number {
    const { roots, splits, rights, leaves, width, outputs } = this.trees;
    const below = (node: number, share: number): number => {
      if (share === 0) return 0;
      if (splits[node]! < 0) return share * leaves[rights[node]! * width + (width === 1 ? 0 : output)]!;
      const right = rights[node]!;
      return below(node + 1, share * this.shareOf(node + 1, node)) + below(right, share * this.shareOf(right, node));
    };
    return roots.reduce((sum, root, tree) => (width === 1 && tree % outputs !== output ? sum : sum + below(root, 1)), 0);
  }
}

function depthOf({ roots, splits, rights }: AdditiveTrees): number {
  const depths = new Uint32Array(splits.length);
  let most = 0;
  // In preorder a parent comes before its children.
  for (let node = 0; node < splits.length; node++) {
    if (splits[node]! < 0) continue;
    const depth = depths[node]! + 1;
    depths[node + 1] = depth;
    depths[rights[node]!] = depth;
    most = Math.max(most, depth);
  }
  return roots.length === 0 ? 0 : most;
}

/** How many rows of a matrix go through each node. @param x float32, column-major */
export function countCovers(
  { roots, splits, rights, thresholds, missingLeft }: AdditiveTrees,
  x: { rows: number; data: Float32Array },
): Uint32Array {
  const covers = new Uint32Array(splits.length);
  for (const root of roots)
    for (let row = 0; row < x.rows; row++) {
      let node = root;
      for (;;) {
        covers[node]! += 1;
        const feature = splits[node]!;
        if (feature < 0) break;
        const value = x.data[feature * x.rows + row]!;
        const left = value <= thresholds[node]! || (missingLeft[node] === 1 && Number.isNaN(value));
        node = left ? node + 1 : rights[node]!;
      }
    }
  return covers;
}
