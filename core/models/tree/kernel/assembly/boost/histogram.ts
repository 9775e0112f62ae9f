/** Histograms of packed gradients, and the best cut of each feature in them. */
import { BINS, CHUNK, foundAt, histogramOf, leafAt, NONE, run, thread } from './run';

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
  // The real gradient and hessian of a sum: units of the exact ones, 2^(30 - bits) times as large.
  const scale = <f64>(<u32>1 << (30 - run.bits));
  gUnit = run.gradientUnit * scale;
  hUnit = run.hessianUnit * scale;
  l2 = run.l2;
  total = leaf.sum;
  const g = <f64>(total >> 32) * gUnit;
  const h = <f64>(<u32>total);
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

/** Tries every cut between two occupied bins, amid the empty ones there, with `from` on the left already. */
function scan(histogram: usize, from: i64, missingLeft: u32): void {
  let left = from;
  let last: u32 = NONE;
  for (let bin: u32 = 0; bin < MISSING; bin++) {
    const cell = load<i64>(histogram + (<usize>bin << 3));
    if (cell == 0) continue;
    if (last != NONE) propose(left, (last + bin) >> 1, missingLeft);
    left += cell;
    last = bin;
  }
}

// @ts-ignore: decorator
@inline
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
