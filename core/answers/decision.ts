/**
 * From probabilities to a label: the class of the largest weight × probability. Of two classes that is a threshold: the second class from
 * weight_0 / (weight_0 + weight_1) on.
 */
import { argmax } from '../search/metrics.ts';

/** float32 [classes]. */
export type Decision = number[];

/** The class that each row gets; the first of equals, as ONNX's ArgMax. */
export function decide(probabilities: Float32Array, classes: number, decision: Decision | undefined): Int32Array {
  if (!decision) return argmax(probabilities, classes);
  return argmax(
    probabilities.map((p, i) => p * decision[i % classes]!),
    classes,
  );
}
