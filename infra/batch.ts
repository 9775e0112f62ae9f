/**
 * Batch: machines that are there only while jobs run. Queues of Fargate, of EC2 for jobs that are too large for Fargate, and of EC2 with GPUs; in
 * each spot capacity comes first and on-demand behind it, and shares by priority. Job definitions say what a job may touch and when it is retried.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Aws, Duration, Lazy, Names, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { type CfnComputeEnvironment, CfnJobDefinition, CfnJobQueue, CfnSchedulingPolicy } from 'aws-cdk-lib/aws-batch';
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { type IRole, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { environment, shares } from '../core/names.ts';
import { acknowledgeWildcard } from './acknowledge.ts';
import { buildBootstrap, targetOf } from './assets.ts';
import { type Access, allowObjects, type Surroundings } from './function.ts';
import { ComputeEnvironments } from './machines.ts';
import { Network } from './network.ts';

export type Machines = 'fargate' | 'ec2' | 'gpu';

/** Attempts of a job, spot interruptions among them. */
const attempts = 5;

/** The first rule that fits decides; Batch takes five. What the code itself ends with would end the same once more. */
const retryRules = [
  { action: 'RETRY', onStatusReason: 'Host EC2*' },
  { action: 'RETRY', onStatusReason: 'Your Spot Task was interrupted*' },
  { action: 'RETRY', onStatusReason: 'ResourceInitializationError*' },
  { action: 'RETRY', onReason: 'CannotPullContainerError*' },
  { action: 'EXIT', onReason: '*' },
];

/** Minutes after which a job is cancelled that no machine of its queue can ever run, so that its run goes on without. */
const hopelessMinutes = 10;

/** What a job of each kind may touch: the same prefixes as the functions that do the same. */
const access: Record<'train' | 'prepare', Access> = {
  train: { data: { read: ['clean/', 'features/'] }, models: { read: ['runs/'], write: ['runs/'] } },
  prepare: {
    data: { read: ['raw/', 'clean/', 'features/'], write: ['clean/', 'features/'] },
    models: { read: ['runs/'], write: ['runs/'] },
  },
};

export class Batch extends Construct {
  /** By machines: the queue, and the definitions of the jobs that it runs. */
  readonly queues: Partial<Record<Machines, CfnJobQueue>> = {};
  /** Names, of which Batch takes the newest revision: a run that is under way when a stack is updated goes on. */
  readonly definitions: Partial<Record<Machines, { train: string; prepare: string }>> = {};
  readonly roles: { train: Role; prepare: Role };
  readonly logGroup: LogGroup;
  private readonly surroundings: Surroundings;
  private readonly network: Network;
  private readonly code: Asset;
  private readonly executionRole: Role;
  private starts: StateMachine | undefined;

  constructor(scope: Construct, id: string, surroundings: Surroundings) {
    super(scope, id);
    const { config, assets } = surroundings;
    this.surroundings = surroundings;
    this.network = new Network(this, 'Network', config);
    this.logGroup = new LogGroup(this, 'Logs', { retention: config.logDays, removalPolicy: RemovalPolicy.DESTROY });
    this.code = new Asset(this, 'Code', { path: assets.pipeline.path, assetHash: assets.pipeline.hash });
    this.executionRole = this.role('ExecutionRole', 'Starts the containers of jobs');
    this.logGroup.grantWrite(this.executionRole);
    this.allowImage(config.jobImage);
    this.roles = { train: this.jobRole('train'), prepare: this.jobRole('prepare') };
    const machines = new ComputeEnvironments(this, 'Machines', config, this.network);
    const policy = new CfnSchedulingPolicy(this, 'Shares', {
      fairsharePolicy: {
        // What a share has used counts less the longer ago it is, and not at all after an hour.
        shareDecaySeconds: Duration.hours(1).toSeconds(),
        shareDistribution: shares.map(({ name, weight }) => ({ shareIdentifier: name, weightFactor: weight })),
      },
    });
    this.queue('fargate', machines.fargate(), policy, config.jobImage);
    // Machines of EC2 join their cluster over IPv4, for which private subnets of two stacks have no way out.
    if (config.network === 'endpoints' || config.subnetIds.length > 0) {
      this.queue('ec2', machines.ec2(), policy, config.jobImage);
      if (config.gpu === 'on' && hasDocker()) this.queue('gpu', machines.gpu(), policy, this.gpuImage());
    }
  }

  /** Preparing ends with the start of a run. */
  startsRuns(stateMachine: StateMachine): void {
    this.starts = stateMachine;
    this.roles.prepare.addToPolicy(new PolicyStatement({ actions: ['states:StartExecution'], resources: [stateMachine.stateMachineArn] }));
  }

  /** JSON for the functions that choose a lane and submit jobs, see core/compute/batch.ts. */
  settings(): string {
    const { config } = this.surroundings;
    const machines = Object.keys(this.queues) as Machines[];
    const queues = machines.map((each) => [each, { queue: this.queues[each]!.attrJobQueueArn, ...this.definitions[each]! }]);
    return Stack.of(this).toJsonString({
      maxVcpus: config.batchVcpus,
      uploadMegabytes: config.batchUpload,
      queues: Object.fromEntries(queues),
    });
  }

  /** What it takes to submit jobs of a kind. */
  submit(kind: 'train' | 'prepare'): PolicyStatement {
    const definitions = Object.values(this.definitions).map((each) => each[kind]);
    return new PolicyStatement({
      actions: ['batch:SubmitJob'],
      resources: [
        ...Object.values(this.queues).map((queue) => queue.attrJobQueueArn),
        ...definitions.flatMap((name) => [this.definitionArn(name), this.definitionArn(`${name}:*`)]),
      ],
    });
  }

  /** What it takes to see jobs and how busy the queues are. */
  look(): PolicyStatement[] {
    return [
      new PolicyStatement({
        actions: ['batch:DescribeJobs', 'batch:ListJobs', 'batch:DescribeJobQueues', 'batch:DescribeComputeEnvironments'],
        resources: ['*'],
      }),
      new PolicyStatement({
        actions: ['batch:GetJobQueueSnapshot'],
        resources: Object.values(this.queues).map((queue) => queue.attrJobQueueArn),
      }),
    ];
  }

  acknowledgeLook(role: IRole): void {
    acknowledgeWildcard(role, '*', 'Batch knows no narrower resource for describing and listing.');
  }

  /** Submitting names revisions of definitions, which only Batch knows. */
  acknowledgeSubmit(role: IRole, kind: 'train' | 'prepare'): void {
    for (const each of Object.values(this.definitions)) {
      acknowledgeWildcard(role, this.definitionArn(`${each[kind]}:*`), 'Whichever revision of the definition is the newest.');
    }
  }

  /** All jobs of the account and region, whose ids nobody knows beforehand. */
  get jobs(): string {
    return Stack.of(this).formatArn({ service: 'batch', resource: 'job', resourceName: '*' });
  }

  private definitionArn(name: string): string {
    return Stack.of(this).formatArn({ service: 'batch', resource: 'job-definition', resourceName: name });
  }

  /** Built by Docker at the deployment; the only thing here that needs it. */
  private gpuImage(): string {
    const image = new DockerImageAsset(this, 'GpuImage', {
      directory: join(import.meta.dirname, '../containers/train'),
      exclude: ['*.ts'],
      platform: Platform.LINUX_AMD64,
    });
    image.repository.grantPull(this.executionRole);
    acknowledgeWildcard(this.executionRole, '*', tokenReason);
    return image.imageUri;
  }

  /** An image of a private registry is fetched with the execution role. */
  private allowImage(image: string): void {
    const [, account, region, repository] = /^(\d{12})\.dkr\.ecr\.([\w-]+)\.[^/]+\/([^:@]+)/.exec(image) ?? [];
    if (!account || !region || !repository) return;
    const resource = Stack.of(this).formatArn({ service: 'ecr', region, account, resource: 'repository', resourceName: repository });
    const pull = ['ecr:BatchCheckLayerAvailability', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchGetImage'];
    this.executionRole.addToPolicy(new PolicyStatement({ actions: pull, resources: [resource] }));
    this.executionRole.addToPolicy(new PolicyStatement({ actions: ['ecr:GetAuthorizationToken'], resources: ['*'] }));
    acknowledgeWildcard(this.executionRole, '*', tokenReason);
  }

  private queue(machines: Machines, environments: CfnComputeEnvironment[], policy: CfnSchedulingPolicy, image: string): void {
    this.queues[machines] = new CfnJobQueue(this, `${pascal(machines)}Queue`, {
      priority: 1,
      schedulingPolicyArn: policy.attrArn,
      computeEnvironmentOrder: environments.map((each, order) => ({ order, computeEnvironment: each.attrComputeEnvironmentArn })),
      jobStateTimeLimitActions: ['COMPUTE_ENVIRONMENT_MAX_RESOURCE', 'JOB_RESOURCE_REQUIREMENT'].map((reason) => ({
        action: 'CANCEL',
        state: 'RUNNABLE',
        reason: `MISCONFIGURATION:${reason}`,
        maxTimeSeconds: hopelessMinutes * 60,
      })),
    });
    this.definitions[machines] = {
      train: this.definition(machines, 'train', image),
      prepare: this.definition(machines, 'prepare', image),
    };
  }

  private definition(machines: Machines, kind: 'train' | 'prepare', image: string): string {
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
        image,
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
    const { network, subnetIds } = this.surroundings.config;
    return {
      'awslogs-group': this.logGroup.logGroupName,
      'awslogs-region': Aws.REGION,
      'awslogs-stream-prefix': kind,
      ...(network === 'dualstack' && subnetIds.length === 0 && { 'awslogs-endpoint': `https://logs.${Aws.REGION}.api.aws` }),
    };
  }

  private jobRole(kind: 'train' | 'prepare'): Role {
    const { data } = this.surroundings;
    const role = this.role(`${pascal(kind)}Role`, `What Ingot's jobs that ${kind} may do`);
    allowObjects(role, data.dataBucket, access[kind].data);
    allowObjects(role, data.modelBucket, access[kind].models);
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

const tokenReason = 'ECR gives its token for a registry, not for an image.';

/** Without Docker all but the GPU is deployed. */
function hasDocker(): boolean {
  try {
    execFileSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 });
    return true;
  } catch {
    process.stderr.write('No Docker was found, so the queue of machines with GPUs is left out; everything else is there.\n');
    return false;
  }
}
