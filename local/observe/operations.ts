/** CloudWatch's and CloudWatch Logs' operations. */
import { type Operations, page, ServiceError, text } from '../protocol/service.ts';
import type { JsonObject } from '../template/intrinsics.ts';
import type { Alarm, AlarmState } from './alarms.ts';
import type { Logs } from './logs.ts';
import { type Dimension, type Metrics, type Series, statistic } from './metrics.ts';

const dimensionsOf = (input: JsonObject) => (input['Dimensions'] ?? []) as unknown as Dimension[];
/** Times come as epoch seconds in JSON and as ISO strings otherwise. */
const timeOf = (value: unknown) => (typeof value === 'number' ? value * 1000 : Date.parse(String(value)));

export function cloudWatchOperations(metrics: Metrics, alarms: ReadonlyMap<string, Alarm>): Operations {
  const points = (series: Series | undefined, input: JsonObject, periodSeconds: number) => {
    const period = periodSeconds * 1000;
    if (!(period > 0)) throw new ServiceError('InvalidParameterValue', 'Period must be a positive number of seconds.');
    const start = Math.floor(timeOf(input['StartTime']) / period) * period;
    const end = timeOf(input['EndTime']);
    if (!series || Number.isNaN(start + end)) return [];
    const starts = new Set([...series.minutes.keys()].map((minute) => Math.floor((minute * 60_000) / period) * period));
    return [...starts]
      .filter((at) => at >= start && at < end)
      .sort((a, b) => a - b)
      .map((at) => ({ at, bucket: series.between(at, at + period)! }));
  };
  return {
    PutMetricData: (input) => {
      for (const datum of (input['MetricData'] ?? []) as JsonObject[]) {
        const series = metrics.series(
          text(input, 'Namespace'),
          text(datum, 'MetricName'),
          dimensionsOf(datum),
          datum['Unit'] as string | undefined,
        );
        const at = datum['Timestamp'] === undefined ? Date.now() : timeOf(datum['Timestamp']);
        const counts = (datum['Counts'] ?? []) as number[];
        const values = (datum['Values'] ?? [datum['Value'] ?? []].flat()) as number[];
        values.forEach((value, index) => {
          series.add(Number(value), at, Number(counts[index] ?? 1));
        });
      }
      return {};
    },
    ListMetrics: (input) => {
      const wanted = dimensionsOf(input);
      const found = metrics
        .all()
        .filter(
          ({ namespace, name, dimensions }) =>
            (!input['Namespace'] || namespace === input['Namespace']) &&
            (!input['MetricName'] || name === input['MetricName']) &&
            wanted.every((want) => dimensions.some(({ Name, Value }) => Name === want.Name && (!want.Value || Value === want.Value))),
        );
      const { items, next } = page(found, 500, input['NextToken'] as string | undefined);
      return {
        Metrics: items.map(({ namespace, name, dimensions }) => ({ Namespace: namespace, MetricName: name, Dimensions: dimensions })),
        ...(next && { NextToken: next }),
      };
    },
    GetMetricStatistics: (input) => {
      const series = metrics.find(text(input, 'Namespace'), text(input, 'MetricName'), dimensionsOf(input));
      const statistics = (input['Statistics'] ?? []) as string[];
      const extended = (input['ExtendedStatistics'] ?? []) as string[];
      return {
        Label: input['MetricName'],
        Datapoints: points(series, input, Number(input['Period'])).map(({ at, bucket }) => ({
          Timestamp: new Date(at),
          Unit: series!.unit,
          ...Object.fromEntries(statistics.map((name) => [name, statistic(bucket, name)])),
          ...(extended.length > 0 && { ExtendedStatistics: Object.fromEntries(extended.map((name) => [name, statistic(bucket, name)])) }),
        })),
      };
    },
    GetMetricData: (input) => ({
      MetricDataResults: ((input['MetricDataQueries'] ?? []) as JsonObject[]).map((query) => {
        const stat = query['MetricStat'] as JsonObject | undefined;
        if (!stat) throw new ServiceError('ValidationError', 'The laptop cloud has no metric expressions, only MetricStat.');
        const metric = stat['Metric'] as JsonObject;
        const series = metrics.find(text(metric, 'Namespace'), text(metric, 'MetricName'), dimensionsOf(metric));
        const found = points(series, input, Number(stat['Period'])).reverse();
        return {
          Id: query['Id'],
          Label: query['Label'] ?? metric['MetricName'],
          StatusCode: 'Complete',
          Timestamps: found.map(({ at }) => new Date(at)),
          Values: found.map(({ bucket }) => statistic(bucket, text(stat, 'Stat'))),
        };
      }),
    }),
    DescribeAlarms: (input) => {
      const names = (input['AlarmNames'] ?? []) as string[];
      const found = [...alarms.values()].filter(
        (alarm) =>
          (names.length === 0 || names.includes(alarm.settings.name)) &&
          (!input['StateValue'] || alarm.state === input['StateValue']) &&
          alarm.settings.name.startsWith(String(input['AlarmNamePrefix'] ?? '')),
      );
      const { items, next } = page(found, Number(input['MaxRecords'] ?? 100), input['NextToken'] as string | undefined);
      return { MetricAlarms: items.map(describe), CompositeAlarms: [], ...(next && { NextToken: next }) };
    },
    SetAlarmState: (input) => {
      const alarm = alarms.get(text(input, 'AlarmName'));
      if (!alarm) throw new ServiceError('ResourceNotFound', `There is no alarm '${input['AlarmName']}'.`, 404);
      alarm.set(text(input, 'StateValue') as AlarmState, text(input, 'StateReason'), Date.now());
      return {};
    },
  };
}

function describe({ settings, state, reason, changedAt }: Alarm) {
  const percentile = settings.statistic.startsWith('p');
  return {
    AlarmName: settings.name,
    AlarmArn: settings.arn,
    ...(settings.description && { AlarmDescription: settings.description }),
    ActionsEnabled: true,
    AlarmActions: settings.actions.ALARM,
    OKActions: settings.actions.OK,
    InsufficientDataActions: settings.actions.INSUFFICIENT_DATA,
    StateValue: state,
    StateReason: reason,
    StateUpdatedTimestamp: new Date(changedAt),
    Namespace: settings.namespace,
    MetricName: settings.metric,
    Dimensions: settings.dimensions,
    [percentile ? 'ExtendedStatistic' : 'Statistic']: settings.statistic,
    Period: settings.periodSeconds,
    EvaluationPeriods: settings.evaluationPeriods,
    DatapointsToAlarm: settings.datapointsToAlarm,
    Threshold: settings.threshold,
    ComparisonOperator: settings.comparison,
    TreatMissingData: settings.missing,
  };
}

export function logOperations(logs: Logs): Operations {
  return {
    DescribeLogGroups: (input) => ({
      logGroups: logs
        .groups()
        .filter((name) => name.startsWith(String(input['logGroupNamePrefix'] ?? '')))
        .map((logGroupName) => ({ logGroupName, storedBytes: logs.size(logGroupName) })),
    }),
    FilterLogEvents: (input) => {
      const from = Number(input['startTime'] ?? 0);
      const to = Number(input['endTime'] ?? Number.MAX_SAFE_INTEGER);
      const pattern = String(input['filterPattern'] ?? '').replace(/^"|"$/g, '');
      const found = logs
        .read(text(input, 'logGroupName'))
        .filter(({ timestamp, message }) => timestamp >= from && timestamp < to && message.includes(pattern));
      const { items, next } = page(found, Number(input['limit'] ?? 10_000), input['nextToken'] as string | undefined);
      return { events: items.map((event) => ({ ...event, logStreamName: 'laptop' })), ...(next && { nextToken: next }) };
    },
  };
}
