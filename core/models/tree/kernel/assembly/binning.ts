/** Columns of float32 to at most 255 bins: edges at quantiles, exact where there are few enough distinct values. */
import { BINS, histograms, job, payloads } from './job';

const MAX_BINS: u32 = 255;
/** What a sorted key of NaN is; it lies behind every number's. */
const NAN_KEY: u32 = 0xffffffff;

/** Order of floats as order of unsigned integers; -0 is 0. */
// @ts-ignore: decorator
@inline
function keyOf(value: f32): u32 {
  if (value != value) return NAN_KEY;
  const bits = reinterpret<u32>(value + <f32>0);
  return bits ^ (bits >> 31 ? 0xffffffff : 0x80000000);
}

// @ts-ignore: decorator
@inline
function valueOf(key: u32): f32 {
  return reinterpret<f32>(key ^ (key >> 31 ? 0x80000000 : 0xffffffff));
}

/** Sorts the keys of the train rows of a column by three passes of a radix sort. @returns where they lie */
function sortColumn(column: usize, rows: u32): usize {
  let from = payloads;
  let to = payloads + ((<usize>rows * 4 + 63) & ~63);
  const counts = histograms;
  memory.fill(counts, 0, 3 * 8192);
  for (let i: usize = 0; i < rows; i++) {
    const key = keyOf(load<f32>(column + (i << 2)));
    store<u32>(from + (i << 2), key);
    for (let pass: u32 = 0; pass < 3; pass++) {
      const slot = counts + (pass << 13) + (((key >> (pass * 11)) & 2047) << 2);
      store<u32>(slot, load<u32>(slot) + 1);
    }
  }
  for (let pass: u32 = 0; pass < 3; pass++) {
    const table = counts + (pass << 13);
    let before: u32 = 0;
    for (let digit: usize = 0; digit < 2048; digit++) {
      const count = load<u32>(table + (digit << 2));
      store<u32>(table + (digit << 2), before);
      before += count;
    }
    for (let i: usize = 0; i < rows; i++) {
      const key = load<u32>(from + (i << 2));
      const slot = table + (((key >> (pass * 11)) & 2047) << 2);
      const position = load<u32>(slot);
      store<u32>(slot, position + 1);
      store<u32>(to + (position << 2), key);
    }
    const swap = from;
    from = to;
    to = swap;
  }
  return from;
}

/** A float32 in the middle of two neighbouring values, or the lower one: low <= edge < high. */
function edgeBetween(low: f32, high: f32): f32 {
  const middle = <f32>((<f64>low + <f64>high) / 2);
  return middle >= low && middle < high ? middle : low;
}

/** Finds the edges of a column of the batch. A bin is closed where its share of the rows is full. */
export function findEdges(index: u32): void {
  const edges = <usize>job.edges + <usize>(job.firstColumn + index) * BINS * 4;
  for (let i: usize = 0; i < BINS; i++) store<f32>(edges + (i << 2), <f32>Infinity);
  let rows = job.rows;
  const sorted = sortColumn(<usize>job.raw + <usize>index * job.allRows * 4, rows);
  while (rows > 0 && load<u32>(sorted + ((<usize>rows - 1) << 2)) == NAN_KEY) rows--;
  let distinct: u32 = 0;
  for (let i: usize = 1; i < rows && distinct < MAX_BINS; i++)
    if (load<u32>(sorted + (i << 2)) != load<u32>(sorted + (i << 2) - 4)) distinct++;
  const all = distinct < MAX_BINS;
  let found: usize = 0;
  let full: u32 = 0;
  for (let i: usize = 1; i < rows; i++) {
    const low = load<u32>(sorted + (i << 2) - 4);
    const high = load<u32>(sorted + (i << 2));
    if (low == high) continue;
    const share = <u32>((<u64>i * MAX_BINS) / rows);
    if (!all && share == full) continue;
    full = share;
    store<f32>(edges + (found << 2), edgeBetween(valueOf(low), valueOf(high)));
    found++;
  }
}

/** Bins the rows [low, high) of the batch: the number of edges below the value, so that value <= edge is bin <= number of the edge. NaN is in the last bin. */
export function fillBins(low: u32, high: u32): void {
  const stride = <usize>job.features;
  for (let index: u32 = 0; index < job.columns; index++) {
    const edges = <usize>job.edges + <usize>(job.firstColumn + index) * BINS * 4;
    const column = <usize>job.raw + <usize>index * job.allRows * 4;
    const byColumn = <usize>job.columnBins + <usize>(job.firstColumn + index) * job.rows;
    let bin = <usize>job.bins + low * stride + job.firstColumn + index;
    for (let row = <usize>low; row < high; row++) {
      const value = load<f32>(column + (row << 2));
      let at = edges;
      for (let step: usize = 512; step > 2; step >>= 1) at += select<usize>(0, step, value <= load<f32>(at + step - 4));
      const number = <u8>((at - edges) >> 2);
      store<u8>(bin, number);
      bin += stride;
      if (row < job.rows) store<u8>(byColumn + row, number);
    }
  }
}
