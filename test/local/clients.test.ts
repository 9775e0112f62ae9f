/** Programs that we didn't write, with nothing but the endpoint: the AWS CLI, boto3 and the SDK (whose CloudWatch speaks CBOR). */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { CloudWatchClient, GetMetricStatisticsCommand, ListMetricsCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningCloud } from '../../local/start-cloud.ts';
import { python, pythonHas } from '../python.ts';
import { apiOutputs, lambda, restApi, start } from './assembly.ts';

const run = promisify(execFile);

const functions = {
  doubles: `
    export const handler = async ({ x }) => {
      console.log(JSON.stringify({ _aws: { Timestamp: Date.now(), CloudWatchMetrics: [{ Namespace: 'Test', Dimensions: [['service']], Metrics: [{ Name: 'Doubled', Unit: 'Count' }] }] }, service: 'doubles', Doubled: 1 }));
      return { doubled: 2 * x };
    };`,
  notes: `
    export const handler = async (event) => {
      const { bucket, object } = event.Records[0].s3;
      const response = await fetch(process.env.AWS_ENDPOINT_URL, {
        method: 'POST',
        headers: { authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0', 'x-amz-target': 'AmazonSQS.SendMessage' },
        body: JSON.stringify({ QueueUrl: process.env.QUEUE, MessageBody: bucket.name + ' ' + object.key + ' ' + object.size }),
      });
      if (!response.ok) throw new Error(await response.text());
    };`,
  echo: 'export const handler = async () => ({ statusCode: 200, body: "{}" });',
};

const definition = { StartAt: 'Pass', States: { Pass: { Type: 'Pass', End: true } } };
const template = {
  Resources: {
    Data: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'data', VersioningConfiguration: { Status: 'Enabled' } } },
    Doubles: lambda('doubles'),
    Notes: lambda('notes', { Environment: { Variables: { QUEUE: { Ref: 'Queue' } } } }),
    Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'queue' } },
    Topic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'topic' } },
    ToQueue: {
      Type: 'AWS::SNS::Subscription',
      Properties: { TopicArn: { Ref: 'Topic' }, Protocol: 'sqs', Endpoint: { 'Fn::GetAtt': ['Queue', 'Arn'] }, RawMessageDelivery: true },
    },
    Alarms: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'alarms' } },
    AlarmTopic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'alarms' } },
    ToAlarms: {
      Type: 'AWS::SNS::Subscription',
      Properties: {
        TopicArn: { Ref: 'AlarmTopic' },
        Protocol: 'sqs',
        Endpoint: { 'Fn::GetAtt': ['Alarms', 'Arn'] },
        RawMessageDelivery: true,
      },
    },
    Events: {
      Type: 'Custom::S3BucketNotifications',
      Properties: {
        BucketName: { Ref: 'Data' },
        NotificationConfiguration: {
          LambdaFunctionConfigurations: [
            {
              Events: ['s3:ObjectCreated:*'],
              LambdaFunctionArn: { 'Fn::GetAtt': ['Notes', 'Arn'] },
              Filter: {
                Key: {
                  FilterRules: [
                    { Name: 'prefix', Value: 'raw/' },
                    { Name: 'suffix', Value: '.csv' },
                  ],
                },
              },
            },
          ],
        },
      },
    },
    Machine: {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: { StateMachineName: 'machine', DefinitionString: JSON.stringify(definition) },
    },
    Alarm: {
      Type: 'AWS::CloudWatch::Alarm',
      Properties: {
        AlarmName: 'doubled',
        Namespace: 'Test',
        MetricName: 'Doubled',
        Dimensions: [{ Name: 'service', Value: 'doubles' }],
        Statistic: 'Sum',
        Period: 60,
        EvaluationPeriods: 1,
        Threshold: 1,
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
        TreatMissingData: 'notBreaching',
        AlarmActions: [{ Ref: 'AlarmTopic' }],
      },
    },
    ...restApi(),
    Echo: lambda('echo'),
  },
  Outputs: {
    ...apiOutputs,
    Machine: { Value: { Ref: 'Machine' } },
    QueueUrl: { Value: { Ref: 'Queue' } },
    Topic: { Value: { Ref: 'Topic' } },
  },
};

let cloud: RunningCloud;
const directory = mkdtempSync(join(tmpdir(), 'ingot-clients-'));
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const environment = () => ({
  ...process.env,
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_CONFIG_FILE: '/dev/null',
  ENDPOINT: cloud.url,
});

beforeAll(async () => {
  cloud = await start(template, functions);
});
afterAll(() => cloud.close());

const cli = join(dirname(python), 'aws');
const noCli = !existsSync(cli);

async function aws(...args: string[]) {
  const { stdout } = await run(cli, ['--endpoint-url', cloud.url, '--output', 'json', ...args], { env: environment() });
  return stdout.trim().startsWith('{') ? JSON.parse(stdout) : stdout;
}

async function boto3(script: string) {
  const head = "import boto3, json, os\nclient = lambda name: boto3.client(name, endpoint_url=os.environ['ENDPOINT'])\n";
  const { stdout } = await run(python, ['-c', head + script], { env: environment() });
  return JSON.parse(stdout);
}

/** Takes the next message out of a queue. */
async function nextMessage(name: string): Promise<string> {
  const queue = cloud.cloud.queues.get(`arn:aws:sqs:us-east-1:000000000000:${name}`)!;
  const [message] = await queue.receive(1, 30_000, 60_000, AbortSignal.timeout(60_000));
  queue.delete(message!.receipt!);
  return message!.body;
}

describe.skipIf(noCli)(`the AWS CLI${noCli ? ' (not beside this Python)' : ''}`, () => {
  test('copies a file, whose event reaches the function that waits for it', async () => {
    const path = join(directory, 'a file+1.csv');
    writeFileSync(path, 'a,b\n1,2\n');
    await aws('s3', 'cp', path, 's3://data/raw/set/a file+1.csv');
    await aws('s3', 'cp', path, 's3://data/raw/set/other.txt');
    expect(await nextMessage('queue')).toBe('data raw/set/a+file%2B1.csv 8');
    await aws('s3', 'cp', 's3://data/raw/set/a file+1.csv', join(directory, 'back.csv'));
    expect(readFileSync(join(directory, 'back.csv'), 'utf8')).toBe('a,b\n1,2\n');
  });

  test('invokes a function and lists executions', async () => {
    const out = join(directory, 'answer.json');
    await aws('lambda', 'invoke', '--function-name', 'doubles', '--payload', '{"x":21}', out);
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual({ doubled: 42 });
    const arn = cloud.outputs['Machine']!;
    await aws('stepfunctions', 'start-execution', '--state-machine-arn', arn, '--name', 'by-cli');
    const { executions } = await aws('stepfunctions', 'list-executions', '--state-machine-arn', arn);
    expect(executions).toMatchObject([{ name: 'by-cli', stateMachineArn: arn }]);
  });

  test('reads the API key, the log groups and who it is', async () => {
    const key = await aws('apigateway', 'get-api-key', '--api-key', cloud.outputs['ApiKeyId']!, '--include-value');
    expect(key).toMatchObject({ value: cloud.outputs['ApiKey'], enabled: true });
    expect((await aws('sts', 'get-caller-identity')).Account).toBe('000000000000');
    expect((await aws('logs', 'describe-log-groups')).logGroups).toContainEqual(
      expect.objectContaining({ logGroupName: '/aws/lambda/doubles' }),
    );
  });
});

const noBoto = !pythonHas('boto3');

describe.skipIf(noBoto)(`boto3${noBoto ? ' (not installed)' : ''}`, () => {
  test('sends, receives and deletes messages, and publishes to them', async () => {
    const told = await boto3(`
sqs, sns = client('sqs'), client('sns')
url = sqs.get_queue_url(QueueName='queue')['QueueUrl']
sqs.send_message(QueueUrl=url, MessageBody='grüße')
message = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)['Messages'][0]
sqs.delete_message(QueueUrl=url, ReceiptHandle=message['ReceiptHandle'])
topic = [each['TopicArn'] for each in sns.list_topics()['Topics'] if each['TopicArn'].endswith(':topic')][0]
sns.publish(TopicArn=topic, Message='<news> & more', Subject='s')
news = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)['Messages'][0]
sqs.delete_message(QueueUrl=url, ReceiptHandle=news['ReceiptHandle'])
left = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['All'])['Attributes']['ApproximateNumberOfMessages']
print(json.dumps([message['Body'], news['Body'], left]))`);
    expect(told).toEqual(['grüße', '<news> & more', '0']);
  });

  test('sees the function’s metrics, and the alarm on them', async () => {
    const told = await boto3(`
import datetime, time
answer = json.load(client('lambda').invoke(FunctionName='doubles', Payload='{"x": 4}')['Payload'])
cloudwatch, now = client('cloudwatch'), datetime.datetime.now(datetime.timezone.utc)
for _ in range(100):
    alarm = cloudwatch.describe_alarms(AlarmNames=['doubled'])['MetricAlarms'][0]
    if alarm['StateValue'] == 'ALARM': break
    time.sleep(0.2)
day = datetime.timedelta(days=1)
points = cloudwatch.get_metric_statistics(Namespace='Test', MetricName='Doubled', Dimensions=[{'Name': 'service', 'Value': 'doubles'}],
    StartTime=now - day, EndTime=now + day, Period=86400, Statistics=['Maximum'])['Datapoints']
print(json.dumps([answer, alarm['StateValue'], points[0]['Maximum'], type(points[0]['Timestamp']).__name__]))`);
    expect(told).toEqual([{ doubled: 8 }, 'ALARM', 1, 'datetime']);
    expect(JSON.parse(await nextMessage('alarms'))).toMatchObject({ AlarmName: 'doubled', NewStateValue: 'ALARM' });
  });

  test('gets the errors of the services by their names', async () => {
    const told = await boto3(`
names = []
for service, call, arguments in [
    ('sqs', 'get_queue_url', {'QueueName': 'nobody'}),
    ('stepfunctions', 'describe_execution', {'executionArn': 'arn:aws:states:us-east-1:000000000000:execution:machine:nobody'}),
    ('lambda', 'invoke', {'FunctionName': 'nobody'}),
    ('sns', 'publish', {'TopicArn': 'arn:aws:sns:us-east-1:000000000000:nobody', 'Message': 'x'}),
    ('cloudwatch', 'set_alarm_state', {'AlarmName': 'nobody', 'StateValue': 'OK', 'StateReason': 'x'}),
]:
    api = client(service)
    try: getattr(api, call)(**arguments)
    except api.exceptions.ClientError as error: names.append(error.response['Error']['Code'])
print(json.dumps(names))`);
    expect(told).toEqual([
      expect.stringMatching(/QueueDoesNotExist|NonExistentQueue/),
      'ExecutionDoesNotExist',
      'ResourceNotFoundException',
      'NotFound',
      expect.stringMatching(/^ResourceNotFound/),
    ]);
  });
});

describe('the SDK for JavaScript', () => {
  const client = <T>(Client: new (options: object) => T) => new Client({ endpoint: cloud.url, region: 'us-east-1', credentials });

  test('puts and gets objects, also through localhost and its virtual hosts', async () => {
    const s3 = client(S3Client);
    await s3.send(new PutObjectCommand({ Bucket: 'data', Key: 'k', Body: 'text', IfNoneMatch: '*' }));
    expect(await (await s3.send(new GetObjectCommand({ Bucket: 'data', Key: 'k' }))).Body!.transformToString()).toBe('text');
    await expect(s3.send(new PutObjectCommand({ Bucket: 'data', Key: 'k', Body: 'text', IfNoneMatch: '*' }))).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
  });

  test('starts executions and speaks of metrics in CBOR', async () => {
    const { executionArn, startDate } = await client(SFNClient).send(
      new StartExecutionCommand({ stateMachineArn: cloud.outputs['Machine']!, name: 'by-sdk', input: '{}' }),
    );
    expect(executionArn).toMatch(/:execution:machine:by-sdk$/);
    expect(Math.abs(startDate!.getTime() - Date.now())).toBeLessThan(60_000);
    const cloudWatch = client(CloudWatchClient);
    const at = new Date();
    const MetricData = [{ MetricName: 'Size', Value: 3, Unit: 'Count' as const, Timestamp: at }];
    await cloudWatch.send(new PutMetricDataCommand({ Namespace: 'Sdk', MetricData }));
    const { Metrics } = await cloudWatch.send(new ListMetricsCommand({ Namespace: 'Sdk' }));
    expect(Metrics).toEqual([{ Namespace: 'Sdk', MetricName: 'Size', Dimensions: [] }]);
    const { Datapoints } = await cloudWatch.send(
      new GetMetricStatisticsCommand({
        Namespace: 'Sdk',
        MetricName: 'Size',
        StartTime: new Date(at.getTime() - 3600_000),
        EndTime: new Date(at.getTime() + 3600_000),
        Period: 60,
        Statistics: ['Sum', 'Average'],
        ExtendedStatistics: ['p95'],
      }),
    );
    expect(Datapoints).toMatchObject([{ Sum: 3, Average: 3, Unit: 'Count', ExtendedStatistics: { p95: 3 } }]);
  });
});
