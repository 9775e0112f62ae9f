/** Shapley values of a model's features, as the table has them; those of a weighted sum of models are, by linearity, the weighted sum of the models' own. */
import type { Matrix } from '../models/model.ts';
import { applyView } from '../models/view/apply-view.ts';
import { sourcesOf, type View } from '../models/view/view.ts';
import type { Additive, AdditivePart, AdditiveSum } from './additive.ts';
import { LinearExplainer, meansOf } from './linear-shap.ts';
import { countCovers, TreeExplainer } from './tree-shap.ts';

/** What an additive part needs to know of the rows that it was fitted on: trees' covers, or a linear model's means. */
export type Ground = Uint32Array | number[];

/** What each feature of the table adds to an output in a row. */
export type Contributions = (row: number, output: number) => Float64Array;

/** @param features of the table */
export function groundOf(part: AdditivePart, features: Matrix): Ground {
  const x = part.view ? applyView(part.view, features) : features;
  return part.kind === 'trees' ? countCovers(part, x) : meansOf(part, x);
}

export class PartExplainer {
  readonly bases: number[];
  private readonly view: View | undefined;
  private readonly seen: TreeExplainer | LinearExplainer;

  constructor(part: AdditivePart, ground: Ground) {
    this.view = part.view;
    this.seen = part.kind === 'trees' ? new TreeExplainer(part, ground) : new LinearExplainer(part, ground as number[]);
    this.bases = this.seen.bases;
  }

  /** @param features of the table */
  of(features: Matrix): Contributions {
    const { view, seen } = this;
    const x = view ? applyView(view, features) : features;
    return (row, output) => {
      const values = Float32Array.from({ length: x.columns }, (_, column) => x.data[column * x.rows + row]!);
      const contributions = seen.contributions(values, output);
      return view ? bySource(view, contributions) : contributions;
    };
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

  /** @param features of the table */
  of(features: Matrix): Contributions {
    const parts = this.parts.map(({ weight, explainer }) => ({ weight, of: explainer.of(features) }));
    return (row, output) => {
      const into = new Float64Array(features.columns);
      for (const { weight, of } of parts)
        of(row, output).forEach((value, feature) => {
          into[feature]! += weight * value;
        });
      return into;
    };
  }
}

/** What the features that a model sees contribute, as those of the table that they are made of. */
function bySource(view: View, seen: Float64Array): Float64Array {
  const byFeature = new Float64Array(view.features);
  sourcesOf(view).forEach((feature, place) => {
    byFeature[feature]! += seen[place]!;
  });
  return byFeature;
}

export const exactExplainer = (additive: Additive, grounds: readonly Ground[]): PartExplainer | SumExplainer =>
  additive.kind === 'sum' ? new SumExplainer(additive, grounds) : new PartExplainer(additive, grounds[0]!);
