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
  // A further row's truth is as likely to come before the first as between any two: the rank by which the coverage is met best.
  const rank = Math.round((ofTruth.length + 1) * (1 - coverage));
  return rank < 1 ? 0 : ofTruth[rank - 1]!;
}

/** @returns 0 or 1 [rows × classes] */
export function setsOf(probabilities: Float32Array, threshold: number): Uint8Array {
  return Uint8Array.from(probabilities, (p) => (p >= threshold ? 1 : 0));
}
