/** Histograms of packed gradients, and the best cut of each feature in them. */
import { BINS, CHUNK, Found, foundAt, histogramOf, Leaf, leafAt, NONE, run, thread } from './run';

const MISSING: usize = 255;
/** Rows whose bins stay in the first cache while groups of features pass over them. */
const BLOCK: usize = 1024;

// @ts-ignore: decorator
@inline
function add(cell: usize, payload: i64): void {
  store<i64>(cell, load<i64>(cell) + payload);
}

/** Adds a chunk of rows of [low, high) to this thread's histogram. */
export function addRows(task: u32): void {
  const features = <usize>run.features;
  const bytes = features * BINS << 3;
  const histogram = <usize>run.threadHistograms + thread * bytes;
  const cleared = <usize>run.cleared + (<usize>thread << 2);
  if (load<u32>(cleared) != run.histogramEpoch) {
    memory.fill(histogram, 0, bytes);
    store<u32>(cleared, run.histogramEpoch);
  }
  const end = <usize>min(run.high, run.low + (task + 1) * CHUNK);
  for (let low = <usize>(run.low + task * CHUNK); low < end; low += BLOCK) addBlock(histogram, low, min(end, low + BLOCK));
}

function addBlock(histogram: usize, low: usize, high: usize): void {
  const features = <usize>run.features;
  const first = <usize>run.order + (low << 2);
  const last = <usize>run.order + (high << 2);
  const packed = <usize>run.packed;
  let feature: usize = 0;
  for (; feature + 8 <= features; feature += 8) {
    const bins = <usize>run.bins + feature;
    const h = histogram + (feature << 11);
    for (let at = first; at < last; at += 4) {
      const row = <usize>load<u32>(at);
      const b = load<u64>(bins + row * features);
      const payload = load<i64>(packed + (row << 3));
      add(h + <usize>((b & 255) << 3), payload);
      add(h + 2048 + <usize>((b >> 5) & 2040), payload);
      add(h + 4096 + <usize>((b >> 13) & 2040), payload);
      add(h + 6144 + <usize>((b >> 21) & 2040), payload);
      add(h + 8192 + <usize>((b >> 29) & 2040), payload);
      add(h + 10240 + <usize>((b >> 37) & 2040), payload);
      add(h + 12288 + <usize>((b >> 45) & 2040), payload);
      add(h + 14336 + <usize>((b >> 53) & 2040), payload);
    }
  }
  for (; feature + 4 <= features; feature += 4) {
    const bins = <usize>run.bins + feature;
    const h = histogram + (feature << 11);
    for (let at = first; at < last; at += 4) {
      const row = <usize>load<u32>(at);
      const b = load<u32>(bins + row * features);
      const payload = load<i64>(packed + (row << 3));
      add(h + ((b & 255) << 3), payload);
      add(h + 2048 + ((b >> 5) & 2040), payload);
      add(h + 4096 + ((b >> 13) & 2040), payload);
      add(h + 6144 + ((b >> 21) & 2040), payload);
    }
  }
  for (; feature < features; feature++) {
    const bins = <usize>run.bins + feature;
    const h = histogram + (feature << 11);
    for (let at = first; at < last; at += 4) {
      const row = <usize>load<u32>(at);
      add(h + (<usize>load<u8>(bins + row * features) << 3), load<i64>(packed + (row << 3)));
    }
  }
}

/** Features of a task. */
export const GROUP: u32 = 8;

/**
 * Of a group of features: adds up what the threads found for the smaller leaf, takes that from the larger leaf's (its parent's until now),
 * and looks for the best cut of both. Without a larger leaf the smaller one is the root.
 */
export function findCuts(task: u32): void {
  const end = min(run.features, (task + 1) * GROUP);
  const bytes = <usize>run.features * BINS << 3;
  for (let feature = task * GROUP; feature < end; feature++) {
    const offset = <usize>feature << 11;
    const smaller = histogramOf(run.smaller) + offset;
    memory.fill(smaller, 0, BINS << 3);
    for (let t: u32 = 0; t < run.threads; t++) {
      if (load<u32>(<usize>run.cleared + (<usize>t << 2)) != run.histogramEpoch) continue;
      const part = <usize>run.threadHistograms + t * bytes + offset;
      for (let i: usize = 0; i < BINS << 3; i += 16) v128.store(smaller + i, i64x2.add(v128.load(smaller + i), v128.load(part + i)));
    }
    if (run.larger != NONE) {
      const larger = histogramOf(run.larger) + offset;
      for (let i: usize = 0; i < BINS << 3; i += 16) v128.store(larger + i, i64x2.sub(v128.load(larger + i), v128.load(smaller + i)));
      findCut(run.larger, feature, larger);
    }
    findCut(run.smaller, feature, smaller);
  }
}

/** The real hessian and gradient of a sum: units of the exact ones, 2^(30 - bits) times as large. */
function findCut(leafIndex: u32, feature: u32, histogram: usize): void {
  const found = foundAt(leafIndex, feature);
  found.gain = 0;
  const leaf = leafAt(leafIndex);
  if (!load<u8>(<usize>run.allowed + feature) || leaf.depth >= run.maxDepth || leaf.high - leaf.low < 2 * run.minSamplesLeaf) return;
  const missing = load<i64>(histogram + (MISSING << 3));
  scan(found, leaf, histogram, 0);
  if (missing != 0) {
    scan(found, leaf, histogram, missing);
    // The cut between the known and the missing.
    propose(found, leaf, leaf.sum - missing, 254, 0);
  }
}

/** Tries every cut between two occupied bins, amid the empty ones there, with `from` on the left already. */
function scan(found: Found, leaf: Leaf, histogram: usize, from: i64): void {
  let left = from;
  let last: u32 = NONE;
  for (let bin: u32 = 0; bin < MISSING; bin++) {
    const cell = load<i64>(histogram + (<usize>bin << 3));
    if (cell == 0) continue;
    if (last != NONE) propose(found, leaf, left, (last + bin) >> 1, from == 0 ? 0 : 1);
    left += cell;
    last = bin;
  }
}

/** Rows of a side are told by its share of the hessian, as LightGBM does: exact where every row's is the same. */
// @ts-ignore: decorator
@inline
function propose(found: Found, leaf: Leaf, left: i64, bin: u32, missingLeft: u32): void {
  const scale = <f64>(<u32>1 << (30 - run.bits));
  const gUnit = run.gradientUnit * scale;
  const hUnit = run.hessianUnit * scale;
  const total = leaf.sum;
  const right = total - left;
  const hL = <f64>(<u32>left);
  const hR = <f64>(<u32>right);
  const perHessian = <f64>(leaf.high - leaf.low) / <f64>(<u32>total);
  const least = <f64>run.minSamplesLeaf - 0.5;
  if (hL * perHessian < least || hR * perHessian < least) return;
  if (hL * hUnit < run.minSumHessian || hR * hUnit < run.minSumHessian) return;
  const gL = <f64>(left >> 32) * gUnit;
  const gR = <f64>(right >> 32) * gUnit;
  const wL = hL * hUnit + run.l2;
  const wR = hR * hUnit + run.l2;
  const g = gL + gR;
  // gL²/wL + gR²/wR - g²/(wL + wR - l2), the first two on one denominator.
  const gain = (gL * gL * wR + gR * gR * wL) / (wL * wR) - (g * g) / (wL + wR - run.l2);
  if (!(gain > found.gain && gain > run.minGain)) return;
  found.gain = gain;
  found.leftSum = left;
  found.bin = bin;
  found.missingLeft = missingLeft;
}
