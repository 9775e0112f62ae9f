/** Missing values: numbers become the median of the train rows, and a 0/1 feature can say that they were missing. */
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/** In place. */
export function impute(values: Float32Array, median: number): void {
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) values[i] = median;
}

/** 1 where the value is missing. */
export function indicate(values: Float32Array, into: Float32Array): void {
  for (let i = 0; i < values.length; i++) into[i] = Number.isNaN(values[i]) ? 1 : 0;
}

/**
 * @param x float32 [N, medians.length]
 * @returns x without NaN
 */
export function imputeToOnnx(graph: GraphBuilder, x: string, medians: readonly number[]): string {
  return graph.node('Where', [graph.node('IsNaN', [x]), graph.floats(medians), x]);
}
