/** Ingot inside an app of your own; docs/deploy.md shows this file, and a test synthesizes it. */
import { App, ArnFormat, Stack } from 'aws-cdk-lib';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { ManagedPolicy, PermissionsBoundary } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { notifier } from '../infra/data.ts';
import { Ingot } from '../infra/ingot.ts';

export class Models extends Stack {
  constructor(scope: App, id: string) {
    super(scope, id);
    // A versioned bucket that you have, and the role by which its notifications are set.
    const bucketName = 'my-datasets';
    const bucketArn = this.formatArn({
      service: 's3',
      region: '',
      account: '',
      resource: bucketName,
      arnFormat: ArnFormat.NO_RESOURCE_NAME,
    });
    const dataBucket = Bucket.fromBucketAttributes(this, 'Datasets', {
      bucketName,
      notificationsHandlerRole: notifier(this, 'Notifier', bucketArn),
    });
    // A network that you have. Its subnets reach S3, Step Functions and SNS (and Batch and EventBridge) by endpoints, or by a NAT gateway.
    const vpc = Vpc.fromVpcAttributes(this, 'Network', {
      vpcId: 'vpc-0123456789abcdef0',
      availabilityZones: ['a', 'b'].map((zone) => `${this.region}${zone}`),
      privateSubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
    });
    const ingot = new Ingot(this, 'Ingot', {
      dataBucket,
      network: { vpc },
      encryptionKey: new Key(this, 'Key', { enableKeyRotation: true }),
      authorization: 'both',
      keys: { mobile: { requestsPerSecond: 5, requestBurst: 10, requestsPerMonth: 100_000 } },
      alarmEmail: 'ops@example.com',
      logDays: 90,
      tags: { team: 'models' },
    });
    // What every role of the stack may do at most, as many accounts ask for.
    PermissionsBoundary.of(this).apply(ManagedPolicy.fromManagedPolicyName(this, 'Boundary', 'developers'));
    this.exportValue(ingot.training.stateMachine.stateMachineArn);
  }
}

if (import.meta.main) new Models(new App(), 'Models');
