/** Shapley values of a linear model: each feature's weight times how far it is from its mean (Štrumbelj and Kononenko 2014). */
import type { AdditiveLinear } from './additive.ts';

export class LinearExplainer {
  /** By output: the raw output at the means. */
  readonly bases: number[];
  private readonly model: AdditiveLinear;
  private readonly means: readonly number[];

  /** @param means of the features, as the model bounds them */
  constructor(model: AdditiveLinear, means: readonly number[]) {
    this.model = model;
    this.means = means;
    this.bases = model.intercepts.map((intercept, k) =>
      means.reduce((sum, mean, feature) => sum + mean * model.weights[feature * model.outputs + k]!, intercept),
    );
  }

  contributions(row: Float32Array, output: number): Float64Array {
    const { weights, outputs, bounds } = this.model;
    return Float64Array.from(row, (value, f) => (boundedValue(value, bounds[f]!) - this.means[f]!) * weights[f * outputs + output]!);
  }
}

export function boundedValue(value: number, bound: number): number {
  return Number.isNaN(value) ? 0 : Math.max(-bound, Math.min(bound, value));
}

/** @param x float32, column-major */
export function meansOf({ bounds }: AdditiveLinear, x: { rows: number; data: Float32Array }): number[] {
  return bounds.map((bound, feature) => {
    let sum = 0;
    for (let row = 0; row < x.rows; row++) sum += boundedValue(x.data[feature * x.rows + row]!, bound);
    return sum / x.rows;
  });
}
