/** From an upload to features: S3 starts `clean` for what lands under `raw/`, and `transform` for each cleaning report. */
import { Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { EventType } from 'aws-cdk-lib/aws-s3';
import { LambdaDestination } from 'aws-cdk-lib/aws-s3-notifications';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { environment as variables } from '../core/names.ts';
import type { Batch } from './batch.ts';
import { IngotFunction, type Surroundings } from './function.ts';

export interface PreparationProps extends Surroundings {
  /** What `transform` starts once the features are there. */
  stateMachine: StateMachine;
  /** Where it is, for uploads that are too large for functions. */
  batch?: Batch | undefined;
}

export class Preparation extends Construct {
  readonly clean: IngotFunction;
  readonly transform: IngotFunction;
  /** Events that failed in all their attempts, a queue for each function, so that each can be sent again by itself. */
  readonly deadLetters: { clean: Queue; transform: Queue };

  constructor(scope: Construct, id: string, { stateMachine, batch, ...surroundings }: PreparationProps) {
    super(scope, id);
    this.deadLetters = {
      clean: this.queue('CleanDeadLetters', surroundings.data.key),
      transform: this.queue('TransformDeadLetters', surroundings.data.key),
    };
    // Cleaning and transforming may take all the time that Lambda gives.
    const timeout = Duration.minutes(15);
    const environment: Record<string, string> = batch ? { [variables.batch]: batch.settings() } : {};
    this.clean = new IngotFunction(this, 'Clean', {
      ...surroundings,
      name: 'clean',
      description: 'Reads an uploaded table, cleans it and reports every change',
      timeout,
      access: {
        data: { read: ['raw/', 'clean/', 'secrets/'], write: ['clean/', 'secrets/'] },
        statements: batch ? [batch.submit('prepare')] : [],
      },
      environment,
      deadLetters: this.deadLetters.clean,
    });
    this.transform = new IngotFunction(this, 'Transform', {
      ...surroundings,
      name: 'transform',
      description: 'Splits a clean table, fits its features and starts the run',
      timeout,
      access: {
        data: { read: ['clean/', 'features/'], write: ['clean/', 'features/'] },
        // Data that were learned before are released again.
        models: { read: ['runs/', 'models/'], write: ['runs/', 'models/'] },
        statements: [
          new PolicyStatement({ actions: ['states:StartExecution'], resources: [stateMachine.stateMachineArn] }),
          ...(batch ? [batch.submit('prepare')] : []),
        ],
      },
      environment: { ...environment, [variables.stateMachineArn]: stateMachine.stateMachineArn },
      deadLetters: this.deadLetters.transform,
    });
    for (const { role } of batch ? [this.clean, this.transform] : []) batch!.acknowledgeSubmit(role!, 'prepare');
    const { dataBucket } = surroundings.data;
    dataBucket.addEventNotification(EventType.OBJECT_CREATED, new LambdaDestination(this.clean), { prefix: 'raw/' });
    dataBucket.addEventNotification(EventType.OBJECT_CREATED, new LambdaDestination(this.transform), {
      prefix: 'clean/',
      suffix: 'report.json',
    });
  }

  private queue(id: string, key: IKey | undefined): Queue {
    const encryption = key ? { encryption: QueueEncryption.KMS, encryptionMasterKey: key } : { encryption: QueueEncryption.SQS_MANAGED };
    return new Queue(this, id, { ...encryption, enforceSSL: true, retentionPeriod: Duration.days(14) });
  }
}
