/** Grows a tree leaf-wise: the leaf whose best split gains most is split next (Shi 2007; LightGBM, Ke et al. 2017). */
import { COUNT, CUTS, MOVE, phase } from './phases';
import { sumCounts } from './partition';
import { chunks, foundAt, leafAt, Leaf, nodeAt, NONE, run } from './run';

/** @returns the number of leaves; nodes are twice as many less one */
export function growTree(): u32 {
  const rows = run.used;
  begin(leafAt(0), 0, rows, 0, 0, 0, 0);
  run.smaller = 0;
  run.larger = NONE;
  run.leafCount = 1;
  run.low = 0;
  run.high = rows;
  look();
  while (run.leafCount < run.maxLeaves) {
    let best: u32 = NONE;
    for (let i: u32 = 0; i < run.leafCount; i++)
      if (leafAt(i).gain > 0 && (best == NONE || leafAt(i).gain > leafAt(best).gain)) best = i;
    if (best == NONE) break;
    split(best);
  }
  for (let i: u32 = 0; i < run.leafCount; i++) {
    const node = nodeAt(leafAt(i).node);
    node.feature = NONE;
    node.child = i;
  }
  return run.leafCount;
}

function begin(leaf: Leaf, low: u32, high: u32, depth: u32, node: u32, sum: i64, histogram: u32): void {
  leaf.low = low;
  leaf.high = high;
  leaf.depth = depth;
  leaf.node = node;
  leaf.sum = sum;
  leaf.histogram = histogram;
  leaf.gain = 0;
}

/** Finds the best splits of the one or two leaves; [low, high) are the rows of the smaller. */
function look(): void {
  phase(CUTS, (run.features + run.group - 1) / run.group);
  choose(run.smaller);
  if (run.larger != NONE) choose(run.larger);
}

/** The best of what was found for each feature, the first of equal ones. */
function choose(index: u32): void {
  const leaf = leafAt(index);
  leaf.gain = 0;
  for (let feature: u32 = 0; feature < run.features; feature++) {
    const found = foundAt(index, feature);
    if (found.gain <= leaf.gain) continue;
    leaf.gain = found.gain;
    leaf.feature = feature;
    leaf.bin = found.bin;
    leaf.missingLeft = found.missingLeft;
    leaf.leftSum = found.leftSum;
  }
}

function split(index: u32): void {
  const leaf = leafAt(index);
  run.low = leaf.low;
  run.high = leaf.high;
  run.feature = leaf.feature;
  run.bin = leaf.bin;
  run.missingLeft = leaf.missingLeft;
  const tasks = chunks(leaf.high - leaf.low);
  phase(COUNT, tasks);
  const middle = leaf.low + sumCounts(tasks);
  run.middle = middle;
  phase(MOVE, tasks);

  const next = run.leafCount++;
  const parent = nodeAt(leaf.node);
  const child = 2 * next - 1;
  parent.feature = leaf.feature;
  parent.bin = leaf.bin;
  parent.missingLeft = leaf.missingLeft;
  parent.child = child;
  const right = leafAt(next);
  const leftSum = leaf.leftSum;
  const parentHistogram = leaf.histogram;
  const rightIsSmaller = leaf.high - middle < middle - leaf.low;
  // The parent's histogram becomes the larger child's.
  begin(right, middle, leaf.high, leaf.depth + 1, child + 1, leaf.sum - leftSum, rightIsSmaller ? next : parentHistogram);
  begin(leaf, leaf.low, middle, leaf.depth + 1, child, leftSum, rightIsSmaller ? parentHistogram : next);
  run.smaller = rightIsSmaller ? next : index;
  run.larger = rightIsSmaller ? index : next;
  const smaller = leafAt(run.smaller);
  run.low = smaller.low;
  run.high = smaller.high;
  if (run.leafCount < run.maxLeaves) look();
}
