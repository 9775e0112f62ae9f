import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Alarm, type AlarmSettings } from '../../local/observe/alarms.ts';
import { Metrics, takeEmbedded } from '../../local/observe/metrics.ts';
import { newHome } from './assembly.ts';

const minute = 60_000;
const start = 1_800_000_000_000;

describe('metrics', () => {
  test('percentiles are values that were seen, to 2 %', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1e-3, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 1, max: 100 }),
        (values, p) => {
          const series = new Metrics(newHome(), start).series('N', 'M', []);
          for (const value of values) series.add(value, start);
          const exact = values.sort((a, b) => a - b)[Math.ceil((p / 100) * values.length) - 1]!;
          const found = series.statistic(`p${p}`, start, start + minute)!;
          expect(Math.abs(found - exact)).toBeLessThanOrEqual(0.02 * exact);
        },
      ),
    );
  });

  test('are the same after a restart, in the middle of a minute too', () => {
    const home = newHome();
    const dimensions = [{ Name: 'service', Value: 'a' }];
    for (const value of [1, 2, 3]) {
      const metrics = new Metrics(home, start);
      metrics.series('N', 'M', dimensions).add(value, start);
      metrics.save(start, true);
    }
    const series = new Metrics(home, start).find('N', 'M', dimensions)!;
    expect(['Sum', 'SampleCount', 'Minimum', 'Maximum', 'Average'].map((name) => series.statistic(name, start, start + minute))).toEqual([
      6, 3, 1, 3, 2,
    ]);
  });

  test('are taken from log lines in the embedded format, whatever else a line is', () => {
    const metrics = new Metrics(newHome(), start);
    const directive = { Namespace: 'Ingot', Dimensions: [['service'], []], Metrics: [{ Name: 'Rows', Unit: 'Count' }] };
    takeEmbedded(JSON.stringify({ _aws: { Timestamp: start, CloudWatchMetrics: [directive] }, service: 'clean', Rows: [1, 2] }), metrics);
    for (const line of ['', '{', '{"CloudWatchMetrics"', 'text {"CloudWatchMetrics":[]}', '{"_aws":{"CloudWatchMetrics":[]}}'])
      takeEmbedded(line, metrics);
    expect(metrics.find('Ingot', 'Rows', [{ Name: 'service', Value: 'clean' }])!.statistic('Sum', start, start + minute)).toBe(3);
    expect(metrics.find('Ingot', 'Rows', [])!.statistic('Maximum', start, start + minute)).toBe(2);
  });
});

describe('an alarm', () => {
  const settings: AlarmSettings = {
    name: 'alarm',
    arn: 'arn',
    namespace: 'N',
    metric: 'M',
    dimensions: [],
    statistic: 'Sum',
    periodSeconds: 60,
    evaluationPeriods: 3,
    datapointsToAlarm: 2,
    threshold: 5,
    comparison: 'GreaterThanOrEqualToThreshold',
    missing: 'notBreaching',
    actions: { ALARM: ['topic'], OK: ['topic'], INSUFFICIENT_DATA: [] },
  };

  test('goes off when enough periods breach, tells once, and is over when they pass', () => {
    const told: string[] = [];
    const metrics = new Metrics(newHome(), start);
    const series = metrics.series('N', 'M', []);
    const alarm = new Alarm(settings, (_, subject) => told.push(subject));
    const at = (minutes: number, value?: number) => {
      if (value !== undefined) series.add(value, start + minutes * minute);
      alarm.check(metrics, start + minutes * minute);
      return alarm.state;
    };
    expect([at(0), at(1, 9), at(2, 1), at(3, 9), at(4, 9), at(5), at(6)]).toEqual(['OK', 'OK', 'OK', 'ALARM', 'ALARM', 'ALARM', 'OK']);
    expect(told).toEqual(['OK: "alarm"', 'ALARM: "alarm"', 'OK: "alarm"']);
  });

  test('keeps its state where periods without values are missing', () => {
    const alarm = new Alarm({ ...settings, missing: 'missing' }, () => undefined);
    alarm.check(new Metrics(newHome(), start), start);
    expect(alarm.state).toBe('INSUFFICIENT_DATA');
  });
});
