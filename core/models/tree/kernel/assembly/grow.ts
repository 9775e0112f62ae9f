/** Grows one tree, depth first. */
import { bestBin, bestFeature, bestLeft, bestSum, findSplit } from './split';
import {
  binsAt,
  chooseBins,
  draws,
  featureStep,
  Frame,
  hasCuts,
  job,
  nodeRights,
  nodeSamples,
  nodeSplits,
  nodeValues,
  payloads,
  rowNumbers,
  rowStep,
  sparePayloads,
  spareRowNumbers,
  stack,
  tallies,
} from './job';
import { below, mix32 } from './random';

export const LEAF: u32 = 0xffffffff;
const TARGET_BITS: u32 = 30;
/** Told apart from the draws of features, whose second arguments are small. */
const LEFT: u32 = 0xfffffff1;
const RIGHT: u32 = 0xfffffff2;
const ROOT: u32 = 0xfffffff3;

/** @returns the number of nodes; they lie in the arena */
export function growTree(tree: u32): u32 {
  const seed = mix32(job.seed, tree);
  const rows = sampleRows(seed);
  let weight: u32 = 0;
  let sum: i64 = 0;
  for (let i: usize = 0; i < rows; i++) {
    weight += load<u32>(payloads + (i << 4));
    sum += load<i64>(payloads + (i << 4), 8);
  }
  let nodes: u32 = 0;
  let leaves: u32 = 0;
  let top = stack;
  push(top, 0, rows, 0, mix32(seed, ROOT), 0, weight, sum);
  top += offsetof<Frame>();
  while (top > stack) {
    top -= offsetof<Frame>();
    const frame = changetype<Frame>(top);
    const low = frame.low;
    const high = frame.high;
    const depth = frame.depth;
    const hash = frame.hash;
    const total = (<u64>(high - low) << 32) | frame.weight;
    const nodeSum = frame.sum;
    const node = nodes++;
    if (frame.parent) store<u32>(nodeRights + (<usize>(frame.parent - 1) << 2), node);
    store<u32>(nodeSamples + (<usize>node << 2), high - low);
    chooseBins(high - low);
    if (job.outputs > 1) countClasses(low, high);
    const isLeaf =
      depth >= job.maxDepth ||
      high - low < job.minSamplesSplit ||
      high - low < 2 * job.minSamplesLeaf ||
      isPure(low, high) ||
      !findSplit(low, high, hash, total, nodeSum);
    if (hasCuts()) storeValue(node, <u32>total, nodeSum);
    else if (isLeaf) storeValue(leaves++, <u32>total, nodeSum);
    if (isLeaf) {
      store<u32>(nodeSplits + (<usize>node << 2), LEAF);
      continue;
    }
    store<u32>(nodeSplits + (<usize>node << 2), (bestFeature << 8) | bestBin);
    const middle = partition(low, high, bestFeature, bestBin);
    const weightL = <u32>bestLeft;
    const sumL = bestSum;
    push(top, middle, high, depth + 1, mix32(hash, RIGHT), node + 1, <u32>total - weightL, nodeSum - sumL);
    top += offsetof<Frame>();
    push(top, low, middle, depth + 1, mix32(hash, LEFT), 0, weightL, sumL);
    top += offsetof<Frame>();
  }
  return nodes;
}

function push(at: usize, low: u32, high: u32, depth: u32, hash: u32, parent: u32, weight: u32, sum: i64): void {
  const frame = changetype<Frame>(at);
  frame.low = low;
  frame.high = high;
  frame.depth = depth;
  frame.hash = hash;
  frame.parent = parent;
  frame.weight = weight;
  frame.sum = sum;
}

/** Draws the tree's rows, each once with its weight, in ascending order. @returns how many */
function sampleRows(seed: u32): u32 {
  const rows = job.rows;
  memory.fill(draws, job.bootstrap ? 0 : 1, rows);
  if (job.bootstrap)
    for (let i: u32 = 0; i < rows; i++) {
      const row = draws + below(mix32(seed, i), rows);
      store<u8>(row, load<u8>(row) + 1);
    }
  let taken: u32 = 0;
  for (let row: u32 = 0; row < rows; row++) {
    const weight = <i64>load<u8>(draws + row);
    if (weight == 0) continue;
    const target = <i64>load<i32>(<usize>job.target + (<usize>row << 2));
    store<u32>(rowNumbers + (<usize>taken << 2), row);
    store<i64>(payloads + (<usize>taken << 4), (1 << 32) | weight);
    store<i64>(payloads + (<usize>taken << 4), job.outputs == 1 ? target * weight : target, 8);
    taken++;
  }
  return taken;
}

/** Whether all rows have the same target: weighted targets are compared crosswise, a * weightB = b * weightA. */
function isPure(low: u32, high: u32): bool {
  const first = payloads + (<usize>low << 4);
  const weight = <i64>load<u32>(first);
  const target = load<i64>(first, 8);
  const classes = job.outputs > 1;
  for (let i = first + 16; i < payloads + (<usize>high << 4); i += 16) {
    if (classes ? load<i64>(i, 8) != target : load<i64>(i, 8) * weight != target * <i64>load<u32>(i)) return false;
  }
  return true;
}

/** Moves the rows with a bin up to `bin` before the others; both sides keep their order. @returns where the others begin */
function partition(low: u32, high: u32, feature: u32, bin: u32): u32 {
  const stride = rowStep;
  const bins = binsAt + feature * featureStep;
  let left = <usize>low;
  let right: usize = 0;
  for (let i = <usize>low; i < high; i++) {
    const row = load<u32>(rowNumbers + (i << 2));
    const payload = v128.load(payloads + (i << 4));
    // Both are written and one of the two counts: a branch here would be guessed wrong half of the time.
    store<u32>(rowNumbers + (left << 2), row);
    v128.store(payloads + (left << 4), payload);
    store<u32>(spareRowNumbers + (right << 2), row);
    v128.store(sparePayloads + (right << 4), payload);
    const isLeft = <usize>(<u32>load<u8>(bins + row * stride) <= bin);
    left += isLeft;
    right += 1 - isLeft;
  }
  memory.copy(rowNumbers + (left << 2), spareRowNumbers, right << 2);
  memory.copy(payloads + (left << 4), sparePayloads, right << 4);
  return <u32>left;
}

function countClasses(low: u32, high: u32): void {
  memory.fill(tallies, 0, <usize>job.outputs << 3);
  for (let i = <usize>low; i < high; i++) {
    const tally = tallies + (load<usize>(payloads + (i << 4), 8) << 3);
    store<u64>(tally, load<u64>(tally) + load<u32>(payloads + (i << 4)));
  }
}

/** Rounds the node's mean, or its shares of the classes, to a multiple of 2^-bits. Shares add up to one: those that lost most by rounding down get what is left. */
function storeValue(place: u32, weight: u32, sum: i64): void {
  const outputs = <usize>job.outputs;
  const values = nodeValues + (<usize>place * outputs << 2);
  if (outputs == 1) {
    const shift = <i64>(TARGET_BITS - job.bits);
    // The target is within ±2^30: moved above zero, so that division rounds down.
    const above = sum + (<i64>weight << TARGET_BITS);
    const rounded = (2 * above + (<i64>weight << shift)) / (<i64>weight << (shift + 1));
    store<i32>(values, <i32>(rounded - ((<i64>1) << job.bits)));
    return;
  }
  const remainders = tallies + (outputs << 4);
  let rest: u64 = <u64>1 << job.bits;
  for (let k: usize = 0; k < outputs; k++) {
    const scaled = load<u64>(tallies + (k << 3)) << job.bits;
    const share = scaled / weight;
    store<i32>(values + (k << 2), <i32>share);
    store<i64>(remainders + (k << 3), scaled - share * weight);
    rest -= share;
  }
  while (rest > 0) {
    let most: usize = 0;
    for (let k: usize = 1; k < outputs; k++) if (load<i64>(remainders + (k << 3)) > load<i64>(remainders + (most << 3))) most = k;
    store<i64>(remainders + (most << 3), -1);
    store<i32>(values + (most << 2), load<i32>(values + (most << 2)) + 1);
    rest--;
  }
}
