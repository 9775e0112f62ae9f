/** What jobs are: the image, the program that fetches their code, what they may touch, how long they may take and when they are retried. */
import { Aws, Duration, Lazy, Names, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { CfnJobDefinition } from 'aws-cdk-lib/aws-batch';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { allocatorEnvironment, environment, interruptions } from '../core/names.ts';
import { acknowledgeWildcard } from './acknowledge.ts';
import { buildBootstrap, targetOf } from './assets.ts';
import { inChina } from './china.ts';
import { checkpoints } from './data.ts';
import { type Access, allowAccess, type Surroundings } from './function.ts';

export type Machines = 'fargate' | 'ec2' | 'gpu';

/** Those of runs, and those that clean and transform large uploads. */
export type JobKind = 'train' | 'prepare';

/** Attempts of a job, spot interruptions among them. */
const attempts = 5;

/** The first rule that fits decides; Batch takes five. What the code itself ends with would end the same once more. */
const retryRules = [
  ...interruptions.map((words) => ({ action: 'RETRY', onStatusReason: `${words}*` })),
  { action: 'RETRY', onStatusReason: 'ResourceInitializationError*' },
  { action: 'RETRY', onReason: 'CannotPullContainerError*' },
  { action: 'EXIT', onReason: '*' },
];

/** What a job of each kind may touch: the same prefixes as the functions that do the same. */
const access: Record<JobKind, Access> = {
  train: {
    data: { read: ['clean/', 'features/'] },
    models: { read: ['runs/', checkpoints], write: ['runs/', checkpoints], remove: [checkpoints] },
  },
  prepare: {
    data: { read: ['raw/', 'clean/', 'features/', 'secrets/'], write: ['clean/', 'features/', 'secrets/'] },
    models: { read: ['runs/', 'models/'], write: ['runs/', 'models/'] },
  },
};

export class Jobs extends Construct {
  private readonly surroundings: Surroundings;
  private readonly logGroup: LogGroup;
  private readonly code: Asset;
  private readonly executionRole: Role;
  private readonly roles: Record<JobKind, Role>;
  private starts: StateMachine | undefined;

  constructor(scope: Construct, id: string, surroundings: Surroundings) {
    super(scope, id);
    const { config, assets, data } = surroundings;
    this.surroundings = surroundings;
    this.logGroup = new LogGroup(this, 'Logs', {
      retention: config.logDays,
      removalPolicy: RemovalPolicy.DESTROY,
      ...(data.key && { encryptionKey: data.key }),
    });
    this.code = new Asset(this, 'Code', { path: assets.pipeline.path, assetHash: assets.pipeline.hash });
    this.executionRole = this.role('ExecutionRole', 'Starts the containers of jobs');
    this.logGroup.grantWrite(this.executionRole);
    this.allowImage(config.jobImage);
    this.roles = { train: this.jobRole('train'), prepare: this.jobRole('prepare') };
  }

  /** Preparing ends with the start of a run. */
  startsRuns(stateMachine: StateMachine): void {
    this.starts = stateMachine;
    this.roles.prepare.addToPolicy(new PolicyStatement({ actions: ['states:StartExecution'], resources: [stateMachine.stateMachineArn] }));
  }

  /** An image of a private registry is fetched with the execution role. */
  private allowImage(image: string): void {
    const [, account, region, repository] = /^(\d{12})\.dkr\.ecr\.([\w-]+)\.[^/]+\/([^:@]+)/.exec(image) ?? [];
    if (!account || !region || !repository) return;
    const resource = Stack.of(this).formatArn({ service: 'ecr', region, account, resource: 'repository', resourceName: repository });
    const pull = ['ecr:BatchCheckLayerAvailability', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchGetImage'];
    this.executionRole.addToPolicy(new PolicyStatement({ actions: pull, resources: [resource] }));
    this.executionRole.addToPolicy(new PolicyStatement({ actions: ['ecr:GetAuthorizationToken'], resources: ['*'] }));
    acknowledgeWildcard(this.executionRole, '*', 'ECR gives its token for a registry, not for an image.');
  }

  /** @returns the definition's name */
  define(kind: JobKind, machines: Machines): string {
    const { config, data } = this.surroundings;
    const isFargate = machines === 'fargate';
    const jobDefinitionName = `${Names.uniqueResourceName(this, { maxLength: 100 })}-${machines}-${kind}`;
    const address = `https://s3.${Aws.REGION}.${Aws.URL_SUFFIX}/${this.code.s3BucketName}/${this.code.s3ObjectKey}`;
    const variables: Record<string, string> = {
      [environment.dataBucket]: data.dataBucket.bucketName,
      [environment.modelBucket]: data.modelBucket.bucketName,
      [environment.jobCode]: address,
      [environment.jobHash]: this.surroundings.assets.pipeline.hash,
      AWS_REGION: Aws.REGION,
      ...allocatorEnvironment,
      // What of the driver the container has: to compute, and nvidia-smi, which tells what is used.
      ...(machines === 'gpu' && { NVIDIA_DRIVER_CAPABILITIES: 'compute,utility' }),
      // Known once the state machine is there.
      ...(kind === 'prepare' && { [environment.stateMachineArn]: Lazy.string({ produce: () => this.starts?.stateMachineArn }) }),
    };
    new CfnJobDefinition(this, `${pascal(machines)}${pascal(kind)}`, {
      jobDefinitionName,
      type: 'container',
      platformCapabilities: [isFargate ? 'FARGATE' : 'EC2'],
      schedulingPriority: 0,
      retryStrategy: { attempts, evaluateOnExit: retryRules },
      timeout: { attemptDurationSeconds: Duration.hours(config.runHours).toSeconds() },
      propagateTags: true,
      containerProperties: {
        image: config.jobImage,
        command: ['node', '-e', buildBootstrap()],
        jobRoleArn: this.roles[kind].roleArn,
        executionRoleArn: this.executionRole.roleArn,
        environment: Object.entries(variables).map(([name, value]) => ({ name, value })),
        // The smallest there is; each job asks for what it needs.
        resourceRequirements: [
          { type: 'VCPU', value: '1' },
          { type: 'MEMORY', value: '2048' },
        ],
        logConfiguration: { logDriver: 'awslogs', options: this.logOptions(kind) },
        ...(isFargate && {
          networkConfiguration: { assignPublicIp: 'DISABLED' },
          fargatePlatformConfiguration: { platformVersion: 'LATEST' },
          runtimePlatform: {
            cpuArchitecture: targetOf(config.processor).cpu === 'arm64' ? 'ARM64' : 'X86_64',
            operatingSystemFamily: 'LINUX',
          },
          ...(kind === 'prepare' && { ephemeralStorage: { sizeInGiB: config.jobDisk } }),
        }),
      },
    });
    return jobDefinitionName;
  }

  /** The plain address of CloudWatch Logs has no IPv6. */
  private logOptions(kind: string): Record<string, string> {
    const { jobNetwork, subnetIds } = this.surroundings.config;
    return {
      'awslogs-group': this.logGroup.logGroupName,
      'awslogs-region': Aws.REGION,
      'awslogs-stream-prefix': kind,
      ...(jobNetwork === 'dualstack' &&
        subnetIds.length === 0 && {
          'awslogs-endpoint': `https://logs.${Aws.REGION}.${inChina(this, 'api.amazonwebservices.com.cn', 'api.aws')}`,
        }),
    };
  }

  private jobRole(kind: JobKind): Role {
    const { data } = this.surroundings;
    const role = this.role(`${pascal(kind)}Role`, `What Ingot's jobs that ${kind} may do`);
    allowAccess(role, data, access[kind]);
    const code = Stack.of(this).formatArn({
      service: 's3',
      region: '',
      account: '',
      resource: this.code.s3BucketName,
      resourceName: this.code.s3ObjectKey,
    });
    role.addToPolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources: [code] }));
    return role;
  }

  private role(id: string, description: string): Role {
    return new Role(this, id, { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com'), description });
  }
}

const pascal = (name: string) => name[0]!.toUpperCase() + name.slice(1);
