/**
 * From the sums of leaves to the answer, in our own float64 and in ONNX: the same operations, so the same bits.
 *
 * A leaf is a whole number of units of 2^-22, at most 2^25 of them. As float32 sums hold 24 bits and a sum of 4000 leaves has 37, a leaf
 * is written in two parts to two targets: `high`, whole multiples of 2^bits, and `low`, what is left, between ± 2^(bits - 1). Every partial
 * sum of either is a whole number below 2^24, whatever the order. Put together in float64 they are the sum itself.
 */
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { roundEven } from '../exact/affine.ts';
import { softmax, softmaxToOnnx } from '../exact/softmax.ts';
import type { Predictions } from '../model.ts';
import { scoreUnit } from './run-memory.ts';

const float32 = 1;
const float64 = 11;

export interface Answer {
  task: 'classification' | 'regression';
  classes: number;
  /** Scores of a row: one for a regression or two classes, else one for each class. */
  outputs: number;
  /** Where the scores begin, in units. */
  base: number[];
  /** A regression's value is offset + scale × score; scale is a power of two. */
  offset: number;
  scale: number;
}

/** Bits of a leaf's low part: rounds × 2^(bits - 1) <= 2^24. */
export function lowBits(rounds: number): number {
  return 25 - Math.ceil(Math.log2(rounds));
}

export function splitLeaf(value: number, bits: number): { high: number; low: number } {
  const high = roundEven(value / 2 ** bits);
  return { high, low: value - high * 2 ** bits };
}

/** @param scores float64 [outputs × rows] in units, the base included */
export function answer({ task, classes, outputs, offset, scale }: Answer, scores: Float64Array): Predictions {
  const rows = scores.length / outputs;
  if (task === 'regression') return { task, values: Float32Array.from(scores, (score) => score * (scoreUnit * scale) + offset) };
  const logits = new Float64Array(rows * classes);
  for (let row = 0; row < rows; row++)
    if (outputs === 1) {
      const score = scores[row]! * scoreUnit;
      logits[row * 2] = score * 0;
      logits[row * 2 + 1] = score;
    } else for (let k = 0; k < outputs; k++) logits[row * classes + k] = scores[k * rows + row]! * scoreUnit;
  return { task, classes, probabilities: softmax(logits, classes) };
}

/** @param sums name of the float32 [N, 2 × outputs] tensor of the sums of high and low parts */
export function answerToOnnx(reading: Answer, bits: number, graph: GraphBuilder, sums: string): string {
  if (reading.task === 'classification') return softmaxToOnnx(graph, logitsToOnnx(reading, bits, graph, sums));
  const { offset, scale } = reading;
  const scaled = graph.node('Mul', [scoresToOnnx(reading, bits, graph, sums), graph.doubles([scoreUnit * scale])]);
  return graph.node('Cast', [graph.node('Add', [scaled, graph.doubles([offset])])], { to: { int: float32 } });
}

/** @returns name of the float64 tensor [N, classes] */
export function logitsToOnnx(reading: Answer, bits: number, graph: GraphBuilder, sums: string): string {
  const logits = graph.node('Mul', [scoresToOnnx(reading, bits, graph, sums), graph.doubles([scoreUnit])]);
  if (reading.outputs > 1) return logits;
  return graph.node('Concat', [graph.node('Mul', [logits, graph.doubles([0])]), logits], { axis: { int: 1 } });
}

/** @returns name of the float64 tensor [N, outputs], in units */
function scoresToOnnx({ outputs, base }: Answer, bits: number, graph: GraphBuilder, sums: string): string {
  const wide = graph.node('Cast', [sums], { to: { int: float64 } });
  const part = (from: number) =>
    graph.node('Gather', [wide, graph.int64s(Array.from({ length: outputs }, (_, k) => from + k))], { axis: { int: 1 } });
  const high = graph.node('Mul', [part(0), graph.doubles([2 ** bits])]);
  return graph.node('Add', [graph.node('Add', [high, part(outputs)]), graph.doubles(base)]);
}
