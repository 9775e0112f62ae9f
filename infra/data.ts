/** The two buckets: datasets and what is made of them, and runs and models. */
import { ArnFormat, Duration, Lazy, type RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { type IRole, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledgeWildcard } from './acknowledge.ts';
import type { Config } from './config.ts';

/** Of this app or another. A `Bucket` is no `IBucket` where optional properties are taken exactly. */
export type AnyBucket = IBucket | Bucket;

export interface DataProps {
  config: Config;
  /** Buckets that are there already. They must be versioned. @default new ones */
  dataBucket?: AnyBucket;
  modelBucket?: AnyBucket;
  /** Of the new buckets. @default S3's own keys: a KMS key costs, for no reader less, as the functions' roles say who may read either way */
  key?: IKey;
  removalPolicy: RemovalPolicy;
}

/** What jobs keep of fits that are under way; they remove it with the fit. A job that was cancelled does not, and no run lasts so many days. */
export const checkpoints = 'checkpoints/';
const checkpointDays = 7;

export class Data extends Construct {
  readonly dataBucket: AnyBucket;
  readonly modelBucket: AnyBucket;
  /** What the buckets' objects are encrypted with, where it is not S3's own key. */
  readonly key: IKey | undefined;

  constructor(scope: Construct, id: string, props: DataProps) {
    super(scope, id);
    const { key, config } = props;
    this.key = key;
    this.dataBucket =
      props.dataBucket ??
      this.bucket('DataBucket', config.dataBucketName, props, {
        notificationsHandlerRole: notifier(this, 'Notifier', () => this.dataBucket.bucketArn),
      });
    this.modelBucket = props.modelBucket ?? this.bucket('ModelBucket', config.modelBucketName, props, { expires: checkpoints });
  }

  /** Versioned, so that an event names exactly the bytes that it is about. @param bucketName of one that is there already */
  private bucket(
    id: string,
    bucketName: string | undefined,
    { config, key, removalPolicy }: DataProps,
    { notificationsHandlerRole, expires }: { notificationsHandlerRole?: IRole; expires?: string },
  ): AnyBucket {
    if (bucketName !== undefined)
      return Bucket.fromBucketAttributes(this, id, { bucketName, ...(notificationsHandlerRole && { notificationsHandlerRole }) });
    const bucket = new Bucket(this, id, {
      versioned: true,
      ...(key
        ? { encryption: BucketEncryption.KMS, encryptionKey: key, bucketKeyEnabled: true }
        : { encryption: BucketEncryption.S3_MANAGED }),
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      removalPolicy,
      ...(notificationsHandlerRole && { notificationsHandlerRole }),
      lifecycleRules: [
        {
          noncurrentVersionExpiration: Duration.days(config.replacedObjectDays),
          expiredObjectDeleteMarker: true,
          abortIncompleteMultipartUploadAfter: Duration.days(7),
        },
        ...(expires ? [{ prefix: expires, expiration: Duration.days(checkpointDays) }] : []),
      ],
    });
    // A bucket that stays when its stack goes takes nothing but TLS then, too.
    bucket.policy?.applyRemovalPolicy(removalPolicy);
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Access logs would write an object for about every request; who needs an audit has CloudTrail data events, which are an account setting.',
    });
    return bucket;
  }
}

/**
 * A role for the CDK's own function that sets a bucket's notifications, which left to itself would be allowed every bucket. Give it to a data bucket
 * of your own as its `notificationsHandlerRole`.
 */
export function notifier(scope: Construct, id: string, bucketArn: string | (() => string)): IRole {
  const { stackName } = Stack.of(scope);
  const logs = Stack.of(scope).formatArn({
    service: 'logs',
    resource: 'log-group',
    resourceName: `/aws/lambda/${stackName}-BucketNotificationsHandler*`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  const allow = (actions: string[], resource: string) => new PolicyStatement({ actions, resources: [resource] });
  const bucket = typeof bucketArn === 'string' ? bucketArn : Lazy.string({ produce: bucketArn });
  const role = new Role(scope, id, {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    description: 'Sets the notifications of the data bucket',
    inlinePolicies: {
      notifications: new PolicyDocument({
        statements: [
          allow(['s3:PutBucketNotification', 's3:GetBucketNotification'], bucket),
          allow(['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'], logs),
        ],
      }),
    },
  });
  acknowledgeWildcard(role, logs, 'The log group of that one function, whose name CloudFormation ends.');
  return role.withoutPolicyUpdates();
}
