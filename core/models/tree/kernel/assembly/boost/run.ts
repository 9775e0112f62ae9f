/**
 * A boosting run in shared memory (boosting/run-memory.ts lists the same fields in the same order), and how threads share its work: a
 * phase is a number of tasks that whoever is there claims one by one. A helper that comes late, or never, holds nobody up.
 */
@unmanaged
export class Run {
  learningRate: f64;
  l2: f64;
  minGain: f64;
  minSumHessian: f64;
  /** The share of residuals below a quantile's prediction. */
  quantile: f64;
  /** What a unit of an exact gradient and of an exact hessian is worth: theirs lie within ± 2^30. */
  gradientUnit: f64;
  hessianUnit: f64;
  /** epoch << 40 | tasks << 20 | next task. */
  cell: u64;
  /** The epoch once more, to wait on. */
  epoch: u32;
  done: u32;
  sleepers: u32;
  stop: u32;

  features: u32;
  rows: u32;
  allRows: u32;
  bins: u32;
  columnBins: u32;
  threads: u32;
  outputs: u32;
  /** 0 logistic, 1 softmax, 2 squared error, 3 quantile. */
  objective: u32;
  maxLeaves: u32;
  maxDepth: u32;
  minSamplesLeaf: u32;
  /** Packed gradients and hessians are within ± 2^bits: the exact ones, shortened by those shifts. */
  bits: u32;
  gradientShift: u32;
  hessianShift: u32;
  stochastic: u32;
  /** Rows that a tree is grown on, and whether they are fewer than all. */
  used: u32;
  bagged: u32;
  /** uint8 [features]: which may be split in this tree. */
  allowed: u32;
  /** float64 [rows]: the class, or the target within ± 1. */
  target: u32;
  /** float64 [classes]: weights of the classes. */
  weights: u32;
  /** float64 [outputs × allRows] in units of a leaf. */
  scores: u32;
  /** float64 [outputs × rows]: probabilities, of a softmax alone. */
  shares: u32;
  /** int32 [rows × 2]: gradient and hessian. */
  exact: u32;
  /** int64 [rows]: the same rounded by those shifts, gradient << 32 + hessian. */
  packed: u32;
  /** uint32 [rows]: rows by leaf, ascending in each; and the same again to partition. */
  order: u32;
  spare: u32;
  /** int64 [maxLeaves × features × 256]. */
  histograms: u32;
  /** Features of a task, at most 16; and by thread the rows that it has gathered, 12 KB. */
  group: u32;
  blocks: u32;
  /** By task: float64 maxima, or uint32 counts of rows that go left. */
  tasks: u32;
  /** Splits found, [maxLeaves × features]. */
  found: u32;
  /** Leaves and nodes, [maxLeaves] and [2 × maxLeaves]. */
  leaves: u32;
  nodes: u32;

  /** Arguments of the phase. */
  kind: u32;
  output: u32;
  seed: u32;
  low: u32;
  high: u32;
  middle: u32;
  feature: u32;
  bin: u32;
  missingLeft: u32;
  leafCount: u32;
  /** The leaves whose splits are looked for: the smaller child has a fresh histogram, the other the parent's less that. */
  smaller: u32;
  larger: u32;
}

@unmanaged
export class Leaf {
  gain: f64;
  sum: i64;
  value: f64;
  low: u32;
  high: u32;
  depth: u32;
  node: u32;
  feature: u32;
  bin: u32;
  missingLeft: u32;
  histogram: u32;
  leftSum: i64;
}

@unmanaged
export class Found {
  gain: f64;
  leftSum: i64;
  bin: u32;
  missingLeft: u32;
}

/** A split, or a leaf where feature is NONE. */
@unmanaged
export class Node {
  feature: u32;
  bin: u32;
  missingLeft: u32;
  /** The left child (the right one is the next), or the number of the leaf. */
  child: u32;
}

export const NONE: u32 = 0xffffffff;
export const BINS: usize = 256;
/** Rows of a task. */
export const CHUNK: u32 = 4096;

export let run: Run = changetype<Run>(0);
export let thread: u32 = 0;

export function enter(address: usize, number: u32): void {
  run = changetype<Run>(address);
  thread = number;
}

// @ts-ignore: decorator
@inline
export function leafAt(index: u32): Leaf {
  return changetype<Leaf>(<usize>run.leaves + <usize>index * offsetof<Leaf>());
}

// @ts-ignore: decorator
@inline
export function nodeAt(index: u32): Node {
  return changetype<Node>(<usize>run.nodes + <usize>index * offsetof<Node>());
}

// @ts-ignore: decorator
@inline
export function foundAt(leaf: u32, feature: u32): Found {
  return changetype<Found>(<usize>run.found + (<usize>leaf * run.features + feature) * offsetof<Found>());
}

// @ts-ignore: decorator
@inline
export function histogramOf(leaf: u32): usize {
  return <usize>run.histograms + (<usize>leafAt(leaf).histogram * run.features * BINS << 3);
}

export function chunks(rows: u32): u32 {
  return (rows + CHUNK - 1) / CHUNK;
}
