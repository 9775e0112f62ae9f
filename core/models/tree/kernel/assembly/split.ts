/** The best split of a node. All sums are integers, so their order does not matter; scores are float64 of them, compared in drawing order. */
import { scoreRandomCut } from './random-cut';
import { BINS, binsAt, featureOrder, featureStep, histograms, job, occupied, payloads, rowNumbers, rowStep, swaps, tallies } from './job';
import { below, mix32 } from './random';

/** Nodes of fewer rows note which bins have rows; the others look at every bin. */
const SMALL: u32 = 256;
const ROW_SHIFT: u64 = 32;
/** Told apart from the draws of features, whose second arguments are smaller. */
const CUT: u32 = 0x80000000;

export let bestFeature: u32 = 0;
export let bestBin: u32 = 0;
/** Of the left side: weight, and rows << 32 above it; and the sum of the target. */
export let bestLeft: u64 = 0;
export let bestSum: i64 = 0;
let bestScore: f64 = 0;
let found: bool = false;

/** Takes a split where it is the first or better than the best so far. */
// @ts-ignore: decorator
@inline
export function offer(score: f64, feature: u32, bin: u32, left: u64, leftSum: i64): void {
  if (found && score <= bestScore) return;
  found = true;
  bestScore = score;
  bestFeature = feature;
  bestBin = bin;
  bestLeft = left;
  bestSum = leftSum;
}

/**
 * Looks at maxFeatures features drawn by the node's hash, and at further ones until one can be split.
 * @param total rows << 32 | weight of the node; `sum` that of its target
 */
export function findSplit(low: u32, high: u32, hash: u32, total: u64, sum: i64): bool {
  const features = job.features;
  const small = high - low < SMALL;
  found = false;
  let drawn: u32 = 0;
  while (drawn < features && (drawn < job.maxFeatures || !found)) {
    const group: u32 = drawn < job.maxFeatures ? min<u32>(4, job.maxFeatures - drawn) : 1;
    for (let i: u32 = 0; i < group; i++) draw(hash, drawn + i, features);
    const first = featureOrder + (<usize>drawn << 2);
    if (job.splitter) {
      for (let i: u32 = 0; i < group; i++) scoreRandomCut(low, high, load<u32>(first + (i << 2)), mix32(hash, CUT + drawn + i), total, sum);
    } else if (job.outputs == 1) {
      addMoments(low, high, first, group, small);
      for (let i: u32 = 0; i < group; i++) scanMoments(load<u32>(first + (i << 2)), i, total, sum);
    } else {
      for (let i: u32 = 0; i < group; i++) {
        const feature = load<u32>(first + (i << 2));
        addClasses(low, high, feature, small);
        scanClasses(feature, total);
      }
    }
    drawn += group;
  }
  while (drawn > 0) {
    drawn--;
    exchange(drawn, load<u32>(swaps + (<usize>drawn << 2)));
  }
  return found;
}

/** One step of a Fisher-Yates shuffle; it is undone when the node is done, so that the node's draws depend on its hash alone. */
function draw(hash: u32, position: u32, features: u32): void {
  const other = position + below(mix32(hash, position), features - position);
  store<u32>(swaps + (<usize>position << 2), other);
  exchange(position, other);
}

function exchange(a: u32, b: u32): void {
  const left = featureOrder + (<usize>a << 2);
  const right = featureOrder + (<usize>b << 2);
  const feature = load<u32>(left);
  store<u32>(left, load<u32>(right));
  store<u32>(right, feature);
}

// @ts-ignore: decorator
@inline
function featureBins(feature: u32): usize {
  return binsAt + feature * featureStep;
}

function markAll(slot: usize): void {
  for (let word: usize = 0; word < 32; word += 8) store<u64>(occupied + (slot << 5) + word, <u64>-1);
}

// @ts-ignore: decorator
@inline
function mark(slot: usize, bin: usize): void {
  const word = occupied + (slot << 5) + ((bin >> 6) << 3);
  store<u64>(word, load<u64>(word) | (<u64>1 << (bin & 63)));
}

// @ts-ignore: decorator
@inline
function add(cell: usize, payload: v128): void {
  v128.store(cell, i64x2.add(v128.load(cell), payload));
}

/** Adds the rows to up to four histograms of 16-byte cells: rows << 32 | weight, and the sum of the target. */
function addMoments(low: u32, high: u32, first: usize, group: u32, small: bool): void {
  const stride = rowStep;
  const h0 = histograms;
  const h1 = h0 + BINS * 16;
  const h2 = h1 + BINS * 16;
  const h3 = h2 + BINS * 16;
  if (small) {
    for (let slot: usize = 0; slot < group; slot++) {
      const bins = featureBins(load<u32>(first + (slot << 2)));
      const histogram = h0 + slot * BINS * 16;
      for (let i = <usize>low; i < high; i++) {
        const bin = <usize>load<u8>(bins + load<u32>(rowNumbers + (i << 2)) * stride);
        add(histogram + (bin << 4), v128.load(payloads + (i << 4)));
        mark(slot, bin);
      }
    }
    return;
  }
  for (let slot: usize = 0; slot < group; slot++) markAll(slot);
  const f0 = featureBins(load<u32>(first));
  if (group == 4) {
    const f1 = featureBins(load<u32>(first + 4));
    const f2 = featureBins(load<u32>(first + 8));
    const f3 = featureBins(load<u32>(first + 12));
    for (let i = <usize>low; i < high; i++) {
      const row = load<u32>(rowNumbers + (i << 2)) * stride;
      const payload = v128.load(payloads + (i << 4));
      add(h0 + (<usize>load<u8>(f0 + row) << 4), payload);
      add(h1 + (<usize>load<u8>(f1 + row) << 4), payload);
      add(h2 + (<usize>load<u8>(f2 + row) << 4), payload);
      add(h3 + (<usize>load<u8>(f3 + row) << 4), payload);
    }
    return;
  }
  if (group >= 2) {
    const f1 = featureBins(load<u32>(first + 4));
    for (let i = <usize>low; i < high; i++) {
      const row = load<u32>(rowNumbers + (i << 2)) * stride;
      const payload = v128.load(payloads + (i << 4));
      add(h0 + (<usize>load<u8>(f0 + row) << 4), payload);
      add(h1 + (<usize>load<u8>(f1 + row) << 4), payload);
    }
    if (group == 2) return;
  }
  const last = <usize>group - 1;
  const f = featureBins(load<u32>(first + (last << 2)));
  const h = h0 + last * BINS * 16;
  for (let i = <usize>low; i < high; i++) {
    const row = load<u32>(rowNumbers + (i << 2)) * stride;
    add(h + (<usize>load<u8>(f + row) << 4), v128.load(payloads + (i << 4)));
  }
}

/**
 * Scores every cut between two occupied bins by sumL²/weightL + sumR²/weightR: largest where the variance (for a 0/1 target: Gini's
 * impurity) of the sides is least. Empties the histogram on its way. A cut lies amid the empty bins between its neighbours.
 */
function scanMoments(feature: u32, slot: usize, total: u64, sum: i64): void {
  const histogram = histograms + slot * BINS * 16;
  const words = occupied + (slot << 5);
  const minLeaf = job.minSamplesLeaf;
  let left: u64 = 0;
  let leftSum: i64 = 0;
  let last: i32 = -1;
  for (let word: i32 = 0; word < 4; word++) {
    let mask = load<u64>(words + (word << 3));
    store<u64>(words + (word << 3), 0);
    while (mask) {
      const bin = (word << 6) + <i32>ctz(mask);
      mask &= mask - 1;
      const cell = histogram + (bin << 4);
      const here = load<u64>(cell);
      if (here == 0) continue;
      if (last >= 0) {
        const right = total - left;
        if (<u32>(left >> ROW_SHIFT) >= minLeaf && <u32>(right >> ROW_SHIFT) >= minLeaf) {
          const l = <f64>leftSum;
          const r = <f64>(sum - leftSum);
          const weightL = <f64>(<u32>left);
          const weightR = <f64>(<u32>right);
          const score = (l * l * weightR + r * r * weightL) / (weightL * weightR);
          offer(score, feature, (last + bin) >> 1, left, leftSum);
        }
      }
      left += here;
      leftSum += load<i64>(cell, 8);
      last = bin;
      v128.store(cell, i64x2.splat(0));
    }
  }
}

/** Adds the rows to a histogram of uint32 cells: rows, then the weight of each class. */
function addClasses(low: u32, high: u32, feature: u32, small: bool): void {
  const stride = rowStep;
  const width = (<usize>job.outputs + 1) << 2;
  const bins = featureBins(feature);
  if (!small) markAll(0);
  for (let i = <usize>low; i < high; i++) {
    const bin = <usize>load<u8>(bins + load<u32>(rowNumbers + (i << 2)) * stride);
    const cell = histograms + bin * width;
    const counter = cell + 4 + (load<usize>(payloads + (i << 4), 8) << 2);
    store<u32>(cell, load<u32>(cell) + 1);
    store<u32>(counter, load<u32>(counter) + load<u32>(payloads + (i << 4)));
    if (small) mark(0, bin);
  }
}

/** As scanMoments, with the sum of squares over all classes; tallies holds the node's counts, and then those of the left side. */
function scanClasses(feature: u32, total: u64): void {
  const outputs = <usize>job.outputs;
  const width = (outputs + 1) << 2;
  const minLeaf = job.minSamplesLeaf;
  const lefts = tallies + (outputs << 3);
  memory.fill(lefts, 0, outputs << 3);
  let left: u64 = 0;
  let squaresL: i64 = 0;
  let squaresR: i64 = 0;
  for (let k: usize = 0; k < outputs; k++) {
    const count = load<i64>(tallies + (k << 3));
    squaresR += count * count;
  }
  let last: i32 = -1;
  for (let word: i32 = 0; word < 4; word++) {
    let mask = load<u64>(occupied + (word << 3));
    store<u64>(occupied + (word << 3), 0);
    while (mask) {
      const bin = (word << 6) + <i32>ctz(mask);
      mask &= mask - 1;
      const cell = histograms + bin * width;
      const rows = load<u32>(cell);
      if (rows == 0) continue;
      if (last >= 0) {
        const right = total - left;
        if (<u32>(left >> ROW_SHIFT) >= minLeaf && <u32>(right >> ROW_SHIFT) >= minLeaf) {
          const weightL = <f64>(<u32>left);
          const weightR = <f64>(<u32>right);
          const score = (<f64>squaresL * weightR + <f64>squaresR * weightL) / (weightL * weightR);
          offer(score, feature, (last + bin) >> 1, left, 0);
        }
      }
      store<u32>(cell, 0);
      left += <u64>rows << ROW_SHIFT;
      for (let k: usize = 0; k < outputs; k++) {
        const counter = cell + 4 + (k << 2);
        const count = <i64>load<u32>(counter);
        if (count == 0) continue;
        store<u32>(counter, 0);
        const before = load<i64>(lefts + (k << 3));
        const after = load<i64>(tallies + (k << 3)) - before;
        squaresL += count * (2 * before + count);
        squaresR -= count * (2 * after - count);
        store<i64>(lefts + (k << 3), before + count);
        left += count;
      }
      last = bin;
    }
  }
}
