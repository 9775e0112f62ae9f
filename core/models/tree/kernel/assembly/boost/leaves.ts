/** What a leaf answers, and how the rows' scores follow. */
import { CHUNK, leafAt, NONE, nodeAt, run } from './run';
import { SCORE_UNIT } from './gradients';

/** A step is bounded, so that 4096 of them stay within 37 bits of units (boosting/answer.ts). */
const LARGEST_STEP: f64 = 8;

/** Renews a leaf's value from the exact gradients (a sum of integers, so in any order), and adds it to its rows' scores. */
export function settleLeaf(index: u32): void {
  const leaf = leafAt(index);
  const first = <usize>run.order + (<usize>leaf.low << 2);
  const last = <usize>run.order + (<usize>leaf.high << 2);
  if (run.objective != 3) {
    let g: i64 = 0;
    let h: i64 = 0;
    for (let i = first; i < last; i += 4) {
      const exact = <usize>run.exact + (<usize>load<u32>(i) << 3);
      g += load<i32>(exact);
      h += load<i32>(exact, 4);
    }
    const weight = <f64>h * run.hessianUnit + run.l2;
    leaf.value = units(weight > 0 ? -(<f64>g * run.gradientUnit) / weight : 0);
  }
  // With a bag, rows outside it walk, and so do all.
  if (run.bagged) return;
  const scores = <usize>run.scores + (<usize>run.output * run.allRows << 3);
  for (let i = first; i < last; i += 4) {
    const score = scores + (<usize>load<u32>(i) << 3);
    store<f64>(score, load<f64>(score) + leaf.value);
  }
}

/** A step as a whole number of a leaf's units. */
export function units(step: f64): f64 {
  return nearest(max(-LARGEST_STEP, min(LARGEST_STEP, step * run.learningRate)) / SCORE_UNIT);
}

/** Adds the tree's answer to the scores of a chunk of the rows from `low` on, by walking the tree. */
export function walkRows(task: u32): void {
  const low = <usize>(run.low + task * CHUNK);
  const high = <usize>min(run.high, run.low + (task + 1) * CHUNK);
  const scores = <usize>run.scores + (<usize>run.output * run.allRows << 3);
  for (let row = low; row < high; row++) {
    const bins = <usize>run.bins + row * run.features;
    let node = nodeAt(0);
    while (node.feature != NONE) {
      const bin = <u32>load<u8>(bins + node.feature);
      const left = bin == 255 ? node.missingLeft : <u32>(bin <= node.bin);
      node = nodeAt(node.child + 1 - left);
    }
    const score = scores + (row << 3);
    store<f64>(score, load<f64>(score) + leafAt(node.child).value);
  }
}
