import { readFileSync } from 'node:fs';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { type FunctionName, functionNames, stages } from '../../core/names.ts';
import { stackOf } from './stack.ts';

const template = Template.fromStack(stackOf());

interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
}

const resources = (type: string) => Object.entries(template.findResources(type)) as [string, Resource][];
const text = (value: unknown) => JSON.stringify(value);

function functionOf(name: FunctionName): Resource {
  return resources('AWS::Lambda::Function').find(([, { Properties }]) => Properties['Handler'] === `dist/${name}.handler`)![1];
}

describe('buckets', () => {
  it('are versioned, encrypted, closed to the public and kept when the stack goes', () => {
    template.resourceCountIs('AWS::S3::Bucket', 2);
    template.allResources('AWS::S3::Bucket', {
      Properties: {
        VersioningConfiguration: { Status: 'Enabled' },
        BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }] },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
        LifecycleConfiguration: {
          Rules: Match.arrayWith([
            {
              Status: 'Enabled',
              NoncurrentVersionExpiration: { NoncurrentDays: 30 },
              ExpiredObjectDeleteMarker: true,
              AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
            },
          ]),
        },
      },
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
    });
  });

  it('keep their policies with them', () => {
    template.allResources('AWS::S3::BucketPolicy', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });

  it('keep no checkpoints that a cancelled run has left', () => {
    const expiring = resources('AWS::S3::Bucket').filter(([, { Properties }]) => text(Properties).includes('ExpirationInDays'));
    expect(expiring.map(([id]) => id)).toEqual([expect.stringContaining('ModelBucket')]);
    template.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: { Rules: Match.arrayWith([{ Status: 'Enabled', Prefix: 'checkpoints/', ExpirationInDays: 7 }]) },
    });
  });

  it('refuse what does not come over TLS 1.2', () => {
    template.resourceCountIs('AWS::S3::BucketPolicy', 2);
    template.allResourcesProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          Match.objectLike({ Effect: 'Deny', Action: 's3:*', Condition: { NumericLessThan: { 's3:TlsVersion': 1.2 } } }),
        ]),
      },
    });
  });

  it('start clean for what is uploaded, and transform for each cleaning report', () => {
    const rule = (...filters: [string, string][]) =>
      Match.objectLike({
        Events: ['s3:ObjectCreated:*'],
        Filter: { Key: { FilterRules: filters.map(([Name, Value]) => ({ Name, Value })) } },
      });
    template.hasResourceProperties('Custom::S3BucketNotifications', {
      NotificationConfiguration: {
        LambdaFunctionConfigurations: [rule(['prefix', 'raw/']), rule(['suffix', 'report.json'], ['prefix', 'clean/'])],
      },
    });
  });
});

describe('functions', () => {
  it('are those of core/names.ts, on arm64 unless told otherwise', () => {
    const handlers = resources('AWS::Lambda::Function').map(([, { Properties }]) => Properties['Handler']);
    expect(handlers.sort()).toEqual([...functionNames.map((name) => `dist/${name}.handler`), 'index.handler'].sort());
    for (const name of functionNames) {
      expect(functionOf(name).Properties).toMatchObject({ Architectures: ['arm64'], Runtime: 'nodejs24.x' });
    }
  });

  it('run on the processor that the context names', () => {
    const x64 = Template.fromStack(stackOf({}, { 'ingot:processor': 'x64' }));
    x64.resourcePropertiesCountIs('AWS::Lambda::Function', { Architectures: ['x86_64'] }, functionNames.length);
  });

  it('log for the configured time', () => {
    const short = Template.fromStack(stackOf({ logDays: 7 }));
    short.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 7 });
    for (const name of functionNames)
      expect(functionOf(name).Properties['LoggingConfig']).toMatchObject({ LogGroup: { Ref: expect.anything() } });
  });

  it('keep asynchronous events that failed, a queue for each that S3 starts', () => {
    for (const name of ['clean', 'transform'] as const) {
      const { TargetArn } = functionOf(name).Properties['DeadLetterConfig'] as { TargetArn: { 'Fn::GetAtt': [string, string] } };
      const queue = resources('AWS::SQS::Queue').find(([id]) => id === TargetArn['Fn::GetAtt'][0])![1];
      expect(queue.Properties).toMatchObject({ SqsManagedSseEnabled: true, MessageRetentionPeriod: 14 * 24 * 3600 });
    }
  });
});

describe('a run', () => {
  interface State {
    Type: string;
    Next?: string;
    Default?: string;
    Resource?: string;
    Parameters?: unknown;
    Catch?: { ErrorEquals: string[]; Next: string; ResultPath: string }[];
    Retry?: { ErrorEquals: string[]; MaxAttempts: number }[];
    ItemProcessor?: { States: Record<string, State> };
    [key: string]: unknown;
  }
  const [, { Properties }] = resources('AWS::StepFunctions::StateMachine')[0]!;
  type Part = string | { 'Fn::GetAtt': [string, string] } | { Ref: string };
  const parts = (Properties['DefinitionString'] as { 'Fn::Join': [string, Part[]] })['Fn::Join'][1];
  const definition = JSON.parse(
    parts.map((part) => (typeof part === 'string' ? part : 'Ref' in part ? part.Ref : part['Fn::GetAtt'][0])).join(''),
  ) as {
    StartAt: string;
    TimeoutSeconds: number;
    States: Record<string, State>;
  };
  const states = Object.entries(definition.States);
  const retried = (state: State) => state.Retry!.flatMap(({ ErrorEquals }) => ErrorEquals);

  it('goes through the stages in their order', () => {
    const order: string[] = [];
    const next = ({ Next, Default }: State) => Next ?? Default;
    for (let name: string | undefined = definition.StartAt; name; name = next(definition.States[name]!))
      if (definition.States[name]!.Type !== 'Choice') order.push(name);
    expect(order).toEqual(stages.map(({ name }) => name));
  });

  it('searches again where Select has more trials, and asks it for the jobs that do them', () => {
    for (const name of ['Plan', 'Select']) expect(definition.States[name]).toMatchObject({ ResultPath: '$.plan' });
    expect(definition.States['Select']).toMatchObject({ Next: 'More' });
    expect(definition.States['More']).toMatchObject({ Default: 'Where to finish' });
    expect(definition.States['Search']).toMatchObject({ Next: 'Select' });
  });

  it('goes through Batch where Plan has jobs: the search is an array of them, and all from the fit to the gate another', () => {
    const ways = Object.fromEntries(states.filter(([, { Type }]) => Type === 'Choice').map(([name, state]) => [name, state['Choices']]));
    const where = (what: string, Next: string) => [{ Variable: `$.plan.job.${what}`, IsPresent: true, Next }];
    expect(ways).toEqual({
      'Where to search': where('search', 'Search on Batch'),
      More: [{ Variable: '$.plan.trials[0]', IsPresent: true, Next: 'Where to search' }],
      'Where to finish': where('finish', 'Finish on Batch'),
    });
    expect(definition.States['Search on Batch']).toMatchObject({
      Resource: 'arn:AWS::Partition:states:::batch:submitJob.sync',
      TimeoutSecondsPath: '$.plan.job.searchSeconds',
      Parameters: {
        'JobName.$': "States.Format('{}-search', $.run)",
        ArrayProperties: { 'Size.$': '$.plan.job.children' },
        'ShareIdentifier.$': '$.plan.job.share',
        'SchedulingPriorityOverride.$': '$.plan.job.priority',
      },
      ResultPath: null,
      Next: 'Select',
    });
    expect(definition.States['Finish on Batch']).toMatchObject({
      TimeoutSecondsPath: '$.plan.job.finishSeconds',
      Parameters: { 'ContainerOverrides.$': '$.plan.job.finish' },
      Next: 'Register',
    });
  });

  it('asks Plan anew where Batch fails, and goes on from the search', () => {
    for (const name of ['Search on Batch', 'Finish on Batch'])
      expect(definition.States[name]!.Catch).toEqual([{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Plan anew' }]);
    expect(definition.States['Plan anew']).toMatchObject({
      Parameters: { 'error.$': '$.error' },
      ResultPath: '$.plan',
      Next: 'Where to search',
    });
    expect(definition.States['Plan anew']!.Catch![0]).toMatchObject({ Next: 'Record failure' });
  });

  it('is functions alone where Batch is switched off', () => {
    const without = Template.fromStack(stackOf({ batch: 'off' }));
    for (const type of ['AWS::Batch::JobQueue', 'AWS::EC2::VPC']) without.resourceCountIs(type, 0);
    expect(text(without.findResources('AWS::StepFunctions::StateMachine'))).not.toContain('batch');
  });

  it('calls each stage with the run, and Search with a trial too', () => {
    const run = { 'run.$': '$.run', 'dataset.$': '$.dataset', 'revision.$': '$.revision' };
    expect(definition.States['Fit']).toMatchObject({ Type: 'Task', Parameters: run, ResultPath: null });
    expect(definition.States['Plan']).toMatchObject({ Parameters: run, ResultPath: '$.plan' });
    const search = definition.States['Search']!;
    expect(search).toMatchObject({
      Type: 'Map',
      ItemsPath: '$.plan.trials',
      MaxConcurrency: 8,
      ResultPath: null,
      ItemSelector: { ...run, 'trial.$': '$$.Map.Item.Value' },
    });
    expect(search.ItemProcessor!.States['Trial']).toMatchObject({ Type: 'Task', Parameters: { ...run, 'trial.$': '$.trial' } });
  });

  it('tries again where Lambda failed or the function was killed, and not where Ingot says what is wrong', () => {
    const tasks = [...states.map(([, state]) => state), ...Object.values(definition.States['Search']!.ItemProcessor!.States)];
    for (const task of tasks.filter(({ Type, Resource }) => Type === 'Task' && !Resource!.includes('batch'))) {
      expect(retried(task)).toEqual(expect.arrayContaining(['Lambda.TooManyRequestsException', 'Sandbox.Timedout', 'Runtime.ExitError']));
      expect(retried(task)).not.toEqual(expect.arrayContaining(['States.ALL']));
      expect(retried(task)).not.toEqual(expect.arrayContaining(['States.TaskFailed']));
    }
  });

  it('ends every failure in the fail function, which learns the error, and then fails with it', () => {
    for (const { name } of stages) {
      const [caught] = definition.States[name]!.Catch!;
      expect(caught).toMatchObject({ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Record failure' });
    }
    expect(definition.States['Record failure']).toMatchObject({
      Parameters: { 'run.$': '$.run', 'error.$': '$.error' },
      Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Failed' }],
      Next: 'Failed',
    });
    expect(definition.States['Failed']).toMatchObject({ Type: 'Fail', ErrorPath: '$.error.Error', CausePath: '$.error.Cause' });
  });

  it('is stopped at last', () => {
    expect(definition.TimeoutSeconds).toBe(6 * 3600);
  });
});

describe('the API', () => {
  const pathOf = (id: string): string => {
    const found = resources('AWS::ApiGateway::Resource').find(([name]) => name === id);
    if (!found) return '';
    const { ParentId, PathPart } = found[1].Properties as { ParentId: { Ref?: string }; PathPart: string };
    return `${pathOf(ParentId.Ref ?? '')}/${PathPart}`;
  };
  const methods = resources('AWS::ApiGateway::Method').map(([, { Properties }]) => ({
    path: pathOf((Properties['ResourceId'] as { Ref?: string }).Ref ?? '') || '/',
    key: Properties['ApiKeyRequired'],
    verb: Properties['HttpMethod'],
    to: /Serving(Predict|Api)Function/.exec(text(Properties['Integration']))![1],
  }));

  it('asks for a key on all but health and the files of the console', () => {
    expect(
      methods
        .filter(({ key }) => key !== true)
        .map(({ path }) => path)
        .sort(),
    ).toEqual(['/console', '/console/{proxy+}', '/ping', '/v2/health/{proxy+}']);
  });

  it('sends predictions to predict and all else to api', () => {
    const predicting = methods.filter(({ to }) => to === 'Predict').map(({ path }) => path);
    expect(predicting.sort()).toEqual([
      '/invocations',
      '/models/{model}/predict',
      '/ping',
      '/predict',
      '/v2',
      '/v2/health/{proxy+}',
      '/v2/{proxy+}',
    ]);
    expect(methods.map(({ verb }) => verb)).toEqual(methods.map(() => 'ANY'));
  });

  it('answers its own refusals in the shape of ours', () => {
    const answers = resources('AWS::ApiGateway::GatewayResponse').map(([, { Properties }]) => Properties);
    for (const { ResponseTemplates } of answers) {
      const { error } = JSON.parse((ResponseTemplates as Record<string, string>)['application/json']!) as { error: object };
      expect(Object.keys(error)).toEqual(['code', 'message', 'fix']);
    }
    const statuses = Object.fromEntries(answers.map(({ ResponseType, StatusCode }) => [ResponseType, StatusCode]));
    expect(statuses).toMatchObject({ INVALID_API_KEY: '403', THROTTLED: '429', QUOTA_EXCEEDED: '429', REQUEST_TOO_LARGE: '413' });
    expect(Object.keys(statuses)).toContain('DEFAULT_5XX');
  });

  it('asks IAM in place of a key, or besides, where it is told to', () => {
    const closed = (authorization: 'iam' | 'both') =>
      Object.values(Template.fromStack(stackOf({ authorization })).findResources('AWS::ApiGateway::Method')).map(
        ({ Properties: { AuthorizationType, ApiKeyRequired } }) => `${AuthorizationType} ${ApiKeyRequired === true}`,
      );
    const count = (all: string[], what: string) => all.filter((each) => each === what).length;
    expect([count(closed('iam'), 'AWS_IAM false'), count(closed('iam'), 'NONE false')]).toEqual([methods.length - 4, 4]);
    expect([count(closed('both'), 'AWS_IAM true'), count(closed('both'), 'NONE false')]).toEqual([methods.length - 4, 4]);
    Template.fromStack(stackOf({ authorization: 'iam' })).hasResourceProperties('AWS::ApiGateway::GatewayResponse', {
      ResponseType: 'MISSING_AUTHENTICATION_TOKEN',
      StatusCode: '403',
    });
  });

  it('has further keys, each with a usage plan of its own, as the settings or the command line say', () => {
    const stack = Template.fromStack(stackOf({}, { 'ingot:keys': '{"mobile":{"requestsPerSecond":5,"requestsPerMonth":1000}}' }));
    stack.resourceCountIs('AWS::ApiGateway::ApiKey', 2);
    stack.hasResourceProperties('AWS::ApiGateway::UsagePlan', {
      Throttle: { RateLimit: 5, BurstLimit: 5000 },
      Quota: { Limit: 1000, Period: 'MONTH' },
    });
    expect(Object.keys(stack.findOutputs('*'))).toContain('ApiKeyIdMobile');
    expect(() => stackOf({ keys: { 'no name': {} } })).toThrow('keys');
    expect(() => stackOf({}, { 'ingot:keys': '{' })).toThrow('keys');
  });

  it('limits each key and the stage, and logs every access', () => {
    template.hasResourceProperties('AWS::ApiGateway::UsagePlan', {
      Throttle: { RateLimit: 10_000, BurstLimit: 5000 },
      Quota: { Limit: 10_000_000, Period: 'MONTH' },
      ApiStages: [Match.anyValue()],
    });
    template.hasResourceProperties('AWS::ApiGateway::Stage', {
      StageName: 'prod',
      AccessLogSetting: { DestinationArn: Match.anyValue() },
      MethodSettings: [Match.objectLike({ ThrottlingRateLimit: 10_000, ThrottlingBurstLimit: 5000 })],
    });
  });
});

describe('alarms', () => {
  const alarms = resources('AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties);
  const metrics = alarms.map(({ Namespace, MetricName, ExtendedStatistic }) =>
    [Namespace, MetricName, ...(ExtendedStatistic ? [ExtendedStatistic] : [])].join(' '),
  );

  it('watch the API, every function, dead letters, runs, and the jobs of every queue', () => {
    const counts: Record<string, number> = {};
    for (const metric of metrics) counts[metric] = (counts[metric] ?? 0) + 1;
    expect(counts).toEqual({
      'AWS/ApiGateway 5XXError': 1,
      'AWS/ApiGateway Latency p95': 1,
      'AWS/ApiGateway Latency p99': 1,
      'AWS/Lambda Errors': functionNames.length,
      'AWS/Lambda Throttles': functionNames.length,
      'AWS/SQS ApproximateNumberOfMessagesVisible': 2,
      'AWS/States ExecutionsFailed': 1,
      'AWS/States ExecutionsTimedOut': 1,
      'Ingot OldestJobWaiting': 1,
      'Ingot JobsFailed': 1,
      'Ingot JobMemoryUtilization': 1,
    });
  });

  it('are as many as docs/deploy.md says', () => {
    const page = readFileSync(new URL('../../docs/deploy.md', import.meta.url), 'utf8');
    expect(page).toContain(`\n${resources('AWS::CloudWatch::Alarm').length} alarms (ten are free`);
  });

  it('all go to the topic, which takes only TLS, and to a mailbox where one is given', () => {
    const topic = Object.keys(template.findResources('AWS::SNS::Topic'))[0]!;
    for (const { AlarmActions } of alarms) expect(AlarmActions).toEqual([{ Ref: topic }]);
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: [
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          Match.objectLike({ Effect: 'Allow', Action: 'sns:Publish', Principal: { Service: 'cloudwatch.amazonaws.com' } }),
        ],
      },
    });
    Template.fromStack(stackOf({ alarmEmail: 'ops@example.com' })).hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'ops@example.com',
    });
  });
});

describe('the stack', () => {
  it('has the outputs of the contract', () => {
    expect(Object.keys(template.findOutputs('*')).sort()).toEqual(
      ['ApiUrl', 'ApiKeyId', 'DataBucket', 'ModelBucket', 'StateMachineArn', 'AlarmTopicArn', 'ConsoleUrl'].sort(),
    );
  });

  it('is the same however often it is made', () => {
    expect(Template.fromStack(stackOf()).toJSON()).toEqual(template.toJSON());
  });
});
