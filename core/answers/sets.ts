/**
 * Conformal prediction sets (Sadinle, Lei and Wasserman 2019): all classes whose probability reaches a threshold, which is chosen so that the
 * true class is among them as often as was asked. No randomness, and the smallest sets on average of all that cover as much.
 *
 * Where labels are right more often than the coverage asked for, some sets are empty: on those rows even the likeliest class is less likely
 * than the true class of nearly every row, and the label is a guess.
 */

/**
 * @param probabilities of rows that the model was not fitted on [rows × classes]
 * @returns float32; 0 (every class) where there are too few rows to say more
 */
export function fitSetThreshold(probabilities: Float32Array, labels: Int32Array, classes: number, coverage: number): number {
  const ofTruth = Float32Array.from(labels, (k, row) => probabilities[row * classes + k]!).sort();
  const rank = ofTruth.length + 1 - Math.ceil((ofTruth.length + 1) * coverage - rounding);
  return rank < 1 ? 0 : ofTruth[rank - 1]!;
}

/** 0.9 × 10 is not to be rounded up to 10. */
const rounding = 1e-9;

/** @returns 0 or 1 [rows × classes] */
export function setsOf(probabilities: Float32Array, threshold: number): Uint8Array {
  return Uint8Array.from(probabilities, (p) => (p >= threshold ? 1 : 0));
}
