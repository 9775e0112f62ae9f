/** What a run's model says of its train rows, each by those of its parts that have not seen it: what calibration and intervals stand on. */
import { modelKeys } from '../../keys.ts';
import type { ObjectStore } from '../../object-store.ts';

export interface OutOfFold {
  /** All train rows. */
  rows: number;
  /** Classes, or 1 of a regression. */
  outputs: number;
  /** float32 [rows × outputs], row-major: probabilities or values; NaN in rows of which no part of the model is ignorant. */
  values: Float32Array;
}

/** @returns undefined where the run has kept none: a grid's, or one whose time was over too early */
export async function readOutOfFold(models: ObjectStore, run: string, outputs: number): Promise<OutOfFold | undefined> {
  const body = (await models.get(modelKeys.outOfFold(run)))?.body;
  if (!body) return undefined;
  // A copy: four bytes are to begin at a multiple of four.
  const values = new Float32Array(new Uint8Array(body).buffer);
  return { rows: values.length / outputs, outputs, values };
}

/** @param places the train rows that `answers`, [places × outputs], are of. @returns the values */
export async function writeOutOfFold(
  models: ObjectStore,
  run: string,
  { rows, outputs }: Pick<OutOfFold, 'rows' | 'outputs'>,
  places: Int32Array,
  answers: Float32Array,
): Promise<Float32Array> {
  const values = new Float32Array(rows * outputs).fill(Number.NaN);
  places.forEach((row, i) => {
    values.set(answers.subarray(i * outputs, (i + 1) * outputs), row * outputs);
  });
  await models.put(modelKeys.outOfFold(run), new Uint8Array(values.buffer), { contentType: 'application/octet-stream' });
  return values;
}
