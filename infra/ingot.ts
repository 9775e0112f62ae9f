/**
 * Ingot as one construct: `new Ingot(stack, 'Ingot')` in any CDK app gives the buckets, the pipeline, the API and its alarms.
 *
 *     const ingot = new Ingot(this, 'Models', { alarmEmail: 'ops@example.com' });
 *     ingot.data.dataBucket.grantPut(uploader, 'raw/*');
 */
import { CfnOutput, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { Batch } from './batch.ts';
import { type Config, contextConfig, parseConfig } from './config.ts';
import { Data } from './data.ts';
import { type Assets, buildAssets, type Surroundings } from './function.ts';
import { Monitoring } from './monitoring.ts';
import { Preparation } from './preparation.ts';
import { Serving } from './serving.ts';
import { Training } from './training.ts';

/** Settings of config.ts that differ from its defaults; CDK context `ingot:<name>` goes before them. */
export interface IngotProps extends Partial<Config> {
  /** Code that is built already. @default it is built here, see assets.ts */
  assets?: Assets;
}

export class Ingot extends Construct {
  readonly data: Data;
  /** Unless it is switched off. */
  readonly batch: Batch | undefined;
  readonly training: Training;
  readonly preparation: Preparation;
  readonly serving: Serving;
  /** Alarms and failed runs. */
  readonly topic: Topic;

  constructor(scope: Construct, id: string, { assets, ...props }: IngotProps = {}) {
    super(scope, id);
    const config = parseConfig({ ...props, ...contextConfig(this.node) });
    this.topic = this.alarmTopic();
    if (config.alarmEmail) this.topic.addSubscription(new EmailSubscription(config.alarmEmail));
    this.data = new Data(this, 'Data', config);
    const surroundings: Surroundings = { config, data: this.data, assets: assets ?? buildAssets(config) };
    this.batch = config.batch === 'on' ? new Batch(this, 'Batch', surroundings) : undefined;
    this.training = new Training(this, 'Training', { ...surroundings, topic: this.topic, batch: this.batch });
    const { stateMachine } = this.training;
    this.batch?.jobs.startsRuns(stateMachine);
    this.preparation = new Preparation(this, 'Preparation', { ...surroundings, stateMachine, batch: this.batch });
    this.serving = new Serving(this, 'Serving', { ...surroundings, stateMachine, batch: this.batch });
    new Monitoring(this, 'Monitoring', { ...this, config });
    this.output('ApiUrl', this.serving.api.url);
    this.output('ApiKeyId', this.serving.apiKey.keyId);
    this.output('DataBucket', this.data.dataBucket.bucketName);
    this.output('ModelBucket', this.data.modelBucket.bucketName);
    this.output('StateMachineArn', stateMachine.stateMachineArn);
    this.output('AlarmTopicArn', this.topic.topicArn);
    this.output('ConsoleUrl', this.serving.api.urlForPath('/console/'));
  }

  /** A topic with a policy loses the one by which alarms of its account may publish, so that is said here again. */
  private alarmTopic(): Topic {
    const topic = new Topic(this, 'AlarmTopic', { displayName: 'Ingot', enforceSSL: true });
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
