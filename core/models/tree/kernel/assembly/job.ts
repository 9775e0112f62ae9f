/**
 * A job: one training set in shared memory, written by JavaScript (tree-job.ts lists the same fields in the same order) and read by
 * every thread. A thread's own memory is its arena, laid out here.
 */
@unmanaged
export class Job {
  /** Columns of the data, rows to train on, and those plus the rows to predict (which lie behind them). */
  features: u32;
  rows: u32;
  allRows: u32;
  /** uint8 [allRows × features], row-major: for small nodes, whose rows are far apart. */
  bins: u32;
  /** uint8 [features × rows], the same by columns: for large nodes, which read all of a column. */
  columnBins: u32;
  /** float32 [features × 256]: ascending upper edges of the bins, +Infinity behind the last. */
  edges: u32;
  /** float32 columns of this batch, [columns × allRows], the number of the first, and how many. */
  raw: u32;
  firstColumn: u32;
  columns: u32;
  /** int32 [rows]: the target in fixed point where outputs is 1, else the class. */
  target: u32;
  /** Numbers that a leaf holds: 1 (a mean) or the number of classes (their shares). */
  outputs: u32;
  /** A leaf's value is rounded to `bits` bits; a target in fixed point has 30. */
  bits: u32;
  seed: u32;
  bootstrap: u32;
  maxFeatures: u32;
  maxDepth: u32;
  minSamplesSplit: u32;
  minSamplesLeaf: u32;
  /** Cuts to predict by: uint32 lists of tree counts and depths, ascending, and of split sizes, descending. */
  counts: u32;
  countsLength: u32;
  depths: u32;
  depthsLength: u32;
  splits: u32;
  splitsLength: u32;
  /** 0: the best cut of each feature; 1: a random one (extremely randomised trees). */
  splitter: u32;
}

/** A node to grow: rows [low, high) of the arena, and where its number is to be noted (a right child's parent, else 0). */
@unmanaged
export class Frame {
  low: u32;
  high: u32;
  depth: u32;
  /** Hash of seed, tree and path: all the randomness at this node. */
  hash: u32;
  parent: u32;
  weight: u32;
  sum: i64;
}

export const BINS: u32 = 256;

export let job: Job = changetype<Job>(0);

/** Rows of the tree: uint32 row numbers and 16 bytes each of what histograms add up; the same again as partition's buffer. */
export let rowNumbers: usize = 0;
export let payloads: usize = 0;
export let spareRowNumbers: usize = 0;
export let sparePayloads: usize = 0;
/** uint8 [rows]: how often the bootstrap drew the row. */
export let draws: usize = 0;
/** Histograms, and a bit for every bin that has rows (four words a histogram). */
export let histograms: usize = 0;
export let occupied: usize = 0;
/** uint32 [features]: the features in drawing order, and the swaps to undo. */
export let featureOrder: usize = 0;
export let swaps: usize = 0;
/** Frames still to grow. */
export let stack: usize = 0;
/** uint64 [outputs × 3]: class counts of the node, of its left side, and remainders. */
export let tallies: usize = 0;
/**
 * The tree, in preorder: a left child is the next node. uint32 split = feature << 8 | bin, or LEAF; the right child; the rows.
 * Values, int32 [outputs] each, are those of all nodes where the tree is to be cut, else those of the leaves alone.
 */
export let nodeSplits: usize = 0;
export let nodeRights: usize = 0;
export let nodeSamples: usize = 0;
export let nodeValues: usize = 0;
/** uint32 [depth]: nodes on a row's path. */
export let path: usize = 0;
/** int32 [counts × rows to predict × depths × splits × outputs]: sums of leaf values. */
export let sums: usize = 0;

let sumsBytes: usize = 0;
let end: usize = 0;

function take(count: usize, size: usize): usize {
  const start = end;
  end = (start + count * size + 63) & ~63;
  return start;
}

/** Nodes of a larger share of the rows read bins by columns: a line of the cache then holds several of their rows. */
const DENSE: u64 = 16;

/** Where row 0 of a node's feature 0 has its bin, and how far it is to the next row and to the next feature. */
export let binsAt: usize = 0;
export let rowStep: usize = 0;
export let featureStep: usize = 0;

/** Chooses the bins to read a node of that many rows by. */
export function chooseBins(rows: u32): void {
  const dense = <u64>rows * DENSE > job.rows;
  binsAt = dense ? job.columnBins : job.bins;
  rowStep = dense ? 1 : job.features;
  featureStep = dense ? job.rows : 1;
}

export function hasCuts(): bool {
  return job.countsLength > 0;
}

/** Bytes of one histogram: of sums, or of counts by class with the rows before them. */
export function histogramBytes(): usize {
  return job.outputs == 1 ? BINS * 16 : BINS * (job.outputs + 1) * 4;
}

/** Lays this thread's arena out. @returns its end */
export function layout(jobAddress: usize, arena: usize): usize {
  job = changetype<Job>(jobAddress);
  end = arena;
  const rows = <usize>job.rows;
  const all = <usize>job.allRows;
  // Sorting a column for its edges takes the payloads' place: two uint32 a row.
  rowNumbers = take(all, 4);
  payloads = take(all, 16);
  spareRowNumbers = take(rows, 4);
  sparePayloads = take(rows, 16);
  draws = take(rows, 1);
  const bytes = 4 * histogramBytes();
  histograms = take(bytes > 32768 ? bytes : 32768, 1);
  occupied = take(4, 32);
  featureOrder = take(job.features, 4);
  swaps = take(job.features, 4);
  stack = take(rows + 1, offsetof<Frame>());
  tallies = take(3 * job.outputs, 8);
  nodeSplits = take(2 * rows, 4);
  nodeRights = take(2 * rows, 4);
  nodeSamples = take(2 * rows, 4);
  nodeValues = take((hasCuts() ? 2 : 1) * rows * job.outputs, 4);
  path = take(rows + 1, 4);
  sumsBytes = (<usize>job.countsLength * (all - rows) * job.depthsLength * job.splitsLength * job.outputs) << 2;
  sums = take(sumsBytes, 1);
  return end;
}

/** Readies an arena for growing. */
export function begin(): void {
  for (let f: u32 = 0; f < job.features; f++) store<u32>(featureOrder + (f << 2), f);
  // Sorting has used it, and growing expects it empty and leaves it so.
  memory.fill(histograms, 0, 4 * histogramBytes());
  memory.fill(occupied, 0, 128);
  memory.fill(sums, 0, sumsBytes);
}
