/**
 * Lines of a log that CloudWatch takes metrics from: its embedded metric format
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
 */
import { metricsNamespace } from '../../core/names.ts';

export interface Reading {
  name: string;
  unit: 'Count' | 'Seconds' | 'Percent';
  value: number;
}

/**
 * @param by sets of dimensions: each reading is a value of a metric for each set; `[]` is the metric without any
 * @param about the dimensions' values, and whatever else a search of the log may ask for
 * @param at milliseconds since 1970
 * @returns the line, without its end
 */
export function embedded(readings: Reading[], by: readonly string[][], about: Record<string, string>, at: number): string {
  const Metrics = readings.map(({ name, unit }) => ({ Name: name, Unit: unit }));
  const values = Object.fromEntries(readings.map(({ name, value }) => [name, value]));
  const directive = { Namespace: metricsNamespace, Dimensions: by, Metrics };
  return JSON.stringify({ _aws: { Timestamp: at, CloudWatchMetrics: [directive] }, ...about, ...values });
}
