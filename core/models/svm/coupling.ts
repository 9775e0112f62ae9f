/**
 * From the logits of pairs of classes to probabilities (Price et al. 1995): where r is the probability of i against j,
 *
 *   pᵢ ∝ 1 / (Σⱼ 1/rᵢⱼ − (k − 2)) = 1 / (1 + Σⱼ e^logitⱼᵢ)
 *
 * in closed form, and of two classes the sigmoid itself. Terms are rounded to fixed point, so that their sums are exact in any order.
 */
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { roundEven } from '../exact/affine.ts';
import { exponential, exponentialToOnnx } from '../exact/softmax.ts';

const float32 = 1;
/** e^16 against 1 is as good as certain; with it the sum of 2^9 terms of 20 bits behind the point is exact. */
const highest = 16;
const termBits = 20;
const shareBits = 40;

/** Pairs of k classes, (0,1), (0,2) … (k−2,k−1): the logit is of the first against the second. */
export function pairsOf(classes: number): [number, number][] {
  return Array.from({ length: classes }, (_, i) =>
    Array.from({ length: classes - 1 - i }, (_, j): [number, number] => [i, i + 1 + j]),
  ).flat();
}

/**
 * @param logits float64 [rows × pairs] of the classes that are `present` @param classes all, the others have probability 0
 * @returns float32 [rows × classes]
 */
export function couple(logits: Float64Array, present: readonly number[], classes: number): Float32Array {
  const pairs = pairsOf(present.length);
  const rows = logits.length / pairs.length;
  const probabilities = new Float32Array(rows * classes);
  const sums = new Float64Array(present.length);
  const term = (logit: number) => roundEven(exponential(Math.min(logit, highest)) * 2 ** termBits);
  for (let row = 0; row < rows; row++) {
    sums.fill(2 ** termBits);
    pairs.forEach(([i, j], pair) => {
      const logit = logits[row * pairs.length + pair]!;
      sums[i]! += term(-logit);
      sums[j]! += term(logit);
    });
    const shares = sums.map((sum) => roundEven(2 ** (termBits + shareBits) / sum));
    const total = shares.reduce((a, b) => a + b);
    present.forEach((k, place) => {
      probabilities[row * classes + k] = shares[place]! / total;
    });
  }
  return probabilities;
}

/** @param logits name of the float64 [N, pairs] tensor @returns name of the float32 [N, classes] tensor */
export function coupleToOnnx(graph: GraphBuilder, logits: string, present: readonly number[], classes: number): string {
  const pairs = pairsOf(present.length);
  const both = graph.node('Concat', [graph.node('Neg', [logits]), logits], { axis: { int: 1 } });
  const powers = exponentialToOnnx(graph, graph.node('Min', [both, graph.doubles([highest])]));
  const terms = graph.node('Round', [graph.node('Mul', [powers, graph.doubles([2 ** termBits])])]);
  // Which of the terms go to which class.
  const chosen = [0, 1].flatMap((side) => pairs.flatMap((pair) => present.map((_, place) => (pair[side] === place ? 1 : 0))));
  const others = graph.node('MatMul', [terms, graph.doubles(chosen, [2 * pairs.length, present.length])]);
  const sums = graph.node('Add', [others, graph.doubles([2 ** termBits])]);
  const shares = graph.node('Round', [graph.node('Div', [graph.doubles([2 ** (termBits + shareBits)]), sums])]);
  const total = graph.node('ReduceSum', [shares, graph.int64s([1])], { keepdims: { int: 1 } });
  const own = graph.node('Cast', [graph.node('Div', [shares, total])], { to: { int: float32 } });
  if (present.length === classes) return own;
  const first = graph.node('Gather', [own, graph.int64s([0])], { axis: { int: 1 } });
  const padded = graph.node('Concat', [own, graph.node('Mul', [first, graph.floats([0])])], { axis: { int: 1 } });
  const places = Array.from({ length: classes }, (_, k) => (present.includes(k) ? present.indexOf(k) : present.length));
  return graph.node('Gather', [padded, graph.int64s(places)], { axis: { int: 1 } });
}
