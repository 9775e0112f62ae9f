/** Shapley values of a weighted sum of models: by their linearity, the weighted sum of the models' own. */
import type { AdditivePart, AdditiveSum } from './additive.ts';
import { LinearExplainer, meansOf } from './linear-shap.ts';
import { countCovers, TreeExplainer } from './tree-shap.ts';

/** What an additive part needs to know of the rows that it was fitted on: trees' covers, or a linear model's means. */
export type Ground = Uint32Array | number[];

export function groundOf(part: AdditivePart, x: { rows: number; data: Float32Array }): Ground {
  return part.kind === 'trees' ? countCovers(part, x) : meansOf(part, x);
}

export function partExplainer(part: AdditivePart, ground: Ground): TreeExplainer | LinearExplainer {
  return part.kind === 'trees' ? new TreeExplainer(part, ground) : new LinearExplainer(part, ground as number[]);
}

export class SumExplainer {
  readonly bases: number[];
  private readonly parts: { weight: number; explainer: TreeExplainer | LinearExplainer }[];

  /** @param grounds one for each part */
  constructor({ parts, offset, outputs }: AdditiveSum, grounds: readonly Ground[]) {
    this.parts = parts.map(({ weight, part }, i) => ({ weight, explainer: partExplainer(part, grounds[i]!) }));
    this.bases = Array.from({ length: outputs }, (_, k) =>
      this.parts.reduce((sum, { weight, explainer }) => sum + weight * explainer.bases[k]!, offset),
    );
  }

  contributions(row: Float32Array, output: number): Float64Array {
    const into = new Float64Array(row.length);
    for (const { weight, explainer } of this.parts)
      explainer.contributions(row, output).forEach((value, feature) => {
        into[feature]! += weight * value;
      });
    return into;
  }
}
