/**
 * The boosting kernel's naive twin for squared error: trees grown leaf by leaf over plain arrays, every sum taken from the rows anew, so that
 * no histogram and no subtraction is needed. Sums stay exact below 2^53.
 */
import { type BoostingParams, mostGradientBits } from '../../core/models/boosting/params.ts';
import { mix32 } from '../../core/random.ts';

const missing = 255;
const unit = 2 ** -22;

interface Cut {
  gain: number;
  feature: number;
  bin: number;
  missingLeft: number;
}

interface NaiveNode {
  rows: number[];
  depth: number;
  cut: Cut | undefined;
  children?: [NaiveNode, NaiveNode];
}

export interface NaiveTree {
  splits: number[];
  missingLeft: number[];
  leaves: number[];
}

/** @param bins [rows][features], 255 for missing; `target` within ± 1 */
export function boostNaively(bins: number[][], target: number[], params: BoostingParams, seed: number): NaiveTree[] {
  const scores = target.map(() => 0);
  return Array.from({ length: params.nEstimators }, (_, round) => {
    const residuals = scores.map((score, row) => score * unit - target[row]!);
    const largest = Math.max(2 ** -60, ...residuals.map(Math.abs));
    const gradientUnit = 2 ** (Math.ceil(Math.log2(largest)) - 30);
    const exact = residuals.map((residual) => nearest(residual / gradientUnit));
    const bits = Math.min(params.gradientBits ?? mostGradientBits, 30 - Math.ceil(Math.log2(target.length)));
    const step = 2 ** Math.max(0, Math.ceil(Math.log2(Math.max(1, ...exact.map(Math.abs)))) - bits);
    const drawn = (row: number) => (params.stochasticRounding ? hash(mix32(mix32(seed, 3), round), row) % step : Math.floor(step / 2));
    const packed = exact.map((gradient, row) => Math.floor((gradient + drawn(row)) / step));
    const root: NaiveNode = { rows: [...target.keys()], depth: 0, cut: undefined };
    const cutOf = (node: NaiveNode) => bestCut(node, bins, packed, gradientUnit * step, params);
    root.cut = cutOf(root);
    const leaves = [root];
    while (leaves.length < params.maxLeaves) {
      const gains = leaves.map(({ cut }) => cut?.gain ?? 0);
      const best = gains.indexOf(Math.max(...gains));
      const leaf = leaves[best]!;
      if (!leaf.cut) break;
      const { feature, bin, missingLeft } = leaf.cut;
      const goesLeft = (row: number) => (bins[row]![feature] === missing ? missingLeft === 1 : bins[row]![feature]! <= bin);
      leaf.children = [true, false].map((left) => ({
        rows: leaf.rows.filter((row) => goesLeft(row) === left),
        depth: leaf.depth + 1,
        cut: undefined,
      })) as [NaiveNode, NaiveNode];
      for (const child of leaf.children) child.cut = cutOf(child);
      leaves[best] = leaf.children[0];
      leaves.push(leaf.children[1]);
    }
    const tree: NaiveTree = { splits: [], missingLeft: [], leaves: [] };
    write(tree, root, (rows) => {
      const mean = -(sum(rows.map((row) => exact[row]!)) * gradientUnit) / (rows.length + params.l2);
      const value = nearest((mean * params.learningRate) / unit);
      for (const row of rows) scores[row]! += value;
      return value;
    });
    return tree;
  });
}

/** 32 bits from a round's seed and a row (the finaliser of MurmurHash3). */
function hash(seed: number, row: number): number {
  let h = seed ^ Math.imul(row, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function write(tree: NaiveTree, node: NaiveNode, settle: (rows: number[]) => number): void {
  if (!node.children || !node.cut) {
    tree.splits.push(0xffff_ffff);
    tree.missingLeft.push(0);
    tree.leaves.push(settle(node.rows));
    return;
  }
  tree.splits.push(node.cut.feature * 256 + node.cut.bin);
  tree.missingLeft.push(node.cut.missingLeft);
  for (const child of node.children) write(tree, child, settle);
}

/** Cuts between occupied bins, with the missing rows right, then left; last the cut between the known and the missing. */
function bestCut({ rows, depth }: NaiveNode, bins: number[][], packed: number[], gUnit: number, params: BoostingParams): Cut | undefined {
  if (depth >= params.maxDepth || rows.length < 2 * params.minSamplesLeaf) return undefined;
  let best: Cut | undefined;
  for (let feature = 0; feature < bins[0]!.length; feature++) {
    let found: Cut | undefined;
    const known = rows.filter((row) => bins[row]![feature] !== missing);
    const unknown = rows.filter((row) => bins[row]![feature] === missing);
    const occupied = [...new Set(known.map((row) => bins[row]![feature]!))].sort((a, b) => a - b);
    const propose = (left: number[], bin: number, missingLeft: number) => {
      const [nL, nR] = [left.length, rows.length - left.length];
      if (nL < params.minSamplesLeaf || nR < params.minSamplesLeaf) return;
      const gL = sum(left.map((row) => packed[row]!)) * gUnit;
      const gR = (sum(rows.map((row) => packed[row]!)) - sum(left.map((row) => packed[row]!))) * gUnit;
      const [wL, wR] = [nL + params.l2, nR + params.l2];
      const gain = (gL * gL * wR + gR * gR * wL) / (wL * wR) - (gL + gR) ** 2 / (wL + wR - params.l2);
      if (gain > (found?.gain ?? 0) && gain > params.minGain) found = { gain, feature, bin, missingLeft };
    };
    for (const missingLeft of unknown.length ? [0, 1] : [0])
      for (let i = 1; i < occupied.length; i++) {
        const left = known.filter((row) => bins[row]![feature]! < occupied[i]!);
        propose(missingLeft ? [...left, ...unknown] : left, (occupied[i - 1]! + occupied[i]!) >> 1, missingLeft);
      }
    if (unknown.length) propose(known, 254, 0);
    if (found && found.gain > (best?.gain ?? 0)) best = found;
  }
  return best;
}

const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);

/** The nearest integer, the even one of two. */
const nearest = (value: number) => value + 1.5 * 2 ** 52 - 1.5 * 2 ** 52;
