/** Shapley values of a weighted sum of models: by their linearity, the weighted sum of the models' own. */
import type { Matrix } from '../models/model.ts';
import { applyView, sourcesOf, type View } from '../models/view/view.ts';
import type { AdditivePart, AdditiveSum } from './additive.ts';
import { LinearExplainer, meansOf } from './linear-shap.ts';
import { countCovers, TreeExplainer } from './tree-shap.ts';

/** What an additive part needs to know of the rows that it was fitted on: trees' covers, or a linear model's means. */
export type Ground = Uint32Array | number[];

/** @param features of the table */
export function groundOf(part: AdditivePart, features: Matrix): Ground {
  const x = part.view ? applyView(part.view, features) : features;
  return part.kind === 'trees' ? countCovers(part, x) : meansOf(part, x);
}

/** Of one part, in the features of the table. */
export class PartExplainer {
  readonly bases: number[];
  private readonly part: AdditivePart;
  private readonly seen: TreeExplainer | LinearExplainer;

  constructor(part: AdditivePart, ground: Ground) {
    this.part = part;
    this.seen = part.kind === 'trees' ? new TreeExplainer(part, ground) : new LinearExplainer(part, ground as number[]);
    this.bases = this.seen.bases;
  }

  contributions(row: Float32Array, output: number): Float64Array {
    const { view } = this.part;
    if (!view) return this.seen.contributions(row, output);
    const { data } = applyView(view, { rows: 1, columns: row.length, names: [], data: row });
    return bySource(view, this.seen.contributions(data, output));
  }
}

export class SumExplainer {
  readonly bases: number[];
  private readonly parts: { weight: number; explainer: PartExplainer }[];

  /** @param grounds one for each part */
  constructor({ parts, offset, outputs }: AdditiveSum, grounds: readonly Ground[]) {
    this.parts = parts.map(({ weight, part }, i) => ({ weight, explainer: new PartExplainer(part, grounds[i]!) }));
    this.bases = Array.from({ length: outputs }, (_, k) =>
      this.parts.reduce((sum, { weight, explainer }) => sum + weight * explainer.bases[k]!, offset),
    );
  }

  /** @param row the features of the table */
  contributions(row: Float32Array, output: number): Float64Array {
    const into = new Float64Array(row.length);
    for (const { weight, explainer } of this.parts)
      explainer.contributions(row, output).forEach((value, feature) => {
        into[feature]! += weight * value;
      });
    return into;
  }
}

/** What the features that a model sees contribute, as those of the table that they are made of. */
export function bySource(view: View, seen: Float64Array): Float64Array {
  const byFeature = new Float64Array(view.features);
  sourcesOf(view).forEach((feature, place) => {
    byFeature[feature]! += seen[place]!;
  });
  return byFeature;
}
