/** What a thread does, be it the main one or a worker: claim tasks of a phase until there are none left. */
import type { Kernel, SharedMemory } from './memory.ts';

/** Rows that are binned at a time: their bins fit in the cache for some hundred columns. */
export const binBlock = 2048;
/** The claims cell: the phase's number in the high bits, the next task in the low ones. */
const taskBits = 20;
export const maxTasks = 2 ** taskBits - 1;

export interface Phase {
  /** Counts up within a job: a thread that comes late for a phase finds another number and takes nothing. */
  number: number;
  kind: 'edges' | 'bins' | 'grow' | 'cuts';
  tasks: number;
  /** The number of the first task's tree. */
  first: number;
  rows: number;
  outputs: number;
  /** Where arenas begin, and bytes of each. */
  arenas: number;
  arenaBytes: number;
}

/** A tree in preorder: a left child is the node after its parent. */
export interface GrownTree {
  tree: number;
  /** feature << 8 | bin, or `leaf`. */
  splits: Uint32Array;
  /** The right child of each split. */
  rights: Uint32Array;
  /** int32 [leaves × outputs], leaves in the order of their nodes. */
  values: Int32Array;
}

export const leaf = 0xffff_ffff;

export function open(claims: Int32Array, phase: number): void {
  Atomics.store(claims, 0, phase << taskBits);
}

function claim(claims: Int32Array, { number, tasks }: Phase): number | undefined {
  for (;;) {
    const cell = Atomics.load(claims, 0);
    const task = cell & maxTasks;
    if (cell >>> taskBits !== number || task >= tasks) return undefined;
    if (Atomics.compareExchange(claims, 0, cell, cell + 1) === cell) return task;
  }
}

/** Does tasks one by one; yields after each, with the tree where it grew one to keep. */
export function* work(shared: SharedMemory, kernel: Kernel, phase: Phase, thread: number): Generator<GrownTree | undefined> {
  let begun = false;
  for (let task = claim(shared.claims, phase); task !== undefined; task = claim(shared.claims, phase)) {
    if (!begun) {
      shared.enter(kernel, phase.arenas + thread * phase.arenaBytes);
      if (phase.kind === 'grow' || phase.kind === 'cuts') kernel.begin();
      begun = true;
    }
    yield perform(shared, kernel, phase, task);
  }
}

function perform(shared: SharedMemory, kernel: Kernel, phase: Phase, task: number): GrownTree | undefined {
  if (phase.kind === 'edges') kernel.findEdges(task);
  else if (phase.kind === 'bins') kernel.fillBins(task * binBlock, Math.min((task + 1) * binBlock, phase.rows));
  else {
    const tree = phase.first + task;
    const nodes = kernel.growTree(tree);
    if (phase.kind === 'cuts') kernel.addPredictions(tree);
    else
      return {
        tree,
        splits: shared.uint32s(kernel.nodeSplits.value >>> 0, nodes).slice(),
        rights: shared.uint32s(kernel.nodeRights.value >>> 0, nodes).slice(),
        values: shared.int32s(kernel.nodeValues.value >>> 0, ((nodes + 1) / 2) * phase.outputs).slice(),
      };
  }
  return undefined;
}
