/**
 * What tells how jobs end and how long their queues are, as metrics, and starts a larger one where a job's memory was used up: a function that
 * Batch's events call, and a clock while there are jobs. The function switches the clock on and off, so that it costs nothing while nobody asks.
 */
import { Aws, Duration, Names, Stack } from 'aws-cdk-lib';
import { Match, Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { environment, interruptions } from '../core/names.ts';
import type { Batch } from './batch.ts';
import { IngotFunction, type Surroundings } from './function.ts';

export interface WatchProps extends Surroundings {
  batch: Batch;
}

export class Watch extends Construct {
  readonly watch: IngotFunction;

  constructor(scope: Construct, id: string, { batch, ...surroundings }: WatchProps) {
    super(scope, id);
    // The rule calls the function and the function switches the rule: one of them must know the other's name beforehand.
    const ruleName = Names.uniqueResourceName(this, { maxLength: 64 });
    const ruleArn = Stack.of(this).formatArn({ service: 'events', resource: 'rule', resourceName: ruleName });
    this.watch = new IngotFunction(this, 'Watch', {
      ...surroundings,
      name: 'watch',
      description: 'Tells how jobs end and how long their queues are, and starts a larger one where memory was used up',
      timeout: Duration.minutes(1),
      access: {
        statements: [
          batch.count(),
          batch.submit('prepare'),
          new PolicyStatement({ actions: ['events:EnableRule', 'events:DisableRule'], resources: [ruleArn] }),
        ],
      },
      environment: {
        [environment.batch]: batch.settings(),
        [environment.watchRule]: ruleName,
        [environment.eventsEndpoint]: `https://events.${Aws.REGION}.${Aws.URL_SUFFIX}`,
      },
    });
    batch.acknowledgeLook(this.watch.role!);
    batch.acknowledgeSubmit(this.watch.role!, 'prepare');
    const targets = [new LambdaFunction(this.watch)];
    new Rule(this, 'Clock', {
      ruleName,
      description: "Looks at Ingot's job queues; switched on and off by the function that it calls",
      schedule: Schedule.rate(Duration.minutes(1)),
      enabled: false,
      targets,
    });
    const ended = { status: ['SUCCEEDED', 'FAILED'] };
    // Of an array the children begin together: their parent speaks for them.
    const waits = { status: ['PENDING', 'RUNNABLE'], arrayProperties: { index: Match.doesNotExist() } };
    const interrupted = { status: ['RUNNABLE'], attempts: { statusReason: interruptions.map((words) => ({ prefix: words })) } };
    new Rule(this, 'Changes', {
      description: "What becomes of Ingot's jobs",
      eventPattern: {
        source: ['aws.batch'],
        detailType: ['Batch Job State Change'],
        detail: { jobQueue: Object.values(batch.queues).map((queue) => queue.attrJobQueueArn), $or: [ended, waits, interrupted] },
      },
      targets,
    });
  }
}
