/**
 * How well one column alone tells the target. A row is never judged by itself: it is predicted from the other rows of its value, or, where a number
 * has many values, from its neighbours in the column's order. That finds any dependence, not just a rising one, and costs a sort.
 */
import { mix32 } from '../../random.ts';
import { codesOf, type Sampled } from './sample.ts';

/** Neighbours on each side. More would blur the places where the target jumps. */
const reach = 3;
/** The rows of one value are enough of each other's company from this many on. */
const ownCompany = 10;
/** Classes of fewer rows say nothing. */
const fewestOfClass = 10;

/** The rows in whose company each row is: those at the places from … to in `order`, itself among them. */
function neighbourhoods({ values, isNumber }: Sampled): { order: Int32Array; from: Int32Array; to: Int32Array } {
  const { codes, distinct } = codesOf(values);
  const counts = new Int32Array(distinct);
  for (const code of codes) if (code >= 0) counts[code]!++;
  // Where it is missing, too, is a value; single numbers are ordered among each other.
  const single = distinct;
  const groups = codes.map((code) => (isNumber && code >= 0 && counts[code]! < ownCompany ? single : code));
  const keys = isNumber ? values : Float64Array.from(codes);
  const order = Int32Array.from(values.keys()).sort((a, b) => {
    const isMissing = Number(codes[a] === -1) - Number(codes[b] === -1);
    return isMissing || keys[a]! - keys[b]! || mix32(1, a) - mix32(1, b);
  });
  const from = new Int32Array(order.length);
  const to = new Int32Array(order.length);
  for (let start = 0; start < order.length; ) {
    const group = groups[order[start]!]!;
    let end = start + 1;
    while (end < order.length && groups[order[end]!] === group) end++;
    for (let place = start; place < end; place++) {
      from[place] = group === single ? Math.max(start, place - reach) : start;
      to[place] = group === single ? Math.min(end, place + reach + 1) : end;
    }
    start = end;
  }
  return { order, from, to };
}

/**
 * @param labels class of each row; -1 is none
 * @returns balanced accuracy, over the classes of ten rows or more; of votes by number, or by number over the classes' frequency, whichever is better
 */
export function balancedAccuracy(column: Sampled, labels: Int32Array, classes: number): number {
  const { order, from, to } = neighbourhoods(column);
  const size = new Int32Array(classes);
  for (const label of labels) if (label >= 0) size[label]!++;
  const plain = new Int32Array(classes);
  const weighed = new Int32Array(classes);
  const votes = new Int32Array(classes);
  let [low, high] = [0, 0];
  for (let place = 0; place < order.length; place++) {
    // The window only moves up: what leaves it and what enters it is all that changes.
    for (; high < to[place]!; high++) count(labels[order[high]!]!, 1);
    for (; low < from[place]!; low++) count(labels[order[low]!]!, -1);
    const own = labels[order[place]!]!;
    if (own < 0) continue;
    votes[own]!--;
    let [most, heaviest] = [-1, -1];
    for (let label = 0; label < classes; label++) {
      if (votes[label]! === 0) continue;
      if (most < 0 || votes[label]! > votes[most]!) most = label;
      if (heaviest < 0 || votes[label]! * size[heaviest]! > votes[heaviest]! * size[label]!) heaviest = label;
    }
    votes[own]!++;
    if (most === own) plain[own]!++;
    if (heaviest === own) weighed[own]!++;
  }
  const counted = [...size.keys()].filter((label) => size[label]! >= fewestOfClass);
  const mean = (right: Int32Array) => counted.reduce((sum, label) => sum + right[label]! / size[label]!, 0) / Math.max(1, counted.length);
  return Math.max(mean(plain), mean(weighed));

  function count(label: number, by: number): void {
    if (label >= 0) votes[label]! += by;
  }
}

/** @param target of each row; NaN is none @returns the share of the target's variance that is told, at least 0 */
export function explained(column: Sampled, target: Float64Array): number {
  const { order, from, to } = neighbourhoods(column);
  const known = target.filter((value) => !Number.isNaN(value));
  const mean = known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length);
  let [low, high, sum, number, off, variance] = [0, 0, 0, 0, 0, 0];
  for (let place = 0; place < order.length; place++) {
    for (; high < to[place]!; high++) count(target[order[high]!]!, 1);
    for (; low < from[place]!; low++) count(target[order[low]!]!, -1);
    const own = target[order[place]!]!;
    if (Number.isNaN(own)) continue;
    off += (number > 1 ? (sum - own) / (number - 1) - own : mean - own) ** 2;
    variance += (mean - own) ** 2;
  }
  return variance === 0 ? 0 : Math.max(0, 1 - off / variance);

  function count(value: number, by: number): void {
    if (Number.isNaN(value)) return;
    sum += by * value;
    number += by;
  }
}
