/**
 * The kernel's naive twin: the same tree, grown by recursion over plain arrays, each split by trying every cut of every drawn feature
 * from scratch. It shares only mix32 with the kernel. Sums stay exact while they are below 2^53.
 */
import type { FixedTarget } from '../../core/models/tree/fixed-point.ts';
import type { GrowthParams } from '../../core/models/tree/growth.ts';
import { mix32 } from '../../core/random.ts';

export interface NaiveTree {
  splits: number[];
  rights: number[];
  values: number[];
}

const leaf = 0xffff_ffff;
const below = (hash: number, bound: number) => Math.floor((hash * bound) / 2 ** 32);

interface Row {
  bins: number[];
  weight: number;
  target: number;
}

/** How often the tree's bootstrap drew each row. */
export function drawWeights(rows: number, { seed, bootstrap }: GrowthParams, tree: number): number[] {
  const weights = new Array<number>(rows).fill(bootstrap ? 0 : 1);
  const treeSeed = mix32(mix32(seed, 0), tree);
  if (bootstrap) for (let i = 0; i < rows; i++) weights[below(mix32(treeSeed, i), rows)]! += 1;
  return weights;
}

/** @param bins [rows][features] */
export function growNaively(bins: number[][], { values: target, outputs }: FixedTarget, params: GrowthParams, tree: number): NaiveTree {
  const weights = drawWeights(bins.length, params, tree);
  const rows = bins.map((row, i) => ({ bins: row, weight: weights[i]!, target: target[i]! })).filter(({ weight }) => weight > 0);
  const grown: NaiveTree = { splits: [], rights: [], values: [] };
  grow(grown, rows, outputs, params, 0, mix32(mix32(mix32(params.seed, 0), tree), 0xffff_fff3));
  return grown;
}

function grow(grown: NaiveTree, rows: Row[], outputs: number, params: GrowthParams, depth: number, hash: number): void {
  const node = grown.splits.length;
  grown.rights.push(0);
  const stops = depth >= params.maxDepth || rows.length < params.minSamplesSplit || rows.every(({ target }) => target === rows[0]!.target);
  const best = stops ? undefined : bestSplit(rows, outputs, params, hash);
  grown.splits.push(best ? best.feature * 256 + best.bin : leaf);
  if (!best) {
    grown.values.push(...valuesOf(rows, outputs, params.bits));
    return;
  }
  grow(
    grown,
    rows.filter((row) => row.bins[best.feature]! <= best.bin),
    outputs,
    params,
    depth + 1,
    mix32(hash, 0xffff_fff1),
  );
  grown.rights[node] = grown.splits.length;
  grow(
    grown,
    rows.filter((row) => row.bins[best.feature]! > best.bin),
    outputs,
    params,
    depth + 1,
    mix32(hash, 0xffff_fff2),
  );
}

function bestSplit(rows: Row[], outputs: number, params: GrowthParams, hash: number) {
  const features = rows[0]!.bins.length;
  const order = Array.from({ length: features }, (_, f) => f);
  let best: { score: number; feature: number; bin: number } | undefined;
  for (let drawn = 0; drawn < features && (drawn < params.maxFeatures || !best); drawn++) {
    const other = drawn + below(mix32(hash, drawn), features - drawn);
    [order[drawn], order[other]] = [order[other]!, order[drawn]!];
    const feature = order[drawn]!;
    const occupied = [...new Set(rows.map((row) => row.bins[feature]!))].sort((a, b) => a - b);
    for (const cut of cutsOf(occupied, params, mix32(hash, 0x8000_0000 + drawn))) {
      const left = rows.filter((row) => row.bins[feature]! <= cut);
      const right = rows.filter((row) => row.bins[feature]! > cut);
      if (left.length < params.minSamplesLeaf || right.length < params.minSamplesLeaf) continue;
      const [weightL, weightR] = [weightOf(left), weightOf(right)];
      const score = (squares(left, outputs) * weightR + squares(right, outputs) * weightL) / (weightL * weightR);
      if (!best || score > best.score) best = { score, feature, bin: cut };
    }
  }
  return best;
}

/** The last bin of the left side: of each split amid two occupied bins, or of one drawn between the least and the largest. */
function cutsOf(occupied: number[], { splitter }: GrowthParams, hash: number): number[] {
  const [least, most] = [occupied[0]!, occupied.at(-1)!];
  if (splitter === 'random') return most > least ? [least + below(hash, most - least)] : [];
  return occupied.slice(1).map((bin, i) => Math.floor((occupied[i]! + bin) / 2));
}

const weightOf = (rows: Row[]) => rows.reduce((sum, { weight }) => sum + weight, 0);

const classWeights = (rows: Row[], outputs: number) =>
  Array.from({ length: outputs }, (_, k) => weightOf(rows.filter(({ target }) => target === k)));

/** The square of the weighted sum of targets, or the sum of the squares of the classes' weights. */
function squares(rows: Row[], outputs: number): number {
  if (outputs > 1) return classWeights(rows, outputs).reduce((sum, weight) => sum + weight ** 2, 0);
  return rows.reduce((sum, { weight, target }) => sum + weight * target, 0) ** 2;
}

function valuesOf(rows: Row[], outputs: number, bits: number): number[] {
  const weight = BigInt(weightOf(rows));
  if (outputs === 1) {
    const sum = BigInt(rows.reduce((total, row) => total + row.weight * row.target, 0));
    const step = 2n ** BigInt(30 - bits);
    return [floorOf(2n * sum + weight * step, 2n * weight * step)];
  }
  const scaled = classWeights(rows, outputs).map((count) => BigInt(count) * 2n ** BigInt(bits));
  const shares = scaled.map((count) => Number(count / weight));
  const rest = 2 ** bits - shares.reduce((a, b) => a + b, 0);
  const byRemainder = [...scaled.keys()].sort((a, b) => Number((scaled[b]! % weight) - (scaled[a]! % weight)) || a - b);
  for (const k of byRemainder.slice(0, rest)) shares[k]! += 1;
  return shares;
}

function floorOf(dividend: bigint, divisor: bigint): number {
  const quotient = dividend / divisor;
  return Number(dividend % divisor < 0n ? quotient - 1n : quotient);
}
