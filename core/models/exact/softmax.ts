/**
 * Softmax by additions, multiplications and divisions of float64 alone, which IEEE 754 rounds the same way everywhere; a library's exp
 * differs from another's in the last bit.
 */
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { roundEven } from './affine.ts';

const float32 = 1;

/** exp(-32) is 1e-14: what is below counts as that, and is 0 in the answer. */
const lowest = -32;
/** exp(t) = exp(t / 2^11)^(2^11): the argument is within 1/64 of 0, where the quotient below errs by 2e-12. */
const squarings = 11;
/** Exponentials are rounded to multiples of 2^-40, so that the sum of up to 2^13 of them is exact in any order. */
const shareBits = 40;

/**
 * e^t for t ≤ 0, to eight digits: the Padé approximant (12 + 6s + s²) / (12 − 6s + s²) of e^s, squared eleven times.
 * s = t / 2^11 is exact, as a power of two.
 */
export function exponential(t: number): number {
  const s = Math.max(t, lowest) * 2 ** -squarings;
  const even = s * s + 12;
  const odd = s * 6;
  let power = (even + odd) / (even - odd);
  for (let i = 0; i < squarings; i++) power *= power;
  return power;
}

/** @param t name of a float64 tensor of numbers ≤ 0 */
export function exponentialToOnnx(graph: GraphBuilder, t: string): string {
  const bounded = graph.node('Max', [t, graph.doubles([lowest])]);
  const s = graph.node('Mul', [bounded, graph.doubles([2 ** -squarings])]);
  const even = graph.node('Add', [graph.node('Mul', [s, s]), graph.doubles([12])]);
  const odd = graph.node('Mul', [s, graph.doubles([6])]);
  let power = graph.node('Div', [graph.node('Add', [even, odd]), graph.node('Sub', [even, odd])]);
  for (let i = 0; i < squarings; i++) power = graph.node('Mul', [power, power]);
  return power;
}

/** @param logits float64 [rows × classes] @returns float32 [rows × classes] */
export function softmax(logits: Float64Array, classes: number): Float32Array {
  const probabilities = new Float32Array(logits.length);
  const shares = new Float64Array(classes);
  for (let start = 0; start < logits.length; start += classes) {
    let top = -Infinity;
    for (let k = 0; k < classes; k++) if (logits[start + k]! > top) top = logits[start + k]!;
    let sum = 0;
    for (let k = 0; k < classes; k++) {
      shares[k] = roundEven(exponential(logits[start + k]! - top) * 2 ** shareBits);
      sum += shares[k]!;
    }
    for (let k = 0; k < classes; k++) probabilities[start + k] = shares[k]! / sum;
  }
  return probabilities;
}

/** @param logits name of the float64 [N, classes] tensor @returns name of the float32 [N, classes] tensor */
export function softmaxToOnnx(graph: GraphBuilder, logits: string): string {
  const top = graph.node('ReduceMax', [logits], { axes: { ints: [1] }, keepdims: { int: 1 } });
  const powers = exponentialToOnnx(graph, graph.node('Sub', [logits, top]));
  const shares = graph.node('Round', [graph.node('Mul', [powers, graph.doubles([2 ** shareBits])])]);
  const sum = graph.node('ReduceSum', [shares, graph.int64s([1])], { keepdims: { int: 1 } });
  return graph.node('Cast', [graph.node('Div', [shares, sum])], { to: { int: float32 } });
}
