/** Log groups and alarms. */
import * as z from 'zod/mini';
import { complain } from '../complain.ts';
import { Alarm, type AlarmSettings, comparisons } from '../observe/alarms.ts';
import type { Graph } from '../observe/dashboard.ts';
import type { Dimension } from '../observe/metrics.ts';
import { accountId, region } from '../template/template.ts';
import { nameOnly, number, objects, type ResourceTypes, refusal, required, string, strings } from './resource-type.ts';

/** What the CDK writes into a dashboard's body, as far as the page draws it. */
const widgetSchema = z.object({
  type: z.literal('metric'),
  properties: z.object({ title: z.string(), metrics: z.array(z.array(z.union([z.string(), z.record(z.string(), z.unknown())]))) }),
});
const bodySchema = z.object({ widgets: z.array(widgetSchema) });

/** A line of a widget: namespace, metric, names and values of dimensions in turn, and how it is drawn. */
function lineOf(parts: (string | Record<string, unknown>)[]): Graph['lines'][number] {
  const [namespace = '', metric = '', ...rest] = parts.filter((part) => typeof part === 'string');
  const { stat = 'Average', label } = parts.find((part) => typeof part === 'object') ?? {};
  const dimensions = rest.flatMap((Name, i) => (i % 2 === 0 ? [{ Name, Value: rest[i + 1] ?? '' }] : []));
  return { namespace, metric, dimensions, statistic: String(stat), label: String(label ?? `${metric}, ${stat}`) };
}

export const observe: ResourceTypes = {
  'AWS::CloudWatch::Dashboard': {
    properties: ['DashboardBody'],
    meaningless: ['DashboardName', 'Tags'],
    create: ({ id, name, properties, cloud }) => {
      const body = bodySchema.safeParse(JSON.parse(required(properties, 'DashboardBody', id)));
      if (!body.success) throw refusal(id, `its body has what is not a graph of metrics (${body.error.issues[0]!.path.join('.')})`);
      for (const { properties: graph } of body.data.widgets) cloud.graphs.push({ title: graph.title, lines: graph.metrics.map(lineOf) });
      return nameOnly(name);
    },
  },
  'AWS::Logs::LogGroup': {
    properties: ['LogGroupName'],
    meaningless: ['RetentionInDays', 'KmsKeyId', 'LogGroupClass', 'Tags'],
    create: ({ name: made, properties, cloud }) => {
      const name = string(properties['LogGroupName']) ?? made;
      cloud.logs.create(name);
      return { ref: name, attributes: { Arn: `arn:aws:logs:${region}:${accountId}:log-group:${name}:*` } };
    },
  },
  'AWS::CloudWatch::Alarm': {
    properties: [
      'ActionsEnabled',
      'AlarmActions',
      'AlarmDescription',
      'AlarmName',
      'ComparisonOperator',
      'DatapointsToAlarm',
      'Dimensions',
      'EvaluationPeriods',
      'ExtendedStatistic',
      'InsufficientDataActions',
      'MetricName',
      'Namespace',
      'OKActions',
      'Period',
      'Statistic',
      'Threshold',
      'TreatMissingData',
    ],
    meaningless: ['Tags', 'Unit', 'EvaluateLowSampleCountPercentile'],
    create: ({ id, name: made, properties, cloud }) => {
      const name = string(properties['AlarmName']) ?? made;
      const arn = `arn:aws:cloudwatch:${region}:${accountId}:alarm:${name}`;
      const comparison = required(properties, 'ComparisonOperator', id);
      if (!(comparison in comparisons)) throw refusal(id, `there is no comparison ${comparison}`);
      const description = string(properties['AlarmDescription']);
      const evaluationPeriods = number(properties['EvaluationPeriods']) ?? 1;
      const actions = (property: string) => (properties['ActionsEnabled'] === false ? [] : strings(properties[property]));
      const settings: AlarmSettings = {
        name,
        arn,
        namespace: required(properties, 'Namespace', id),
        metric: required(properties, 'MetricName', id),
        dimensions: objects(properties['Dimensions']) as unknown as Dimension[],
        statistic: string(properties['ExtendedStatistic']) ?? required(properties, 'Statistic', id),
        periodSeconds: number(properties['Period']) ?? 60,
        evaluationPeriods,
        datapointsToAlarm: number(properties['DatapointsToAlarm']) ?? evaluationPeriods,
        threshold: Number(required(properties, 'Threshold', id)),
        comparison: comparison as AlarmSettings['comparison'],
        missing: string(properties['TreatMissingData']) ?? 'missing',
        actions: { ALARM: actions('AlarmActions'), OK: actions('OKActions'), INSUFFICIENT_DATA: actions('InsufficientDataActions') },
        ...(description && { description }),
      };
      const notify = (topic: string, subject: string, message: string) => {
        cloud.topics.publish(topic, message, subject).catch(complain);
      };
      cloud.alarms.set(name, new Alarm(settings, notify));
      return { ref: name, attributes: { Arn: arn } };
    },
  },
};
