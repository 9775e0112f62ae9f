/** Who may do what, read from the synthesized template: one role for each who acts, and in it what that one does and nothing else. */
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { type FunctionName, functionNames, stages } from '../../core/names.ts';
import { stackOf } from './stack.ts';

interface Statement {
  Effect: string;
  Action: string | string[];
  Resource: unknown;
  Condition?: Record<string, Record<string, unknown>>;
}

interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
}

/** Submits jobs of a kind, by whichever revision of their definition. */
const submitting = (kind: string) =>
  `batch:SubmitJob fargateQueue, batch:SubmitJob job-definition fargate-${kind}, batch:SubmitJob job-definition fargate-${kind}:*`;

/** Sees jobs and how busy the queues are. */
const looking =
  'batch:DescribeJobs *, batch:ListJobs *, batch:DescribeJobQueues *, batch:DescribeComputeEnvironments *, batch:GetJobQueueSnapshot fargateQueue';

/**
 * What each function may do, as `action resource`: objects by bucket and prefix; a list, of which prefixes. Beside this a function writes its own log,
 * and `GetObject` goes with `GetObjectVersion`, `PutObject` with `AbortMultipartUpload`.
 */
const table: Record<FunctionName, string> = {
  clean:
    'get data/raw/, get data/clean/, get data/secrets/, put data/clean/, put data/secrets/, ' +
    'list data/raw/, list data/clean/, list data/secrets/, sqs:SendMessage CleanDeadLetters, ' +
    submitting('prepare'),
  transform:
    'get data/clean/, get data/features/, put data/clean/, put data/features/, list data/clean/, list data/features/, ' +
    'get models/runs/, get models/models/, put models/runs/, put models/models/, list models/runs/, list models/models/, ' +
    'states:StartExecution StateMachine, sqs:SendMessage TransformDeadLetters, ' +
    submitting('prepare'),
  plan: `get data/clean/, get data/features/, list data/clean/, list data/features/, get models/runs/, put models/runs/, list models/runs/, ${looking}, batch:TerminateJob any job`,
  search: 'get data/features/, list data/features/, get models/runs/, put models/runs/, list models/runs/',
  select: 'get models/runs/, put models/runs/, list models/runs/',
  fit: 'get data/features/, list data/features/, get models/runs/, put models/runs/, list models/runs/',
  optimise: 'get data/features/, list data/features/, get models/runs/, put models/runs/, list models/runs/',
  gate: 'get data/clean/, get data/features/, list data/clean/, list data/features/, get models/runs/, put models/runs/, list models/runs/',
  register:
    'get data/clean/, get data/features/, list data/clean/, list data/features/, ' +
    'get models/runs/, get models/models/, put models/runs/, put models/models/, list models/runs/, list models/models/',
  release: 'get models/runs/, get models/models/, put models/runs/, put models/models/, list models/runs/, list models/models/',
  fail: 'get models/runs/, put models/runs/, list models/runs/, sns:Publish AlarmTopic',
  api:
    'get data/clean/, put data/raw/, list data/clean/, get models/runs/, get models/models/, put models/models/, list models/runs/, list models/models/, ' +
    `states:ListExecutions StateMachine, states:DescribeExecution StateMachine:*, states:StopExecution StateMachine:*, ${looking}`,
  predict: 'get models/models/, list models/models/',
  watch: `batch:DescribeJobs *, batch:ListJobs *, ${submitting('prepare')}, events:EnableRule rule Watch, events:DisableRule rule Watch`,
};

/** What each kind of job may do; all fetch their code besides, an object of the assets' bucket. */
const jobs = {
  train:
    'get data/clean/, get data/features/, list data/clean/, list data/features/, get models/runs/, get models/checkpoints/, ' +
    'put models/runs/, put models/checkpoints/, delete models/checkpoints/, list models/runs/, list models/checkpoints/',
  prepare:
    'get data/raw/, get data/clean/, get data/features/, get data/secrets/, put data/clean/, put data/features/, put data/secrets/, ' +
    'list data/raw/, list data/clean/, list data/features/, list data/secrets/, ' +
    'get models/runs/, get models/models/, put models/runs/, put models/models/, list models/runs/, list models/models/, states:StartExecution StateMachine',
};

/** Actions without a resource level, so that AWS takes `*` alone for them. */
const withoutResource: Record<string, string> = {
  'ec2:CreateNetworkInterface': 'Lambda asks for it on all resources before it puts a function into a VPC',
  'ec2:DescribeNetworkInterfaces': 'a description is of the whole account',
  'ec2:DescribeSubnets': 'a description is of the whole account',
  'ec2:DeleteNetworkInterface': 'the interfaces are made by Lambda, so their names are not known',
  'ec2:AssignPrivateIpAddresses': 'the interfaces are made by Lambda, so their names are not known',
  'ec2:UnassignPrivateIpAddresses': 'the interfaces are made by Lambda, so their names are not known',
  'ecr:GetAuthorizationToken': 'a token is for the whole registry',
  'batch:DescribeJobs': 'AWS lists no resource for it',
  'batch:DescribeJobQueues': 'AWS lists no resource for it',
  'batch:ListJobs': 'AWS lists no resource for it',
  'batch:DescribeComputeEnvironments': 'AWS lists no resource for it',
};

/** Policies that AWS keeps, each the one that it documents for its purpose. */
const managed = [
  'AmazonAPIGatewayPushToCloudWatchLogs',
  'AmazonECSTaskExecutionRolePolicy',
  'AmazonEC2ContainerServiceforEC2Role',
  'AWSBatchServiceRole',
];

const list = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);
const text = (value: unknown) => JSON.stringify(value);

class Privileges {
  readonly #template: Template;
  readonly roles: string[];

  constructor(template: Template) {
    this.#template = template;
    this.roles = this.resources('AWS::IAM::Role').map(([id]) => id);
  }

  resources(type: string): [string, Resource][] {
    return Object.entries(this.#template.findResources(type)) as [string, Resource][];
  }

  /** From its own policies and those that are attached. */
  statementsOf(role: string): Statement[] {
    const { Policies = [] } = this.resources('AWS::IAM::Role').find(([id]) => id === role)![1].Properties as {
      Policies?: { PolicyDocument: { Statement: Statement[] } }[];
    };
    const attached = [...this.resources('AWS::IAM::Policy'), ...this.resources('AWS::IAM::ManagedPolicy')]
      .filter(([, { Properties }]) => text(Properties['Roles'] ?? []).includes(`"${role}"`))
      .map(([, { Properties }]) => Properties as { PolicyDocument: { Statement: Statement[] } });
    return [...Policies, ...attached].flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
  }

  /** Who acts: functions, state machines, jobs; with the logical id of the role. */
  actors(): [actor: string, role: string][] {
    const role = (value: unknown) => (value as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt'][0];
    return [
      ...this.resources('AWS::Lambda::Function').map(([id, { Properties }]): [string, string] => [id, role(Properties['Role'])]),
      ...this.resources('AWS::StepFunctions::StateMachine').map(([id, { Properties }]): [string, string] => [
        id,
        role(Properties['RoleArn']),
      ]),
      ...this.resources('AWS::Batch::JobDefinition').flatMap(([id, { Properties }]) =>
        [...text(Properties).matchAll(/"JobRoleArn":\{"Fn::GetAtt":\["(\w+)"/g)].map(([, name]): [string, string] => [id, name!]),
      ),
    ];
  }

  /** The statements of a function in the words of the table. */
  wordsOf(name: FunctionName): string {
    const [id, { Properties }] = this.resources('AWS::Lambda::Function').find(
      ([, { Properties }]) => Properties['Handler'] === `dist/${name}.handler`,
    )!;
    const [, role] = this.actors().find(([actor]) => actor === id)!;
    const log = (Properties['LoggingConfig'] as { LogGroup: { Ref: string } }).LogGroup.Ref;
    return this.wordsOfRole(role, log);
  }

  /** The same of a job, but for its code. */
  wordsOfJob(kind: string): string {
    const [, role] = this.actors().find(([actor]) => actor.includes(`Fargate${kind[0]!.toUpperCase()}${kind.slice(1)}`))!;
    return this.wordsOfRole(role, '')
      .split(', ')
      .filter((word) => !word.includes('cdk-hnb659fds-assets'))
      .join(', ');
  }

  private wordsOfRole(role: string, log: string): string {
    return this.statementsOf(role)
      .flatMap(({ Action, Resource, Condition }) =>
        list(Action).flatMap((action) => list(Resource).flatMap((resource) => words(action, text(resource), Condition, log))),
      )
      .join(', ');
  }
}

function words(action: string, resource: string, condition: Statement['Condition'], log: string): string[] {
  if (action.startsWith('logs:') && resource.includes(`"${log}"`)) return [];
  const bucket = resource.includes('DataBucket') ? 'data' : resource.includes('ModelBucket') ? 'models' : undefined;
  const prefix = /"(\/[^"]*\/)\*"/.exec(resource)?.[1];
  if (bucket && prefix && action === 's3:GetObject') return [`get ${bucket}${prefix}`];
  if (bucket && prefix && action === 's3:PutObject') return [`put ${bucket}${prefix}`];
  if (bucket && prefix && action === 's3:DeleteObject') return [`delete ${bucket}${prefix}`];
  if (bucket && prefix && ['s3:GetObjectVersion', 's3:AbortMultipartUpload'].includes(action)) return [];
  if (bucket && action === 's3:ListBucket') {
    return list(condition?.['StringLikeIfExists']?.['s3:prefix'] as string[]).map((each) => `list ${bucket}/${each.replace(/\*$/, '')}`);
  }
  const definition = /:job-definition\/\w+-(fargate-[\w:*]+)"/.exec(resource)?.[1];
  if (definition) return [`${action} job-definition ${definition}`];
  if (resource.includes(':job/*"')) return [`${action} any job`];
  const rule = /:rule\/\w*(Watch)\w*"/.exec(resource)?.[1];
  if (rule) return [`${action} rule ${rule}`];
  if (resource === '"*"') return [`${action} *`];
  const name = /"Ingot(?:Training|Preparation|Batch)?(\w+?)[0-9A-F]{8}"/.exec(resource)?.[1] ?? resource;
  return [`${action} ${name}${resource.includes(':execution:') ? ':*' : ''}`];
}

const privileges = new Privileges(Template.fromStack(stackOf()));
const sorted = (text: string) => text.split(', ').sort();

describe('every function', () => {
  it.each(functionNames)('%s may do what the table says', (name) => {
    expect(sorted(privileges.wordsOf(name))).toEqual(sorted(table[name]));
  });
});

describe('every job', () => {
  it.each(['train', 'prepare'] as const)('to %s may do what the table says', (kind) => {
    expect(sorted(privileges.wordsOfJob(kind))).toEqual(sorted(jobs[kind]));
  });
});

describe.each([
  ['as it is deployed', {}],
  ['with a key of its own and signed requests', { customerKey: true, authorization: 'both', keys: { mobile: {} } } as const],
])('the roles of the stack, %s', (_, props) => {
  const stack = new Privileges(Template.fromStack(stackOf(props)));

  it('are one for each who acts', () => {
    const roles = stack.actors().map(([, role]) => role);
    expect(new Set(roles).size).toBe(roles.length);
    expect(stack.actors().length).toBeGreaterThan(functionNames.length);
  });

  it('allow neither all actions nor, but for actions that have no other, all resources', () => {
    for (const role of stack.roles) {
      for (const { Action, Resource, Effect } of stack.statementsOf(role)) {
        expect(Effect).toBe('Allow');
        for (const action of list(Action)) {
          expect(action, role).not.toContain('*');
          if (list(Resource).includes('*')) expect(Object.keys(withoutResource), role).toContain(action);
        }
      }
    }
  });

  it('have no policies of AWS’s beside those without which its services do not work', () => {
    for (const [id, { Properties }] of stack.resources('AWS::IAM::Role')) {
      for (const arn of list(Properties['ManagedPolicyArns'] ?? [])) {
        expect(
          managed.some((name) => text(arn).includes(`/${name}"`)),
          `${id}: ${text(arn)}`,
        ).toBe(true);
      }
    }
  });

  it('are trusted to one service each', () => {
    for (const [id, { Properties }] of stack.resources('AWS::IAM::Role')) {
      const { Statement } = Properties['AssumeRolePolicyDocument'] as { Statement: { Action: string; Principal: { Service: unknown } }[] };
      expect(Statement, id).toEqual([expect.objectContaining({ Action: 'sts:AssumeRole', Principal: { Service: expect.anything() } })]);
    }
  });
});

it('a state machine invokes the functions of its states and no others', () => {
  const [machine] = privileges.resources('AWS::StepFunctions::StateMachine');
  const [, role] = privileges.actors().find(([actor]) => actor === machine![0])!;
  const invoked = privileges.statementsOf(role).filter(({ Action }) => list(Action).includes('lambda:InvokeFunction'));
  const called = new Set(
    [...text(machine![1].Properties['DefinitionString']).matchAll(/"Fn::GetAtt":\["(\w+Function\w+)","Arn"\]/g)].map(([, id]) => id),
  );
  expect(called.size).toBe(stages.length + 1);
  expect(new Set(invoked.flatMap(({ Resource }) => [...text(Resource).matchAll(/\["(\w+)","Arn"\]/g)].map(([, id]) => id)))).toEqual(
    called,
  );
});
