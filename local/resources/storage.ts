/** Buckets and their notifications. */
import type { LifecycleRule } from '../s3/s3.ts';
import type { JsonObject } from '../template/intrinsics.ts';
import { number, object, objects, type ResourceTypes, refusal, required, string, strings } from './resource-type.ts';

export const storage: ResourceTypes = {
  'AWS::S3::Bucket': {
    properties: ['BucketName', 'VersioningConfiguration', 'BucketEncryption', 'LifecycleConfiguration'],
    meaningless: ['OwnershipControls', 'PublicAccessBlockConfiguration', 'Tags', 'CorsConfiguration'],
    create: async ({ id, name, properties, cloud }) => {
      const bucket = string(properties['BucketName']) ?? name.toLowerCase().slice(0, 63);
      await cloud.s3.createBucket(bucket, { versioned: object(properties['VersioningConfiguration'])['Status'] === 'Enabled' });
      const [rule] = objects(object(properties['BucketEncryption'])['ServerSideEncryptionConfiguration']);
      const key = string(object(rule?.['ServerSideEncryptionByDefault'])['KMSMasterKeyID']);
      if (key !== undefined) cloud.iam.encrypted.set(`arn:aws:s3:::${bucket}`, key);
      const rules = objects(object(properties['LifecycleConfiguration'])['Rules']).filter(({ Status }) => Status === 'Enabled');
      cloud.lifecycles.set(
        bucket,
        rules.map((each) => lifecycleRule(id, each)),
      );
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

const lifecycleProperties = new Set([
  ...['Id', 'Status', 'Prefix', 'TagFilters', 'ObjectSizeGreaterThan', 'ObjectSizeLessThan', 'ExpirationInDays', 'ExpirationDate'],
  ...['ExpiredObjectDeleteMarker', 'NoncurrentVersionExpiration', 'AbortIncompleteMultipartUpload'],
]);

/** @throws IngotError InvalidRequest where it does anything but remove: there are no storage classes to move objects to */
function lifecycleRule(id: string, rule: JsonObject): LifecycleRule {
  for (const name of Object.keys(rule))
    if (!lifecycleProperties.has(name)) throw refusal(id, `a lifecycle rule has ${name}, which is not there`);
  const { NoncurrentDays, NewerNoncurrentVersions } = object(rule['NoncurrentVersionExpiration']);
  const date = string(rule['ExpirationDate']);
  return {
    prefix: string(rule['Prefix']) ?? '',
    tags: Object.fromEntries(objects(rule['TagFilters']).map(({ Key, Value }) => [String(Key), String(Value)])),
    largerThan: number(rule['ObjectSizeGreaterThan']),
    smallerThan: number(rule['ObjectSizeLessThan']),
    days: number(rule['ExpirationInDays']),
    from: date === undefined ? undefined : Date.parse(date),
    ...(NoncurrentDays !== undefined && { noncurrent: { days: Number(NoncurrentDays), keep: Number(NewerNoncurrentVersions ?? 0) } }),
    markers: String(rule['ExpiredObjectDeleteMarker']) === 'true',
    uploadDays: number(object(rule['AbortIncompleteMultipartUpload'])['DaysAfterInitiation']),
  };
}
