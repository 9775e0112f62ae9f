/** Outliers: values beyond robust bounds are moved to the bound, for those families that want it. */
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/** The largest float32; its negative and it are the bounds of what is not clipped. */
export const largestFloat = 3.4028234663852886e38;

/** How many interquartile ranges beyond the quartiles a value may lie: Tukey's "far out" fence (Exploratory Data Analysis, 1977). */
const fence = 3;

export interface Bounds {
  low: number;
  high: number;
}

/** @param low, high the quartiles. Without spread between them there is no bound. */
export function fitClip(low: number, high: number): Bounds {
  const reach = fence * (high - low);
  if (!(reach > 0)) return { low: -largestFloat, high: largestFloat };
  return { low: toFloat(low - reach), high: toFloat(high + reach) };
}

/** The nearest float32 that is finite. */
export function toFloat(value: number): number {
  return Math.max(-largestFloat, Math.min(largestFloat, Math.fround(value)));
}

/** Infinities are clipped too; NaN stays. */
export function clipped(value: number, { low, high }: Bounds): number {
  return value < low ? low : value > high ? high : value;
}

/** In place. */
export function clip(values: Float32Array, bounds: Bounds): void {
  for (let i = 0; i < values.length; i++) values[i] = clipped(values[i]!, bounds);
}

/** @param x float32 [N, bounds.length] without NaN */
export function clipToOnnx(graph: GraphBuilder, x: string, bounds: readonly Bounds[]): string {
  const atLeast = graph.node('Max', [x, graph.floats(bounds.map(({ low }) => low))]);
  return graph.node('Min', [atLeast, graph.floats(bounds.map(({ high }) => high))]);
}
