/** Extremely randomised trees (Geurts, Ernst and Wehenkel 2006): of each feature looked at, one random cut between its least and largest bin. */
import { binsAt, featureStep, job, payloads, rowNumbers, rowStep, tallies } from './job';
import { below } from './random';
import { offer } from './split';

const ROW_SHIFT: u64 = 32;

/** Offers one cut of the feature, drawn by `hash`; none where all rows of the node share a bin, or where a side would be too small. */
export function scoreRandomCut(low: u32, high: u32, feature: u32, hash: u32, total: u64, sum: i64): void {
  const stride = rowStep;
  const bins = binsAt + feature * featureStep;
  let least: u32 = 255;
  let most: u32 = 0;
  for (let i = <usize>low; i < high; i++) {
    const bin = <u32>load<u8>(bins + load<u32>(rowNumbers + (i << 2)) * stride);
    least = min(least, bin);
    most = max(most, bin);
  }
  if (least >= most) return;
  const cut = least + below(hash, most - least);
  const classes = job.outputs > 1;
  const left = classes ? countLeft(low, high, bins, cut) : sumLeft(low, high, bins, cut);
  const right = total - left;
  if (<u32>(left >> ROW_SHIFT) < job.minSamplesLeaf || <u32>(right >> ROW_SHIFT) < job.minSamplesLeaf) return;
  const weightL = <f64>(<u32>left);
  const weightR = <f64>(<u32>right);
  let squaresL = <f64>leftSum * <f64>leftSum;
  let squaresR = <f64>(sum - leftSum) * <f64>(sum - leftSum);
  if (classes) {
    const outputs = <usize>job.outputs;
    let inLeft: i64 = 0;
    let inRight: i64 = 0;
    for (let k: usize = 0; k < outputs; k++) {
      const count = load<i64>(tallies + ((outputs + k) << 3));
      const other = load<i64>(tallies + (k << 3)) - count;
      inLeft += count * count;
      inRight += other * other;
    }
    squaresL = <f64>inLeft;
    squaresR = <f64>inRight;
  }
  offer((squaresL * weightR + squaresR * weightL) / (weightL * weightR), feature, cut, left, leftSum);
}

/** Of the left side, set by sumLeft; 0 where classes are counted. */
let leftSum: i64 = 0;

/** @returns rows << 32 | weight of the left side */
function sumLeft(low: u32, high: u32, bins: usize, cut: u32): u64 {
  const stride = rowStep;
  let left: u64 = 0;
  let sum: i64 = 0;
  for (let i = <usize>low; i < high; i++) {
    const payload = payloads + (i << 4);
    const isLeft = <i64>(<u32>load<u8>(bins + load<u32>(rowNumbers + (i << 2)) * stride) <= cut);
    left += <u64>isLeft * load<u64>(payload);
    sum += isLeft * load<i64>(payload, 8);
  }
  leftSum = sum;
  return left;
}

/** As above; the classes' weights of the left side go to tallies, behind those of the node. */
function countLeft(low: u32, high: u32, bins: usize, cut: u32): u64 {
  const stride = rowStep;
  const lefts = tallies + (<usize>job.outputs << 3);
  memory.fill(lefts, 0, <usize>job.outputs << 3);
  let left: u64 = 0;
  for (let i = <usize>low; i < high; i++) {
    const payload = payloads + (i << 4);
    const isLeft = <u64>(<u32>load<u8>(bins + load<u32>(rowNumbers + (i << 2)) * stride) <= cut);
    const here = isLeft * load<u64>(payload);
    left += here;
    const tally = lefts + (load<usize>(payload, 8) << 3);
    store<u64>(tally, load<u64>(tally) + <u64>(<u32>here));
  }
  leftSum = 0;
  return left;
}
