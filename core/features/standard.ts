/**
 * Numbers made fit to learn from: scaled to mean 0 and standard deviation 1 over the train rows. What is missing stays missing where
 * the train rows have gaps too (else it becomes the median), and outliers stay where they are, as trees know what to do with both; families that don't,
 * fill and clip (models/view).
 */
import { clip, fitClip, largestFloat } from './clip.ts';
import { impute, indicate } from './impute.ts';
import { quantiles } from './quantiles.ts';
import { fitScale, scale } from './scale.ts';

/** How a number becomes a feature. */
export interface Standard {
  /**
   * All in float32, as the graph computes: subtract mean, divide by scale. A family that wants no gaps and no outliers has `impute` in place of what is
   * missing, and [low, high] (float32's largest where there is no bound) around all, scaled alike.
   */
  impute: number;
  low: number;
  high: number;
  mean: number;
  scale: number;
  /** Whether a 0/1 feature says that the value was missing. */
  indicator: boolean;
}

/**
 * @param values of the train rows, NaN where missing
 * @param options.clips whether outliers have a bound; options.isExact whether what differs must still differ when scaled: by a power of two then
 */
export function fitStandard(values: Float32Array, { clips = false, isExact = false }): Standard {
  const [low, middle, high] = quantiles(values, [0.25, 0.5, 0.75]) as [number, number, number];
  const median = Math.fround(middle);
  const bounds = clips ? fitClip(low, high) : { low: -largestFloat, high: largestFloat };
  const indicator = values.some(Number.isNaN);
  const prepared = values.slice();
  impute(prepared, median);
  clip(prepared, bounds);
  const fitted = fitScale(prepared);
  const scaling = isExact ? { mean: 0, scale: 2 ** Math.round(Math.log2(fitted.scale)) } : fitted;
  return { impute: median, ...bounds, ...scaling, indicator };
}

/** @param is whether the feature is the number itself, or 1 where it is missing */
export function transformStandard(fitted: Standard, values: Float32Array, is: 'value' | 'missing', into: Float32Array): void {
  if (is === 'missing') {
    indicate(values, into);
    return;
  }
  into.set(values);
  if (!fitted.indicator) impute(into, fitted.impute);
  scale(into, fitted);
}
