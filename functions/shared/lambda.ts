/** Makes a piece of work a Lambda handler: AWS behind its services, structured logs and metrics around it. */
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import middy from '@middy/core';
import { S3ObjectStore, s3Client } from '../../aws/s3-object-store.ts';
import { StepFunctionsRuns } from '../../aws/step-functions-runs.ts';
import { environment } from '../../core/names.ts';
import { Counters } from './counters.ts';
import { endBy } from './end-by.ts';
import { requireEnv } from './environment.ts';
import type { Services } from './services.ts';

const logger = new Logger({ serviceName: 'ingot' });
const counters = new Counters();

let connected: Services | undefined;

/** The services of this environment, connected on first use. */
export function awsServices(): Services {
  if (connected) return connected;
  const s3 = s3Client();
  const sns = new SNSClient({});
  connected = {
    data: new S3ObjectStore(requireEnv(environment.dataBucket), s3),
    models: new S3ObjectStore(requireEnv(environment.modelBucket), s3),
    executions: new StepFunctionsRuns(process.env[environment.stateMachineArn] ?? ''),
    jobs: async () => new (await import('../../aws/batch-jobs.ts')).BatchJobs(),
    now: () => new Date(),
    endBy,
    count: (metric, value = 1) => counters.add(metric, value),
    log: (message, details) => logger.info(message, details ?? {}),
    notify: async (subject, message) => {
      await sns.send(
        new PublishCommand({ TopicArn: requireEnv(environment.alarmTopicArn), Subject: subject.slice(0, 100), Message: message }),
      );
    },
  };
  return connected;
}

export function lambda<R>(work: (event: unknown, services: Services) => Promise<R>) {
  return middy<unknown, R>()
    .use(injectLambdaContext(logger))
    .use({ after: () => counters.flush(), onError: () => counters.flush() })
    .onError(({ error }) => {
      logger.error('failed', error as Error);
    })
    .handler((event) => work(event, awsServices()));
}
