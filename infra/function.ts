/** A Lambda function of Ingot's: its bundle, its own log group, and a role that allows what `access` lists and nothing else. */
import { type Duration, RemovalPolicy, Size, Validations } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement, type PolicyStatementProps, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { allocatorEnvironment, environment, type FunctionName } from '../core/names.ts';
import { acknowledgeWildcard } from './acknowledge.ts';
import { type AssetGroup, assetGroups, type BuiltAsset, buildAsset, targetOf } from './assets.ts';
import type { Config } from './config.ts';
import type { AnyBucket, Data } from './data.ts';
import { keyStatement } from './encryption.ts';

/** Prefixes of a bucket that a function works on. A write on the condition of an etag is allowed only where it may read too. */
export interface Prefixes {
  read?: string[];
  write?: string[];
  remove?: string[];
}

/** What a function may do. */
export interface Access {
  data?: Prefixes;
  models?: Prefixes;
  /** Whatever is not an object. */
  statements?: PolicyStatement[];
}

/** What every function of one `Ingot` shares. */
export interface Surroundings {
  config: Config;
  data: Data;
  assets: Assets;
  /** Where the functions run, @default outside of any VPC */
  network?: Network;
}

/** Subnets from which S3, Step Functions and SNS can be reached, by endpoints or a NAT gateway. */
export interface Network {
  vpc: IVpc;
  /** @default the VPC's private subnets */
  vpcSubnets?: SubnetSelection;
  /** @default a new one, which lets everything out and nothing in */
  securityGroups?: ISecurityGroup[];
}

/** The built code of each group. */
export type Assets = Record<AssetGroup, Pick<BuiltAsset, 'path' | 'hash'>>;

export function buildAssets(config: Config): Assets {
  const target = targetOf(config.processor);
  return {
    control: buildAsset('control', target),
    pipeline: buildAsset('pipeline', target),
    serving: buildAsset('serving', target),
  };
}

export interface IngotFunctionProps extends Surroundings {
  name: FunctionName;
  description: string;
  timeout: Duration;
  access: Access;
  /** Added to the bucket names that every function has. */
  environment?: Record<string, string>;
  /** Where an asynchronous event goes that failed in all its attempts. */
  deadLetters?: Queue;
}

export class IngotFunction extends LambdaFunction {
  constructor(scope: Construct, id: string, props: IngotFunctionProps) {
    const { name, config, data, assets, access, network } = props;
    const group = groupOf(name);
    const logGroup = new LogGroup(scope, `${id}Logs`, {
      retention: config.logDays,
      removalPolicy: RemovalPolicy.DESTROY,
      ...(data.key && { encryptionKey: data.key }),
    });
    const role = new Role(scope, `${id}Role`, {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `What Ingot's ${name} function may do`,
    });
    logGroup.grantWrite(role);
    allowAccess(role, data, access, props.deadLetters?.encryptionMasterKey);
    if (network) allowNetwork(role);
    super(scope, id, {
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: targetOf(config.processor).cpu === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
      code: Code.fromAsset(assets[group].path, { assetHash: assets[group].hash }),
      handler: `dist/${name}.handler`,
      memorySize: { control: config.controlMemory, pipeline: config.pipelineMemory, serving: config.servingMemory }[group],
      timeout: props.timeout,
      ...(group === 'pipeline' && { ephemeralStorageSize: Size.mebibytes(config.pipelineDisk) }),
      environment: {
        [environment.dataBucket]: data.dataBucket.bucketName,
        [environment.modelBucket]: data.modelBucket.bucketName,
        ...(group === 'pipeline' && allocatorEnvironment),
        ...props.environment,
      },
      role,
      logGroup,
      ...(props.deadLetters && { deadLetterQueue: props.deadLetters }),
      ...network,
    });
  }
}

function groupOf(name: FunctionName): AssetGroup {
  const groups = Object.keys(assetGroups) as AssetGroup[];
  return groups.find((group) => (assetGroups[group] as readonly FunctionName[]).includes(name))!;
}

/**
 * Gives a role just what `access` lists, and the keys that the objects are encrypted with.
 * @param writing a further key, of what else is written
 */
export function allowAccess(role: Role, data: Data, access: Access, writing?: IKey): void {
  allowObjects(role, data.dataBucket, access.data);
  allowObjects(role, data.modelBucket, access.models);
  for (const statement of access.statements ?? []) role.addToPolicy(statement);
  const uses = new Map<IKey, 'read' | 'write'>();
  const note = (key: IKey | undefined, use: 'read' | 'write') => {
    if (key && uses.get(key) !== 'write') uses.set(key, use);
  };
  if (access.data) note(data.dataBucket.encryptionKey, access.data.write ? 'write' : 'read');
  if (access.models) note(data.modelBucket.encryptionKey, access.models.write ? 'write' : 'read');
  note(writing, 'write');
  for (const [key, use] of uses) role.addToPolicy(keyStatement(key, use));
}

/** Objects under prefixes. */
function allowObjects(role: Role, bucket: AnyBucket, { read = [], write = [], remove = [] }: Prefixes = {}): void {
  const allow = (actions: string[], resources: string[], conditions?: PolicyStatementProps['conditions']) => {
    if (resources.length > 0) role.addToPolicy(new PolicyStatement({ actions, resources, ...(conditions && { conditions }) }));
  };
  const objects = (prefix: string) => bucket.arnForObjects(`${prefix}*`);
  allow(['s3:GetObject', 's3:GetObjectVersion'], read.map(objects));
  allow(['s3:PutObject', 's3:AbortMultipartUpload'], write.map(objects));
  allow(['s3:DeleteObject'], remove.map(objects));
  // Without it S3 answers 403, not 404, for an object that is not there; and there the request names no prefix, hence `IfExists`.
  const prefixes = read.map((prefix) => `${prefix}*`);
  allow(['s3:ListBucket'], read.length > 0 ? [bucket.bucketArn] : [], { StringLikeIfExists: { 's3:prefix': prefixes } });
  for (const prefix of new Set([...read, ...write])) {
    acknowledgeWildcard(
      role,
      objects(prefix),
      `It works on any object under ${prefix}, whose names are the users', and on nothing beside.`,
    );
  }
}

/** What Lambda needs to put a function into a VPC. Lambda makes the interfaces itself, so their names are not known. */
function allowNetwork(role: Role): void {
  const actions = ['CreateNetworkInterface', 'DescribeNetworkInterfaces', 'DescribeSubnets', 'DeleteNetworkInterface'];
  const more = ['AssignPrivateIpAddresses', 'UnassignPrivateIpAddresses'];
  role.addToPolicy(new PolicyStatement({ actions: [...actions, ...more].map((action) => `ec2:${action}`), resources: ['*'] }));
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: 'Lambda makes the network interfaces of a function in a VPC itself, and checks that the role allows it all of them.',
  });
}
