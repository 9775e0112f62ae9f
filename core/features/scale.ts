/** Standardising: mean 0 and standard deviation 1 over the train rows. */
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/** The smallest normal float32: to divide by less loses digits, or gives infinity. */
const smallestNormal = 2 ** -126;

export interface Scale {
  mean: number;
  scale: number;
}

/** Mean and population standard deviation, summed row by row in float64 in two passes; the scale is 1 where the values don't vary. */
export function fitScale(values: Float32Array): Scale {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  const exact = values.length === 0 ? 0 : sum / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i]! - exact) ** 2;
  const scale = Math.fround(Math.sqrt(squares / Math.max(1, values.length)));
  return { mean: Math.fround(exact), scale: scale >= smallestNormal && scale < Infinity ? scale : 1 };
}

/**
 * A mean of zero is subtracted as −0: then −0 and +0 both become +0, and it doesn't matter which of them a runtime's Max or Min gives
 * where the two are equal.
 */
function subtrahend(mean: number): number {
  return mean === 0 ? -0 : mean;
}

/** Rises with the value, never falls; NaN stays. Each operation is rounded to float32 (exact in float64 before: 53 ≥ 2 · 24 + 2 bits). */
export function scaled(value: number, fitted: Scale): number {
  return Math.fround(Math.fround(value - subtrahend(fitted.mean)) / fitted.scale);
}

/** In place. */
export function scale(values: Float32Array, fitted: Scale): void {
  for (let i = 0; i < values.length; i++) values[i] = scaled(values[i]!, fitted);
}

/** @param x float32 [N, fitted.length] */
export function scaleToOnnx(graph: GraphBuilder, x: string, fitted: readonly Scale[]): string {
  const centred = graph.node('Sub', [x, graph.floats(fitted.map(({ mean }) => subtrahend(mean)))]);
  return graph.node('Div', [centred, graph.floats(fitted.map((column) => column.scale))]);
}
