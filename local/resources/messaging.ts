/** Queues and topics. */
import { Queue } from '../messaging/queue.ts';
import { subscriptionProtocols } from '../messaging/topic.ts';
import { accountId, region } from '../template/template.ts';
import { nameOnly, number, object, type ResourceTypes, refusal, required, string } from './resource-type.ts';

export const messaging: ResourceTypes = {
  'AWS::SQS::Queue': {
    properties: [
      'QueueName',
      'VisibilityTimeout',
      'MessageRetentionPeriod',
      'DelaySeconds',
      'ReceiveMessageWaitTimeSeconds',
      'RedrivePolicy',
      'KmsMasterKeyId',
    ],
    meaningless: ['SqsManagedSseEnabled', 'KmsDataKeyReusePeriodSeconds', 'Tags'],
    create: ({ name: made, properties, cloud }) => {
      const name = string(properties['QueueName']) ?? made;
      const arn = `arn:aws:sqs:${region}:${accountId}:${name}`;
      const url = `${cloud.url}/${accountId}/${name}`;
      const redrive = object(properties['RedrivePolicy']);
      const ms = (property: string, seconds: number) => (number(properties[property]) ?? seconds) * 1000;
      const settings = {
        name,
        arn,
        url,
        visibilityMs: ms('VisibilityTimeout', 30),
        retentionMs: ms('MessageRetentionPeriod', 4 * 24 * 3600),
        delayMs: ms('DelaySeconds', 0),
        waitMs: ms('ReceiveMessageWaitTimeSeconds', 0),
        ...(redrive['deadLetterTargetArn'] && {
          deadLetter: { arn: String(redrive['deadLetterTargetArn']), maxReceives: Number(redrive['maxReceiveCount']) },
        }),
      };
      const key = string(properties['KmsMasterKeyId']);
      if (key?.startsWith('arn:')) cloud.iam.encrypted.set(arn, key);
      cloud.queues.set(arn, new Queue(cloud.home, settings, (target, body) => cloud.deliver(target, body)));
      return { ref: url, attributes: { Arn: arn, QueueName: name, QueueUrl: url } };
    },
  },
  'AWS::SNS::Topic': {
    properties: ['TopicName', 'KmsMasterKeyId'],
    meaningless: ['DisplayName', 'Tags'],
    create: ({ name: made, properties, cloud }) => {
      const name = string(properties['TopicName']) ?? made;
      const arn = cloud.topics.create(name);
      const key = string(properties['KmsMasterKeyId']);
      if (key?.startsWith('arn:')) cloud.iam.encrypted.set(arn, key);
      return { ref: arn, attributes: { TopicArn: arn, TopicName: name } };
    },
  },
  'AWS::SNS::Subscription': {
    properties: ['TopicArn', 'Protocol', 'Endpoint', 'RawMessageDelivery'],
    meaningless: ['Region'],
    create: ({ id, properties, cloud }) => {
      const protocol = required(properties, 'Protocol', id);
      if (!subscriptionProtocols.includes(protocol)) throw refusal(id, `there are no ${protocol} subscriptions`);
      const raw = properties['RawMessageDelivery'] === true;
      return nameOnly(cloud.topics.subscribe(required(properties, 'TopicArn', id), protocol, required(properties, 'Endpoint', id), raw));
    },
  },
};
