/** Histograms of packed gradients, and the best cut of each feature in them. */
import { BINS, foundAt, histogramOf, leafAt, NONE, run, thread } from './run';

const MISSING: usize = 255;
/** Rows that are gathered at a time: with a group's histogram they stay in the first cache. First the bins, 16 bytes a row, then the payloads. */
const BLOCK: usize = 512;
const GATHERED: usize = 16;

/** Adds rows whose bins lie `stride` bytes apart to the histograms of 8, 4, 2 or 1 features. Constant offsets cost no instruction. */
// @ts-ignore: decorator
@inline
function addBins(h: usize, bins: usize, stride: usize, payloads: usize, count: usize, width: u32): void {
  const last = payloads + (count << 3);
  let row = bins;
  for (let at = payloads; at < last; at += 8) {
    const payload = load<i64>(at);
    let cell = h + (<usize>load<u8>(row) << 3);
    store<i64>(cell, load<i64>(cell) + payload);
    if (width > 1) {
      cell = h + (<usize>load<u8>(row, 1) << 3);
      store<i64>(cell, load<i64>(cell, 2048) + payload, 2048);
    }
    if (width > 2) {
      cell = h + (<usize>load<u8>(row, 2) << 3);
      store<i64>(cell, load<i64>(cell, 4096) + payload, 4096);
      cell = h + (<usize>load<u8>(row, 3) << 3);
      store<i64>(cell, load<i64>(cell, 6144) + payload, 6144);
    }
    if (width > 4) {
      cell = h + (<usize>load<u8>(row, 4) << 3);
      store<i64>(cell, load<i64>(cell, 8192) + payload, 8192);
      cell = h + (<usize>load<u8>(row, 5) << 3);
      store<i64>(cell, load<i64>(cell, 10240) + payload, 10240);
      cell = h + (<usize>load<u8>(row, 6) << 3);
      store<i64>(cell, load<i64>(cell, 12288) + payload, 12288);
      cell = h + (<usize>load<u8>(row, 7) << 3);
      store<i64>(cell, load<i64>(cell, 14336) + payload, 14336);
    }
    row += stride;
  }
}

/** Adds the rows [low, high) to the histograms of the `width` features from `feature` on. */
function addRows(histogram: usize, feature: usize, width: usize): void {
  const features = <usize>run.features;
  const bins = <usize>run.bins + feature;
  const packed = <usize>run.packed;
  const blockBins = <usize>run.blocks + thread * BLOCK * (GATHERED + 8);
  const blockPayloads = blockBins + BLOCK * GATHERED;
  const end = <usize>run.order + (<usize>run.high << 2);
  let at = <usize>run.order + (<usize>run.low << 2);
  while (at < end) {
    const count = min(BLOCK, (end - at) >> 2);
    const row = <usize>load<u32>(at);
    // Rows are in ascending order: these lie one behind the other.
    if (<usize>load<u32>(at + (count << 2) - 4) - row == count - 1)
      addBlock(histogram, bins + row * features, features, packed + (row << 3), count, width);
    else {
      // Gathered first: they lie far apart, and many such loads, alone, can be under way at once.
      for (let i: usize = 0; i < count; i++) {
        const row = <usize>load<u32>(at + (i << 2));
        v128.store(blockBins + i * GATHERED, v128.load(bins + row * features));
        store<i64>(blockPayloads + (i << 3), load<i64>(packed + (row << 3)));
      }
      addBlock(histogram, blockBins, GATHERED, blockPayloads, count, width);
    }
    at += count << 2;
  }
}

function addBlock(histogram: usize, bins: usize, stride: usize, payloads: usize, count: usize, width: usize): void {
  let feature: usize = 0;
  for (; feature + 8 <= width; feature += 8) addBins(histogram + (feature << 11), bins + feature, stride, payloads, count, 8);
  if (width & 4) {
    addBins(histogram + (feature << 11), bins + feature, stride, payloads, count, 4);
    feature += 4;
  }
  if (width & 2) {
    addBins(histogram + (feature << 11), bins + feature, stride, payloads, count, 2);
    feature += 2;
  }
  if (width & 1) addBins(histogram + (feature << 11), bins + feature, stride, payloads, count, 1);
}

/**
 * Of a group of features: fills the smaller leaf's histogram, takes that from the larger leaf's (its parent's until now), and looks for the
 * best cut of both. Without a larger leaf the smaller one is the root.
 */
export function findCuts(task: u32): void {
  const first = task * run.group;
  const end = min(run.features, first + run.group);
  let smaller = histogramOf(run.smaller) + (<usize>first << 11);
  memory.fill(smaller, 0, (end - first) << 11);
  addRows(smaller, first, end - first);
  for (let feature = first; feature < end; feature++, smaller += BINS << 3) {
    if (run.larger == NONE) {
      // Every feature's bins have all rows.
      let sum: i64 = 0;
      for (let i: usize = 0; i < BINS << 3; i += 8) sum += load<i64>(smaller + i);
      leafAt(run.smaller).sum = sum;
    } else {
      const larger = histogramOf(run.larger) + (<usize>feature << 11);
      for (let i: usize = 0; i < BINS << 3; i += 16) v128.store(larger + i, i64x2.sub(v128.load(larger + i), v128.load(smaller + i)));
      findCut(run.larger, feature, larger);
    }
    findCut(run.smaller, feature, smaller);
  }
}

// What the proposals of a leaf have in common, in locals of the instance: the header, in shared memory, would be read anew for each.
let total: i64 = 0;
let gUnit: f64 = 0;
let hUnit: f64 = 0;
let least: f64 = 0;
let l2: f64 = 0;
let parent: f64 = 0;
let bestGain: f64 = 0;
let bestSum: i64 = 0;
let bestBin: u32 = 0;
let bestMissing: u32 = 0;

function findCut(leafIndex: u32, feature: u32, histogram: usize): void {
  const found = foundAt(leafIndex, feature);
  found.gain = 0;
  const leaf = leafAt(leafIndex);
  if (!load<u8>(<usize>run.allowed + feature) || leaf.depth >= run.maxDepth || leaf.high - leaf.low < 2 * run.minSamplesLeaf) return;
  // What a unit of a sum is worth.
  gUnit = run.gradientUnit * <f64>(<u32>1 << run.gradientShift);
  hUnit = run.hessianUnit * <f64>(<u32>1 << run.hessianShift);
  l2 = run.l2;
  total = leaf.sum;
  const g = <f64>(total >> 32) * gUnit;
  const h = <f64>(<u32>total);
  // So few bits that all are rounded to nothing.
  if (h == 0) return;
  parent = (g * g) / (h * hUnit + l2);
  // Rows of a side are told by its share of the hessian, as LightGBM does: exact where every row's is the same.
  const perHessian = <f64>(leaf.high - leaf.low) / h;
  least = max((<f64>run.minSamplesLeaf - 0.5) / perHessian, run.minSumHessian / hUnit);
  bestGain = max(0.0, run.minGain);
  bestSum = 0;
  const missing = load<i64>(histogram + (MISSING << 3));
  scan(histogram, 0, 0);
  if (missing != 0) {
    scan(histogram, missing, 1);
    // The cut between the known and the missing.
    propose(total - missing, 254, 0);
  }
  if (!bestSum) return;
  found.gain = bestGain;
  found.leftSum = bestSum;
  found.bin = bestBin;
  found.missingLeft = bestMissing;
}

// @ts-ignore: decorator
@inline
function gradientsOf(sums: v128): v128 {
  return f64x2.mul(f64x2.convert_low_i32x4_s(v128.shuffle<i32>(sums, sums, 1, 3, 1, 3)), f64x2.splat(gUnit));
}

// @ts-ignore: decorator
@inline
function hessiansOf(sums: v128): v128 {
  return f64x2.convert_low_i32x4_s(v128.shuffle<i32>(sums, sums, 0, 2, 0, 2));
}

// @ts-ignore: decorator
@inline
function weightsOf(hessians: v128): v128 {
  return f64x2.add(f64x2.mul(hessians, f64x2.splat(hUnit)), f64x2.splat(l2));
}

/** Tries every cut between two occupied bins, amid the empty ones there, with `from` on the left already. */
function scan(histogram: usize, from: i64, missingLeft: u32): void {
  let bin: usize = 0;
  let end = MISSING;
  while (bin < end && load<i64>(histogram + (bin << 3)) == 0) bin++;
  while (end > bin && load<i64>(histogram + (end << 3) - 8) == 0) end--;
  const before = bestSum;
  const all = i64x2.splat(total);
  const enough = f64x2.splat(least);
  const none = i64x2.splat(0);
  let left = i64x2.splat(from);
  // Behind an empty bin gains what was gained before it, so is not taken. Two cuts at a time; the one behind the last bin is none.
  for (; bin + 1 < end; bin += 2) {
    const cells = v128.load(histogram + (bin << 3));
    const lefts = i64x2.add(left, i64x2.add(cells, v128.shuffle<i64>(none, cells, 0, 2)));
    left = v128.shuffle<i64>(lefts, lefts, 1, 1);
    const rights = i64x2.sub(all, lefts);
    const hL = hessiansOf(lefts);
    const hR = hessiansOf(rights);
    const wL = weightsOf(hL);
    const wR = weightsOf(hR);
    const gL = gradientsOf(lefts);
    const gR = gradientsOf(rights);
    const product = f64x2.add(f64x2.mul(f64x2.mul(gL, gL), wR), f64x2.mul(f64x2.mul(gR, gR), wL));
    // Without dividing, and a little too low, as few are looked at more closely.
    const bar = f64x2.mul(f64x2.splat((bestGain + parent) * (1 - 1e-9)), f64x2.mul(wL, wR));
    const large = v128.and(v128.and(f64x2.ge(hL, enough), f64x2.ge(hR, enough)), f64x2.ge(product, bar));
    if (!v128.any_true(large)) continue;
    propose(i64x2.extract_lane(lefts, 0), <u32>bin, missingLeft);
    if (bin + 2 < end) propose(i64x2.extract_lane(lefts, 1), <u32>bin + 1, missingLeft);
  }
  if (bestSum == before) return;
  let next = bestBin + 1;
  while (load<i64>(histogram + (<usize>next << 3)) == 0) next++;
  bestBin = (bestBin + next) >> 1;
}

function propose(left: i64, bin: u32, missingLeft: u32): void {
  const right = total - left;
  const hL = <f64>(<u32>left);
  const hR = <f64>(<u32>right);
  if (!(hL >= least && hR >= least)) return;
  const gL = <f64>(left >> 32) * gUnit;
  const gR = <f64>(right >> 32) * gUnit;
  const wL = hL * hUnit + l2;
  const wR = hR * hUnit + l2;
  // gL²/wL + gR²/wR on one denominator.
  const gain = (gL * gL * wR + gR * gR * wL) / (wL * wR) - parent;
  if (!(gain > bestGain)) return;
  bestGain = gain;
  bestSum = left;
  bestBin = bin;
  bestMissing = missingLeft;
}
