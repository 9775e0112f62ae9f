/**
 * Ingot as one construct: `new Ingot(stack, 'Ingot')` in any CDK app gives the buckets, the pipeline, the API and its alarms.
 * docs/deploy.md has an example with a bucket, key, network and address of one's own.
 *
 *     const ingot = new Ingot(this, 'Models', { alarmEmail: 'ops@example.com' });
 *     ingot.data.dataBucket.grantPut(uploader, 'raw/*');
 */
import { CfnOutput, RemovalPolicy, Stack, Tags } from 'aws-cdk-lib';
import type { DomainNameOptions } from 'aws-cdk-lib/aws-apigateway';
import { SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { Batch } from './batch.ts';
import { type Config, contextConfig, parseConfig } from './config.ts';
import { type AnyBucket, Data } from './data.ts';
import { allowServices, createKey } from './encryption.ts';
import { type Assets, buildAssets, type Network, type Surroundings } from './function.ts';
import { Monitoring } from './monitoring.ts';
import { Preparation } from './preparation.ts';
import { type OwnApi, Serving } from './serving.ts';
import { Training } from './training.ts';
import { Watch } from './watch.ts';

/** Settings of config.ts that differ from its defaults; CDK context `ingot:<name>` goes before them. */
export interface IngotProps extends Partial<Config> {
  /** Code that is built already. @default it is built here, see assets.ts */
  assets?: Assets;
  /**
   * Buckets that are there already: versioned, closed to the public, and for TLS only. @default new ones
   * S3 tells a bucket's events to one configuration, which for `dataBucket` is then Ingot's; see `notifier` of data.ts for its role.
   */
  dataBucket?: AnyBucket;
  modelBucket?: AnyBucket;
  /** Encrypts the new buckets, topic, queues and logs; buckets of your own keep theirs. Of imported keys see encryption.ts. @default the services' own keys; a new one with `customerKey` */
  encryptionKey?: IKey;
  /** Where functions and jobs run. @default functions outside of any VPC, jobs in one of their own, see network.ts */
  network?: Network;
  /** An address of one's own for the API. @default the one that API Gateway gives */
  domainName?: DomainNameOptions;
  /**
   * A REST API of yours in which ours lies, under that path of it. It needs `binaryMediaTypes` of serving.ts; its stage, throttling, log and refusals are
   * yours. @default an API of its own
   */
  api?: OwnApi;
  /** What becomes of the buckets and the key when the stack, or this, goes. @default RemovalPolicy.RETAIN */
  removalPolicy?: RemovalPolicy;
  /** Of every resource that takes tags. */
  tags?: Record<string, string>;
}

export class Ingot extends Construct {
  readonly data: Data;
  /** Unless it is switched off. */
  readonly batch: Batch | undefined;
  readonly jobs: Watch | undefined;
  readonly training: Training;
  readonly preparation: Preparation;
  readonly serving: Serving;
  /** Alarms and failed runs. */
  readonly topic: Topic;

  constructor(scope: Construct, id: string, props: IngotProps = {}) {
    super(scope, id);
    const {
      assets,
      dataBucket,
      modelBucket,
      encryptionKey,
      network,
      domainName,
      api,
      removalPolicy = RemovalPolicy.RETAIN,
      tags,
      ...settings
    } = props;
    const config = parseConfig({ ...(network && this.jobsIn(network)), ...settings, ...contextConfig(this.node) });
    for (const [name, value] of Object.entries(tags ?? {})) Tags.of(this).add(name, value);
    const key = encryptionKey ?? (config.customerKey ? createKey(this, removalPolicy) : undefined);
    if (key) allowServices(this, key);
    this.topic = this.alarmTopic(key);
    if (config.alarmEmail) this.topic.addSubscription(new EmailSubscription(config.alarmEmail));
    this.data = new Data(this, 'Data', {
      config,
      removalPolicy,
      ...(dataBucket && { dataBucket }),
      ...(modelBucket && { modelBucket }),
      ...(key && { key }),
    });
    const surroundings: Surroundings = { config, data: this.data, assets: assets ?? buildAssets(config), ...(network && { network }) };
    this.batch = config.batch === 'on' ? new Batch(this, 'Batch', surroundings) : undefined;
    this.training = new Training(this, 'Training', { ...surroundings, topic: this.topic, batch: this.batch });
    const { stateMachine } = this.training;
    this.batch?.jobs.startsRuns(stateMachine);
    this.preparation = new Preparation(this, 'Preparation', { ...surroundings, stateMachine, batch: this.batch });
    this.serving = new Serving(this, 'Serving', { ...surroundings, stateMachine, batch: this.batch, domainName, api });
    this.jobs = this.batch && new Watch(this, 'Watch', { ...surroundings, batch: this.batch });
    new Monitoring(this, 'Monitoring', { ...this, config });
    const { url } = this.serving;
    this.output('ApiUrl', url);
    this.output('ApiKeyId', this.serving.apiKey.keyId);
    for (const [name, more] of this.serving.moreKeys) this.output(`ApiKeyId${name.charAt(0).toUpperCase()}${name.slice(1)}`, more.keyId);
    this.output('DataBucket', this.data.dataBucket.bucketName);
    this.output('ModelBucket', this.data.modelBucket.bucketName);
    this.output('StateMachineArn', stateMachine.stateMachineArn);
    this.output('AlarmTopicArn', this.topic.topicArn);
    this.output('ConsoleUrl', `${url}console/`);
  }

  /** The settings by which jobs run in a network of the user's. */
  private jobsIn({ vpc, vpcSubnets, securityGroups }: Network): Pick<Config, 'subnetIds' | 'securityGroupIds'> {
    const groups = securityGroups ?? [new SecurityGroup(this, 'Jobs', { vpc, description: 'Jobs of Ingot: nothing comes in' })];
    return {
      subnetIds: vpc.selectSubnets(vpcSubnets).subnetIds,
      securityGroupIds: groups.map(({ securityGroupId }) => securityGroupId),
    };
  }

  /** A topic with a policy loses the one by which alarms of its account may publish, so that is said here again. */
  private alarmTopic(key: IKey | undefined): Topic {
    const topic = new Topic(this, 'AlarmTopic', { displayName: 'Ingot', enforceSSL: true, ...(key && { masterKey: key }) });
    topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    return topic;
  }

  /** Outputs keep their plain names, which the outputs file and its readers rely on; so one `Ingot` a stack. */
  private output(name: string, value: string): void {
    new CfnOutput(this, name, { value }).overrideLogicalId(name);
  }
}
