/** From the sum of a forest's leaves to its answer, in our own float32 and in ONNX: the same operations, so the same bits. */
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import type { Predictions } from '../model.ts';
import { leafScale } from '../tree/fixed-point.ts';

/** How a forest's sums are to be read. */
export interface Answer {
  task: 'classification' | 'regression';
  /** Of a classification; 0 otherwise. */
  classes: number;
  trees: number;
  bits: number;
  base: number;
  unit: number;
}

/**
 * - two classes: p1 = sum / trees, p0 = (trees - sum) / trees
 * - more: p = sum / trees for each
 * - regression: sum / trees + base
 *
 * float64 division and addition of float32 numbers, rounded to float32, are float32's own (Figueroa 1995).
 * @param sums int32 [rows × outputs], read with a stride and an offset where they lie among those of other cuts
 */
export function answer(
  { task, classes, trees, bits, base, unit }: Answer,
  sums: Int32Array,
  rows: number,
  offset = 0,
  stride?: number,
): Predictions {
  const scale = leafScale(bits, unit);
  const outputs = task === 'classification' && classes > 2 ? classes : 1;
  const step = stride ?? outputs;
  const mean = (row: number, k: number) => Math.fround((sums[offset + row * step + k]! * scale) / trees);
  if (task === 'regression') return { task, values: Float32Array.from({ length: rows }, (_, row) => mean(row, 0) + base) };
  const probabilities = new Float32Array(rows * classes);
  for (let row = 0; row < rows; row++) {
    if (outputs === 1) {
      probabilities[row * 2] = (trees - sums[offset + row * step]! * scale) / trees;
      probabilities[row * 2 + 1] = mean(row, 0);
    } else for (let k = 0; k < classes; k++) probabilities[row * classes + k] = mean(row, k);
  }
  return { task, classes, probabilities };
}

/** @param sums name of the [N, outputs] tensor of sums, already scaled */
export function answerOnnx({ task, classes, trees, base }: Answer, graph: GraphBuilder, sums: string): string {
  const count = graph.floats([trees]);
  const mean = graph.node('Div', [sums, count]);
  if (task === 'regression') return graph.node('Add', [mean, graph.floats([base])]);
  if (classes > 2) return mean;
  const other = graph.node('Div', [graph.node('Sub', [count, sums]), count]);
  return graph.node('Concat', [other, mean], { axis: { int: 1 } });
}
