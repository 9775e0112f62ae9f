/**
 * Probabilities made honest: p'_k ∝ exp(scale_k · ln(max(p_k, floor)) + bias_k). Of one scale that is temperature scaling (Guo et al. 2017),
 * of one scale and biases Platt's method (1999) and its form for more classes (Alexandari et al. 2020), of a scale a class vector scaling.
 * Classes may also go by curves of their own, which isotonic.ts has.
 */
import { logarithm, logarithmToOnnx } from '../models/exact/logarithm.ts';
import { softmax, softmaxToOnnx } from '../models/exact/softmax.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { calibrateIsotonic, type Isotonic, isotonicToOnnx } from './isotonic.ts';

const float64 = 11;

/** From the fewest numbers to the most. */
export const calibrationKinds = ['temperature', 'temperatureAndBias', 'vector', 'isotonic'] as const;
export type CalibrationKind = (typeof calibrationKinds)[number];

export interface Scaling {
  kind: Exclude<CalibrationKind, 'isotonic'>;
  /** At least 2^-40. */
  floor: number;
  /** By class. */
  scales: number[];
  biases: number[];
}

export type Calibration = Scaling | Isotonic;

/** @param probabilities float32 [rows × classes] @returns as many calibrated ones, to the bit those of the graph */
export function calibrate(calibration: Calibration, probabilities: Float32Array): Float32Array {
  if (calibration.kind === 'isotonic') return calibrateIsotonic(calibration, probabilities);
  const { floor, scales, biases } = calibration;
  const classes = scales.length;
  const logits = new Float64Array(probabilities.length);
  for (let i = 0; i < logits.length; i++) {
    const p = probabilities[i]!;
    logits[i] = logarithm(Math.max(p, floor)) * scales[i % classes]! + biases[i % classes]!;
  }
  return softmax(logits, classes);
}

/** @param probabilities name of the float32 [N, classes] tensor @returns name of the calibrated one */
export function calibrationToOnnx(calibration: Calibration, graph: GraphBuilder, probabilities: string): string {
  if (calibration.kind === 'isotonic') return isotonicToOnnx(calibration, graph, probabilities);
  const { floor, scales, biases } = calibration;
  const wide = graph.node('Cast', [probabilities], { to: { int: float64 } });
  const logs = logarithmToOnnx(graph, graph.node('Max', [wide, graph.doubles([floor])]));
  const scaled = graph.node('Mul', [logs, graph.doubles(scales)]);
  return softmaxToOnnx(graph, graph.node('Add', [scaled, graph.doubles(biases)]));
}
