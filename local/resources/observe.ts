/** Log groups and alarms. */
import { complain } from '../complain.ts';
import { Alarm, type AlarmSettings, comparisons } from '../observe/alarms.ts';
import type { Dimension } from '../observe/metrics.ts';
import { accountId, region } from '../template/template.ts';
import { number, objects, type ResourceTypes, refusal, required, string, strings } from './resource-type.ts';

export const observe: ResourceTypes = {
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
