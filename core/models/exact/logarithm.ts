/**
 * The natural logarithm by square roots, additions, multiplications and divisions of float64 alone, which IEEE 754 rounds the same way
 * everywhere: the way back of softmax.ts's exponential.
 */
import type { GraphBuilder } from '../../onnx/graph-builder.ts';

/** ln(p) = 2^11 · ln(p^(1/2^11)): from 2^-40 on the root is within 1/70 of 1, where the series below errs by less than a root's rounding. */
const roots = 11;

/** ln of a number from 2^-40 to 1, to eleven digits: ln(s) = 2 · artanh(z), z = (s − 1) / (s + 1), three terms of its series. */
export function logarithm(p: number): number {
  let root = p;
  for (let i = 0; i < roots; i++) root = Math.sqrt(root);
  const z = (root - 1) / (root + 1);
  const square = z * z;
  return z * 2 ** (roots + 1) * ((square * 0.2 + 1 / 3) * square + 1);
}

/** @param p name of a float64 tensor of numbers from 2^-40 to 1 */
export function logarithmToOnnx(graph: GraphBuilder, p: string): string {
  const one = graph.doubles([1]);
  let root = p;
  for (let i = 0; i < roots; i++) root = graph.node('Sqrt', [root]);
  const z = graph.node('Div', [graph.node('Sub', [root, one]), graph.node('Add', [root, one])]);
  const square = graph.node('Mul', [z, z]);
  const series = graph.node('Add', [graph.node('Mul', [square, graph.doubles([0.2])]), graph.doubles([1 / 3])]);
  const sum = graph.node('Add', [graph.node('Mul', [series, square]), one]);
  return graph.node('Mul', [graph.node('Mul', [z, graph.doubles([2 ** (roots + 1)])]), sum]);
}
