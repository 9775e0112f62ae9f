/** Phases: the main thread opens one, all threads claim its tasks, and the main thread goes on when the last is done. */
import { fillGradients, fillShares, findLargest } from './gradients';
import { findCuts } from './histogram';
import { settleLeaf, walkRows } from './leaves';
import { countLeft, moveRows } from './partition';
import { findRange, roundRows } from './rounding';
import { enter, run, Run } from './run';

export const SHARES: u32 = 0;
export const LARGEST: u32 = 1;
export const GRADIENTS: u32 = 2;
export const ROUND: u32 = 3;
export const CUTS: u32 = 4;
export const COUNT: u32 = 5;
export const MOVE: u32 = 6;
export const SETTLE: u32 = 7;
export const WALK: u32 = 8;

/** Looks before a thread goes to sleep: some tens of microseconds, about as long as the main thread works alone. */
const SPINS: u32 = 20000;
const SLEEP: i64 = 20_000_000;

function perform(kind: u32, task: u32): void {
  if (kind == SHARES) fillShares(task);
  else if (kind == LARGEST) findLargest(task);
  else if (kind == GRADIENTS) {
    fillGradients(task);
    findRange(task);
  } else if (kind == ROUND) roundRows(task);
  else if (kind == CUTS) findCuts(task);
  else if (kind == COUNT) countLeft(task);
  else if (kind == MOVE) moveRows(task);
  else if (kind == SETTLE) settleLeaf(task);
  else walkRows(task);
}

// @ts-ignore: decorator
@inline
function at(offset: usize): usize {
  return changetype<usize>(run) + offset;
}

/** Does tasks of the phase that is open. A claim holds only while the phase does: its number is in the cell. */
function claim(): void {
  const cell = at(offsetof<Run>('cell'));
  for (;;) {
    const seen = atomic.load<u64>(cell);
    const task = <u32>(seen & 0xfffff);
    if (task >= <u32>((seen >> 20) & 0xfffff)) return;
    const kind = run.kind;
    if (atomic.cmpxchg<u64>(cell, seen, seen + 1) != seen) continue;
    perform(kind, task);
    atomic.add<u32>(at(offsetof<Run>('done')), 1);
  }
}

/** Runs a phase to its end, on the main thread and whatever helpers are there. */
export function phase(kind: u32, tasks: u32): void {
  if (tasks == 0) return;
  if (tasks == 1) {
    perform(kind, 0);
    return;
  }
  run.kind = kind;
  atomic.store<u32>(at(offsetof<Run>('done')), 0);
  const epoch = run.epoch + 1;
  atomic.store<u64>(at(offsetof<Run>('cell')), (<u64>epoch << 40) | (<u64>tasks << 20));
  atomic.store<u32>(at(offsetof<Run>('epoch')), epoch);
  if (atomic.load<u32>(at(offsetof<Run>('sleepers'))) > 0) atomic.notify(at(offsetof<Run>('epoch')), -1);
  claim();
  let spins: u32 = 0;
  for (;;) {
    const done = atomic.load<u32>(at(offsetof<Run>('done')));
    if (done == tasks) return;
    if (++spins > SPINS) atomic.wait<i32>(at(offsetof<Run>('done')), <i32>done, 50_000);
  }
}

/** A helper's life: it takes part in every phase until the run stops. */
export function help(address: usize, number: u32): void {
  enter(address, number);
  const sleepers = at(offsetof<Run>('sleepers'));
  while (!atomic.load<u32>(at(offsetof<Run>('stop')))) {
    const epoch = atomic.load<u32>(at(offsetof<Run>('epoch')));
    claim();
    let spins: u32 = 0;
    while (spins < SPINS && atomic.load<u32>(at(offsetof<Run>('epoch'))) == epoch) spins++;
    if (spins < SPINS) continue;
    atomic.add<u32>(sleepers, 1);
    atomic.wait<i32>(at(offsetof<Run>('epoch')), <i32>epoch, SLEEP);
    atomic.sub<u32>(sleepers, 1);
  }
}
