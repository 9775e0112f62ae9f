/** The two buckets: datasets and what is made of them, and runs and models. */
import { ArnFormat, Duration, Lazy, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { type IRole, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledgeWildcard } from './acknowledge.ts';
import type { Config } from './config.ts';

export class Data extends Construct {
  readonly dataBucket: Bucket;
  readonly modelBucket: Bucket;

  constructor(scope: Construct, id: string, config: Config) {
    super(scope, id);
    this.dataBucket = this.bucket('DataBucket', config, this.notifier());
    this.modelBucket = this.bucket('ModelBucket', config);
  }

  /**
   * Versioned, so that an event names exactly the bytes that it is about. S3's own keys: a KMS key adds a dollar a month and a price a request
   * for no reader less, as who may read is said by the functions' roles either way.
   */
  private bucket(id: string, config: Config, notificationsHandlerRole?: IRole): Bucket {
    const bucket = new Bucket(this, id, {
      versioned: true,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      removalPolicy: RemovalPolicy.RETAIN,
      ...(notificationsHandlerRole && { notificationsHandlerRole }),
      lifecycleRules: [
        {
          noncurrentVersionExpiration: Duration.days(config.replacedObjectDays),
          expiredObjectDeleteMarker: true,
          abortIncompleteMultipartUploadAfter: Duration.days(7),
        },
      ],
    });
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Access logs would write an object for about every request; who needs an audit has CloudTrail data events, which are an account setting.',
    });
    return bucket;
  }

  /** What CDK's own function that sets the data bucket's notifications may do; left to itself CDK would allow it every bucket. */
  private notifier(): IRole {
    const logs = Stack.of(this).formatArn({
      service: 'logs',
      resource: 'log-group',
      resourceName: `/aws/lambda/${Stack.of(this).stackName}-BucketNotificationsHandler*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    const allow = (actions: string[], resource: string) => new PolicyStatement({ actions, resources: [resource] });
    const role = new Role(this, 'Notifier', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: 'Sets the notifications of the data bucket',
      inlinePolicies: {
        notifications: new PolicyDocument({
          statements: [
            allow(['s3:PutBucketNotification', 's3:GetBucketNotification'], Lazy.string({ produce: () => this.dataBucket.bucketArn })),
            allow(['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'], logs),
          ],
        }),
      },
    });
    acknowledgeWildcard(role, logs, 'The log group of that one function, whose name CloudFormation ends.');
    return role.withoutPolicyUpdates();
  }
}
