/** Stacking (Wolpert 1992): a linear model on what the members say of rows that they have not seen. */
import { takeTarget } from '../../features/split.ts';
import { secondFeatures } from '../../models/ensemble/ensemble-model.ts';
import { linear } from '../../models/linear/linear.ts';
import type { LinearModel } from '../../models/linear/linear-model.ts';
import type { Params, Target } from '../../models/model.ts';
import { takeMatrix } from '../../models/take-matrix.ts';

/** Enough penalty to share the weight among members that say nearly the same. */
const params: Params = { penalty: 'l2', alpha: 0.001 };
/** Answers of members, as columns, above which a second layer is not tried. */
export const mostColumns = 100;
/** Rows below which its weights are chance. */
export const leastRows = 500;

export async function fitSecond(answers: readonly Float32Array[], y: Target, seed: number): Promise<LinearModel> {
  const rows = y.task === 'classification' ? y.labels.length : y.values.length;
  return (await linear.fit(secondFeatures(answers, rows), y, params, { seed, workers: 1 })) as LinearModel;
}

/** What second layers, each fitted without a fold, say of the fold's rows. @param foldOf by row */
export async function crossFit(answers: readonly Float32Array[], y: Target, foldOf: Int32Array, seed: number): Promise<Float32Array> {
  const rows = foldOf.length;
  const x = secondFeatures(answers, rows);
  const width = x.columns / answers.length;
  const all = new Float32Array(rows * width);
  for (const fold of new Set(foldOf)) {
    const [train, valid] = [places(foldOf, (other) => other !== fold), places(foldOf, (own) => own === fold)];
    const model = await linear.fit(takeMatrix(x, train), takeTarget(y, train), params, { seed, workers: 1 });
    const said = await model.predict(takeMatrix(x, valid));
    const numbers = said.task === 'classification' ? said.probabilities : said.values;
    valid.forEach((row, i) => {
      all.set(numbers.subarray(i * width, (i + 1) * width), row * width);
    });
  }
  return all;
}

export function places(foldOf: Int32Array, wanted: (fold: number) => boolean): Int32Array {
  const rows: number[] = [];
  for (let row = 0; row < foldOf.length; row++) if (wanted(foldOf[row]!)) rows.push(row);
  return Int32Array.from(rows);
}
