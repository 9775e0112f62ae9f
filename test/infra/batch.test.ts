import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { shares } from '../../core/names.ts';
import { buildBootstrap } from '../../infra/assets.ts';
import { stackOf } from './stack.ts';

const template = Template.fromStack(stackOf());
const ownSubnets = { subnetIds: ['subnet-0123456789abcdef0'], securityGroupIds: ['sg-0123456789abcdef0'] };
const endpoints = { jobNetwork: 'endpoints', jobImage: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/node:24-slim' } as const;

interface Properties {
  [name: string]: unknown;
}

const all = (type: string, from = template) =>
  Object.entries(from.findResources(type)).map(([id, { Properties }]) => [id, Properties as Properties] as const);

describe('compute environments', () => {
  it('have no machine while there is no job, and spot capacity goes before on demand', () => {
    const types = new Map(all('AWS::Batch::ComputeEnvironment').map(([id, { ComputeResources }]) => [id, ComputeResources as Properties]));
    for (const resources of types.values()) {
      expect(resources['MaxvCpus']).toBe(64);
      expect(resources['MinvCpus'] ?? 0).toBe(0);
    }
    for (const [, { ComputeEnvironmentOrder }] of all('AWS::Batch::JobQueue')) {
      const order = (ComputeEnvironmentOrder as { Order: number; ComputeEnvironment: { 'Fn::GetAtt': [string] } }[]).sort(
        (a, b) => a.Order - b.Order,
      );
      expect(order.map((each) => types.get(each.ComputeEnvironment['Fn::GetAtt'][0])!['Type'])).toEqual(['FARGATE_SPOT', 'FARGATE']);
    }
  });

  it('are of EC2 too where its machines can join their cluster', () => {
    const types = (stack: Template) =>
      all('AWS::Batch::ComputeEnvironment', stack).map(([, { ComputeResources }]) => (ComputeResources as Properties)['Type']);
    expect(types(template).sort()).toEqual(['FARGATE', 'FARGATE_SPOT']);
    for (const props of [ownSubnets, endpoints]) {
      const stack = Template.fromStack(stackOf(props));
      expect(types(stack).sort()).toEqual(['EC2', 'FARGATE', 'FARGATE_SPOT', 'SPOT']);
      stack.hasResourceProperties('AWS::EC2::LaunchTemplate', {
        LaunchTemplateData: { MetadataOptions: { HttpTokens: 'required' }, BlockDeviceMappings: [{ Ebs: { Encrypted: true } }] },
      });
    }
  });

  it('have GPUs where that is asked for, and whoever asks is told that no family here makes use of them', () => {
    const stack = stackOf({ gpu: 'on', processor: 'x64', ...endpoints });
    const made = Template.fromStack(stack);
    for (const type of ['SPOT', 'EC2']) {
      made.hasResourceProperties('AWS::Batch::ComputeEnvironment', {
        ComputeResources: { Type: type, InstanceTypes: ['g6', 'g5'], Ec2Configuration: [{ ImageType: 'ECS_AL2023_NVIDIA' }], MinvCpus: 0 },
      });
    }
    made.resourceCountIs('AWS::Batch::JobQueue', 3);
    made.hasResourceProperties('AWS::Batch::JobDefinition', {
      ContainerProperties: {
        Image: endpoints.jobImage,
        Environment: Match.arrayWith([{ Name: 'NVIDIA_DRIVER_CAPABILITIES', Value: 'compute,utility' }]),
      },
    });
    const words = Match.stringLikeRegexp('no family of models that is here trains on a GPU');
    Annotations.fromStack(stack).hasWarning('/Ingot/Ingot/Batch', words);
    Annotations.fromStack(stackOf(endpoints)).hasNoWarning('*', words);
  });
});

describe('the network', () => {
  it('lets nothing in, has no address that is paid for, and no gateway but that for IPv6 and that of S3', () => {
    for (const type of ['NatGateway', 'EIP', 'InternetGateway', 'SecurityGroupIngress']) template.resourceCountIs(`AWS::EC2::${type}`, 0);
    template.allResourcesProperties('AWS::EC2::Subnet', { MapPublicIpOnLaunch: false });
    template.allResourcesProperties('AWS::EC2::Route', { DestinationIpv6CidrBlock: '::/0', EgressOnlyInternetGatewayId: Match.anyValue() });
    template.allResourcesProperties('AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Gateway' });
    for (const [, group] of all('AWS::EC2::SecurityGroup')) expect(group['SecurityGroupIngress']).toBeUndefined();
    template.allResourcesProperties('AWS::Batch::JobDefinition', {
      ContainerProperties: { NetworkConfiguration: { AssignPublicIp: 'DISABLED' } },
    });
  });

  it('has no way out at all with endpoints', () => {
    const stack = Template.fromStack(stackOf(endpoints));
    for (const type of ['Route', 'EgressOnlyInternetGateway']) stack.resourceCountIs(`AWS::EC2::${type}`, 0);
    const services = all('AWS::EC2::VPCEndpoint', stack).map(([, { ServiceName }]) => JSON.stringify(ServiceName));
    for (const service of ['s3', 'ecr.api', 'ecr.dkr', 'logs', 'ecs-agent'])
      expect(services.some((name) => name.includes(`.${service}"`))).toBe(true);
  });

  it('has in China the names that registry and logs have there', () => {
    const there = (names: object) => JSON.stringify(names).replace(/\{"Fn::If":\["InChina",("[^"]*"|\{"Fn::Join":.*?\]\]\}),.*/, '$1');
    const stack = Template.fromStack(stackOf(endpoints));
    expect(stack.toJSON()['Conditions']).toEqual({ InChina: { 'Fn::Equals': [{ Ref: 'AWS::Partition' }, 'aws-cn'] } });
    const names = all('AWS::EC2::VPCEndpoint', stack).map(([, { ServiceName }]) => there(ServiceName as object));
    for (const service of ['ecr.api', 'ecr.dkr'])
      expect(names).toContain(JSON.stringify({ 'Fn::Join': ['', ['cn.com.amazonaws.', { Ref: 'AWS::Region' }, `.${service}`]] }));
    for (const [, definition] of all('AWS::Batch::JobDefinition'))
      expect(JSON.stringify(definition)).toContain('{"Fn::If":["InChina","api.amazonwebservices.com.cn","api.aws"]}');
  });

  it("is the user's own where subnets are given", () => {
    const stack = Template.fromStack(stackOf(ownSubnets));
    stack.resourceCountIs('AWS::EC2::VPC', 0);
    stack.allResourcesProperties('AWS::Batch::ComputeEnvironment', {
      ComputeResources: { Subnets: ownSubnets.subnetIds, SecurityGroupIds: ownSubnets.securityGroupIds },
    });
  });

  it.each([
    [{ jobNetwork: 'endpoints' }, /jobImage/],
    [{ gpu: 'on' }, /gpu: machines of EC2 need/],
    [{ subnetIds: 'subnet-1' }, /securityGroupIds/],
    [{ gpu: 'on', ...ownSubnets }, /x64/],
  ] as const)('refuses settings that do not go together: %o', (props, message) => {
    expect(() => stackOf(props as never)).toThrow(message);
  });
});

describe('job queues', () => {
  it('have shares by priority', () => {
    template.hasResourceProperties('AWS::Batch::SchedulingPolicy', {
      FairsharePolicy: { ShareDistribution: shares.map(({ name, weight }) => ({ ShareIdentifier: name, WeightFactor: weight })) },
    });
    template.allResourcesProperties('AWS::Batch::JobQueue', { SchedulingPolicyArn: Match.anyValue() });
  });

  it('give up a job that no machine of theirs can ever run', () => {
    template.allResourcesProperties('AWS::Batch::JobQueue', {
      JobStateTimeLimitActions: Match.arrayWith([
        Match.objectLike({ Action: 'CANCEL', Reason: 'MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE', MaxTimeSeconds: 600 }),
      ]),
    });
  });
});

describe('job definitions', () => {
  const definitions = all('AWS::Batch::JobDefinition');

  it('retry what a spot machine or the image took with it, and nothing that would end the same again', () => {
    template.allResourcesProperties('AWS::Batch::JobDefinition', {
      RetryStrategy: {
        Attempts: 5,
        EvaluateOnExit: [
          { Action: 'RETRY', OnStatusReason: 'Host EC2*' },
          { Action: 'RETRY', OnStatusReason: 'Your Spot Task was interrupted*' },
          { Action: 'RETRY', OnStatusReason: 'ResourceInitializationError*' },
          { Action: 'RETRY', OnReason: 'CannotPullContainerError*' },
          { Action: 'EXIT', OnReason: '*' },
        ],
      },
      Timeout: { AttemptDurationSeconds: 6 * 3600 },
    });
  });

  it('start with a program that is short enough to be an override of the container, all of which take 8,192 characters', () => {
    const bootstrap = buildBootstrap();
    expect(bootstrap.length).toBeLessThan(4096);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
    expect(bootstrap).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\uffff]|Ref::/);
    for (const [, { ContainerProperties }] of definitions) {
      const { Command, Image } = ContainerProperties as { Command: string[]; Image: string };
      expect(Command).toEqual(['node', '-e', bootstrap]);
      expect(Image).toBe('ecr-public.aws.com/docker/library/node:24-slim');
    }
  });

  it('read, write and remove just what is under the prefixes that are theirs', () => {
    const prefixes = Object.fromEntries(
      ['Train', 'Prepare'].map((kind) => {
        const [, policy] = all('AWS::IAM::Policy').find(([id]) => id.startsWith(`IngotBatchJobs${kind}Role`))!;
        const statements = (policy['PolicyDocument'] as { Statement: { Action: string | string[]; Resource: unknown }[] }).Statement;
        const of = (action: string) =>
          statements
            .filter(({ Action }) => Action.includes(action))
            .flatMap(({ Resource }) =>
              [...JSON.stringify(Resource).matchAll(/(Data|Model)Bucket[^/]*"(\/[a-z]+\/)\*"/g)].map(
                ([, bucket, prefix]) => `${bucket}${prefix}`,
              ),
            );
        return [kind, [of('s3:GetObjectVersion'), of('s3:PutObject'), of('s3:DeleteObject')]];
      }),
    );
    expect(prefixes).toEqual({
      Train: [
        ['Data/clean/', 'Data/features/', 'Model/runs/', 'Model/checkpoints/'],
        ['Model/runs/', 'Model/checkpoints/'],
        ['Model/checkpoints/'],
      ],
      Prepare: [
        // Data that come again are made live again by the version that they have.
        ['Data/raw/', 'Data/clean/', 'Data/features/', 'Data/secrets/', 'Model/runs/', 'Model/models/'],
        ['Data/clean/', 'Data/features/', 'Data/secrets/', 'Model/runs/', 'Model/models/'],
        [],
      ],
    });
  });

  it('run on the processor that the functions run on', () => {
    const cpu = (stack: Template) =>
      all('AWS::Batch::JobDefinition', stack).map(([, { ContainerProperties }]) => (ContainerProperties as Properties)['RuntimePlatform']);
    expect(cpu(template)).toContainEqual({ CpuArchitecture: 'ARM64', OperatingSystemFamily: 'LINUX' });
    expect(cpu(Template.fromStack(stackOf({ processor: 'x64' })))).toContainEqual({
      CpuArchitecture: 'X86_64',
      OperatingSystemFamily: 'LINUX',
    });
  });
});
