/** CloudWatch alarms on metrics: they look every few seconds, and tell their topic when their state changes. */
import type { Dimension, Metrics } from './metrics.ts';

export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

export interface AlarmSettings {
  name: string;
  arn: string;
  description?: string;
  namespace: string;
  metric: string;
  dimensions: Dimension[];
  statistic: string;
  periodSeconds: number;
  evaluationPeriods: number;
  datapointsToAlarm: number;
  threshold: number;
  comparison: keyof typeof comparisons;
  missing: string;
  actions: Record<AlarmState, string[]>;
}

export const comparisons = {
  GreaterThanOrEqualToThreshold: (value: number, threshold: number) => value >= threshold,
  GreaterThanThreshold: (value: number, threshold: number) => value > threshold,
  LessThanThreshold: (value: number, threshold: number) => value < threshold,
  LessThanOrEqualToThreshold: (value: number, threshold: number) => value <= threshold,
};

export class Alarm {
  readonly settings: AlarmSettings;
  state: AlarmState = 'INSUFFICIENT_DATA';
  reason = 'Unchecked: Initial alarm creation';
  changedAt = Date.now();
  readonly #notify: (topic: string, subject: string, message: string) => void;

  constructor(settings: AlarmSettings, notify: (topic: string, subject: string, message: string) => void) {
    this.settings = settings;
    this.#notify = notify;
  }

  check(metrics: Metrics, now: number): void {
    const { namespace, metric, dimensions, statistic, periodSeconds, evaluationPeriods, threshold, comparison } = this.settings;
    const series = metrics.find(namespace, metric, dimensions);
    const periodMs = periodSeconds * 1000;
    const end = Math.ceil((now + 1) / 60_000) * 60_000;
    const points = Array.from({ length: evaluationPeriods }, (_, index) => {
      const to = end - index * periodMs;
      return series?.statistic(statistic, to - periodMs, to);
    });
    const breaching = points.map((value) =>
      value === undefined ? missingCounts(this.settings.missing) : comparisons[comparison](value, threshold),
    );
    if (points.every((value) => value === undefined) && breaching.every((each) => each === undefined)) return;
    const bad = breaching.filter(Boolean).length;
    const state = bad >= this.settings.datapointsToAlarm ? 'ALARM' : 'OK';
    const seen = points.filter((value) => value !== undefined).join(', ') || 'none';
    this.set(state, `Threshold Crossed: ${bad} of ${evaluationPeriods} datapoints [${seen}] against ${comparison} ${threshold}`, now);
  }

  set(state: AlarmState, reason: string, now: number): void {
    if (state === this.state) return;
    const { name, description, arn, actions } = this.settings;
    const message = {
      AlarmName: name,
      AlarmDescription: description ?? null,
      AlarmArn: arn,
      NewStateValue: state,
      OldStateValue: this.state,
      NewStateReason: reason,
      StateChangeTime: new Date(now).toISOString(),
    };
    this.state = state;
    this.reason = reason;
    this.changedAt = now;
    for (const topic of actions[state]) this.#notify(topic, `${state}: "${name}"`, JSON.stringify(message));
  }
}

/** Whether a period without values counts as breaching; undefined: it says nothing. */
function missingCounts(treatment: string): boolean | undefined {
  if (treatment === 'breaching') return true;
  if (treatment === 'notBreaching') return false;
  return undefined;
}
