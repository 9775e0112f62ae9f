/** Buckets and their notifications. */
import { object, objects, type ResourceTypes, refusal, required, string, strings } from './resource-type.ts';

export const storage: ResourceTypes = {
  'AWS::S3::Bucket': {
    properties: ['BucketName', 'VersioningConfiguration', 'BucketEncryption'],
    meaningless: ['LifecycleConfiguration', 'OwnershipControls', 'PublicAccessBlockConfiguration', 'Tags', 'CorsConfiguration'],
    create: async ({ name, properties, cloud }) => {
      const bucket = string(properties['BucketName']) ?? name.toLowerCase().slice(0, 63);
      await cloud.s3.createBucket(bucket, { versioned: object(properties['VersioningConfiguration'])['Status'] === 'Enabled' });
      const [rule] = objects(object(properties['BucketEncryption'])['ServerSideEncryptionConfiguration']);
      const key = string(object(rule?.['ServerSideEncryptionByDefault'])['KMSMasterKeyID']);
      if (key !== undefined) cloud.iam.encrypted.set(`arn:aws:s3:::${bucket}`, key);
      const domain = `${bucket}.s3.amazonaws.com`;
      return {
        ref: bucket,
        attributes: { Arn: `arn:aws:s3:::${bucket}`, DomainName: domain, RegionalDomainName: domain },
      };
    },
  },
  'Custom::S3BucketNotifications': {
    properties: ['BucketName', 'NotificationConfiguration'],
    meaningless: ['ServiceToken', 'Managed', 'SkipDestinationValidation'],
    create: ({ id, properties, cloud }) => {
      const bucket = required(properties, 'BucketName', id);
      const { EventBridgeConfiguration, ...configuration } = object(properties['NotificationConfiguration']);
      if (EventBridgeConfiguration !== undefined) throw refusal(id, 'events to EventBridge are not there');
      for (const [kind, target] of [
        ['LambdaFunctionConfigurations', 'LambdaFunctionArn'],
        ['QueueConfigurations', 'QueueArn'],
        ['TopicConfigurations', 'TopicArn'],
      ] as const) {
        for (const [index, each] of objects(configuration[kind]).entries()) {
          const rules = objects(object(object(each['Filter'])['Key'])['FilterRules']);
          const rule = (name: string) => string(rules.find(({ Name }) => String(Name).toLowerCase() === name)?.['Value']) ?? '';
          cloud.notifications.push({
            bucket,
            id: string(each['Id']) ?? `${id}-${kind}-${index}`,
            events: strings(each['Events']),
            prefix: rule('prefix'),
            suffix: rule('suffix'),
            target: required(each, target, id),
          });
        }
      }
      return { ref: id, attributes: {} };
    },
  },
};
