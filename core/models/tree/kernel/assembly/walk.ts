/**
 * Predicts by every cut of the tree in the arena at once. A tree cut at depth d or at nodes of fewer than s rows is the tree grown with
 * that maxDepth and minSamplesSplit, so a row's path through the full tree passes all the leaves it would end in.
 */
import { LEAF } from './grow';
import { job, nodeRights, nodeSamples, nodeSplits, nodeValues, path, sums } from './job';

export function addPredictions(tree: u32): void {
  const outputs = <usize>job.outputs;
  const rows = job.allRows - job.rows;
  const rowSums = <usize>job.depthsLength * job.splitsLength * outputs;
  // The sums are kept apart for the trees before the first count, between the first and the second, and so on.
  let bucket: usize = 0;
  while (tree >= load<u32>(<usize>job.counts + (bucket << 2))) bucket++;
  let sum = sums + bucket * rows * rowSums * 4;
  for (let i: u32 = 0; i < rows; i++) {
    const leaf = walk(<usize>job.bins + <usize>(job.rows + i) * job.features);
    let split: u32 = 0;
    for (let s: u32 = 0; s < job.splitsLength; s++) {
      const size = load<u32>(<usize>job.splits + (s << 2));
      while (split < leaf && load<u32>(nodeSamples + (<usize>load<u32>(path + (<usize>split << 2)) << 2)) >= size) split++;
      for (let d: u32 = 0; d < job.depthsLength; d++) {
        const at = min<u32>(split, load<u32>(<usize>job.depths + (d << 2)));
        const values = nodeValues + (<usize>load<u32>(path + (<usize>at << 2)) * outputs << 2);
        for (let k: usize = 0; k < outputs; k++) {
          store<i32>(sum, load<i32>(sum) + load<i32>(values + (k << 2)));
          sum += 4;
        }
      }
    }
  }
}

/** Notes the nodes of a row's path. @returns the depth of its leaf */
// @ts-ignore: decorator
@inline
function walk(row: usize): u32 {
  let node: u32 = 0;
  let depth: u32 = 0;
  store<u32>(path, 0);
  for (let split = load<u32>(nodeSplits); split != LEAF; split = load<u32>(nodeSplits + (<usize>node << 2))) {
    node = <u32>load<u8>(row + (split >> 8)) <= (split & 255) ? node + 1 : load<u32>(nodeRights + (<usize>node << 2));
    depth++;
    store<u32>(path + (<usize>depth << 2), node);
  }
  return depth;
}
