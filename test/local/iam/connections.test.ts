/** What the roles and permissions of a template must allow before its parts work together. */
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../local/template/intrinsics.ts';
import type { Template } from '../../../local/template/template.ts';
import { apiOutputs, lambda, restApi, start } from '../assembly.ts';

const functions = { works: 'export const handler = async () => 1;' };

const logs = { Effect: 'Allow', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: '*' };

const role = (service: string, ...Statement: JsonObject[]) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: `${service}.amazonaws.com` } }],
    },
    ...(Statement.length > 0 && { Policies: [{ PolicyName: 'own', PolicyDocument: { Statement } }] }),
  },
});

const arnOf = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
const works = (properties: JsonObject = {}) => lambda('works', { Role: arnOf('Role'), ...properties });
const permission = (Principal: string, SourceArn: JsonObject | string) => ({
  Type: 'AWS::Lambda::Permission',
  Properties: { FunctionName: arnOf('Works'), Action: 'lambda:InvokeFunction', Principal, SourceArn },
});

/** Starts a template and stops it again. */
async function startOnce(Resources: Template['Resources'], Outputs: Template['Outputs'] = {}): Promise<void> {
  const cloud = await start({ Resources, Outputs }, functions);
  await cloud.close();
}

const bucket = {
  Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'data' } },
  Events: {
    Type: 'Custom::S3BucketNotifications',
    Properties: {
      BucketName: { Ref: 'Bucket' },
      NotificationConfiguration: { LambdaFunctionConfigurations: [{ Events: ['s3:ObjectCreated:*'], LambdaFunctionArn: arnOf('Works') }] },
    },
  },
};

test('a bucket needs a permission for its function, with its own ARN', async () => {
  const own = { Role: role('lambda', logs), Works: works(), ...bucket };
  const words = 'arn:aws:s3:::data may not invoke arn:aws:lambda:us-east-1:000000000000:function:works.';
  await expect(startOnce(own)).rejects.toThrow(words);
  await expect(startOnce({ ...own, May: permission('s3.amazonaws.com', 'arn:aws:s3:::other') })).rejects.toThrow(words);
  await expect(startOnce({ ...own, May: permission('sns.amazonaws.com', arnOf('Bucket')) })).rejects.toThrow(words);
  await startOnce({ ...own, May: permission('s3.amazonaws.com', arnOf('Bucket')) });
});

test('an API needs a permission for its function', async () => {
  const { Echo: _, ...api } = { Echo: 0, ...restApi() };
  const integrated = JSON.parse(JSON.stringify(api).replaceAll('"Echo"', '"Works"')) as Template['Resources'];
  const own = { ...integrated, Role: role('lambda', logs), Works: works() };
  await expect(startOnce(own, apiOutputs)).rejects.toThrow(/arn:aws:execute-api:.* may not invoke/);
  const all = { 'Fn::Sub': `arn:aws:execute-api:us-east-1:\${AWS::AccountId}:\${Api}/*` };
  await startOnce({ ...own, May: permission('apigateway.amazonaws.com', all) }, apiOutputs);
});

test('a function needs a role that Lambda may act in, that writes its log and its dead letters', async () => {
  await expect(startOnce({ Role: role('states', logs), Works: works() })).rejects.toThrow('cannot be assumed by lambda.amazonaws.com');
  await expect(startOnce({ Role: role('lambda'), Works: works() })).rejects.toThrow(
    /not authorized to perform: logs:CreateLogStream on resource/,
  );
  const queue = { Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'dead' } } };
  const dead = works({ DeadLetterConfig: { TargetArn: arnOf('Queue') } });
  await expect(startOnce({ ...queue, Role: role('lambda', logs), Works: dead })).rejects.toThrow(
    /sqs:SendMessage on resource: arn:aws:sqs:.*:dead/,
  );
  const sends = { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: arnOf('Queue') };
  await startOnce({ ...queue, Role: role('lambda', logs, sends), Works: dead });
});

test('a managed policy of AWS’s, one of the stack’s and a boundary count', async () => {
  const Role = role('lambda');
  const managed = { 'Fn::Sub': `arn:\${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole` };
  const withManaged = { ...Role, Properties: { ...Role.Properties, ManagedPolicyArns: [managed] } };
  await startOnce({ Role: withManaged, Works: works() });
  const Boundary = {
    Type: 'AWS::IAM::ManagedPolicy',
    Properties: { PolicyDocument: { Statement: [{ Effect: 'Allow', Action: 'logs:CreateLogStream', Resource: '*' }] } },
  };
  const bounded = { ...Role, Properties: { ...withManaged.Properties, PermissionsBoundary: { Ref: 'Boundary' } } };
  await expect(startOnce({ Boundary, Role: bounded, Works: works() })).rejects.toThrow(
    'because no permissions boundary allows the logs:PutLogEvents action',
  );
  const unknown = { ...Role, Properties: { ...Role.Properties, ManagedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess'] } };
  await expect(startOnce({ Role: unknown, Works: works() })).rejects.toThrow('does not know the managed policy');
});

test('a state machine whose role does not allow a function fails at that state with the reason', async () => {
  const invokes = { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: arnOf('Works') };
  const machine = (id: string) => ({
    Type: 'AWS::StepFunctions::StateMachine',
    Properties: {
      StateMachineName: id,
      RoleArn: arnOf(`${id}Role`),
      DefinitionString: {
        'Fn::Sub': [`{"StartAt":"Do","States":{"Do":{"Type":"Task","Resource":"\${function}","End":true}}}`, { function: arnOf('Works') }],
      },
    },
  });
  const Resources = {
    Role: role('lambda', logs),
    Works: works(),
    mayRole: role('states', invokes),
    may: machine('may'),
    mayNotRole: role('states'),
    mayNot: machine('mayNot'),
  };
  const cloud = await start({ Resources, Outputs: { may: { Value: { Ref: 'may' } }, mayNot: { Value: { Ref: 'mayNot' } } } }, functions);
  const client = new SFNClient({ endpoint: cloud.url, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
  const outcome = async (name: string) => {
    const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn: cloud.outputs[name]!, name: 'once' }));
    const describe = () => client.send(new DescribeExecutionCommand({ executionArn }));
    await expect.poll(async () => (await describe()).status).not.toBe('RUNNING');
    const { status, error, cause } = await describe();
    return { status, error, cause };
  };
  try {
    expect(await outcome('may')).toMatchObject({ status: 'SUCCEEDED' });
    expect(await outcome('mayNot')).toEqual({
      status: 'FAILED',
      error: 'Lambda.AWSLambdaException',
      cause: expect.stringContaining(
        'User: arn:aws:sts::000000000000:assumed-role/App-mayNotRole/mayNot is not authorized to perform: lambda:InvokeFunction on resource: ' +
          'arn:aws:lambda:us-east-1:000000000000:function:works because no identity-based policy allows',
      ),
    });
  } finally {
    client.destroy();
    await cloud.close();
  }
});
