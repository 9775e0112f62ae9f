/** Splits a leaf's rows: chunks are partitioned where they lie, and then put where they belong. Both sides keep their order. */
import { CHUNK, run } from './run';

/** Partitions a chunk into `spare`: left rows from its start, right rows, in their order, behind them. */
export function countLeft(task: u32): void {
  const bins = <usize>run.columnBins + <usize>run.feature * run.rows;
  const low = <usize>(run.low + task * CHUNK);
  const high = <usize>min(run.high, run.low + (task + 1) * CHUNK);
  const order = <usize>run.order;
  const spare = <usize>run.spare;
  const bin = run.bin;
  const missing = run.missingLeft;
  let left = spare + (low << 2);
  // Right rows are gathered in the chunk's own place in `order`: what is overwritten there has been read.
  let right = order + (low << 2);
  for (let i = order + (low << 2); i < order + (high << 2); i += 4) {
    const row = load<u32>(i);
    const b = <u32>load<u8>(bins + row);
    const isLeft = <usize>select<u32>(missing, <u32>(b <= bin), b == 255);
    store<u32>(left, row);
    store<u32>(right, row);
    left += isLeft << 2;
    right += (1 - isLeft) << 2;
  }
  const count = (left - spare - (low << 2)) >> 2;
  memory.copy(left, order + (low << 2), right - order - (low << 2));
  store<u32>(<usize>run.tasks + (<usize>task << 3), <u32>count);
}

/** Sums the chunks' counts up to where each one's left rows begin. @returns how many rows go left */
export function sumCounts(tasks: u32): u32 {
  let before: u32 = 0;
  for (let task: usize = 0; task < tasks; task++) {
    const slot = <usize>run.tasks + (task << 3);
    const count = load<u32>(slot);
    store<u32>(slot, before);
    store<u32>(slot, count, 4);
    before += count;
  }
  return before;
}

/** Copies a partitioned chunk from `spare` to its two places in `order`. */
export function moveRows(task: u32): void {
  const low = run.low + task * CHUNK;
  const high = min(run.high, low + CHUNK);
  const before = load<u32>(<usize>run.tasks + (<usize>task << 3));
  const count = load<u32>(<usize>run.tasks + (<usize>task << 3), 4);
  const spare = <usize>run.spare + (<usize>low << 2);
  memory.copy(<usize>run.order + (<usize>(run.low + before) << 2), spare, <usize>count << 2);
  const rights = run.middle + task * CHUNK - before;
  memory.copy(<usize>run.order + (<usize>rights << 2), spare + (<usize>count << 2), <usize>(high - low - count) << 2);
}
