/**
 * Batch: machines that are there only while jobs run. Queues of Fargate, of EC2 for jobs that are too large for Fargate, and of EC2 with GPUs; in
 * each spot capacity comes first and on-demand behind it, and shares by priority. What the jobs are is in jobs.ts.
 */
import { Annotations, Duration, Fn, Stack } from 'aws-cdk-lib';
import { type CfnComputeEnvironment, CfnJobQueue, CfnSchedulingPolicy } from 'aws-cdk-lib/aws-batch';
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { hopelessPrefix, shares } from '../core/names.ts';
import { acknowledgeWildcard } from './acknowledge.ts';
import type { Config } from './config.ts';
import type { Surroundings } from './function.ts';
import { type JobKind, Jobs, type Machines } from './jobs.ts';
import { ComputeEnvironments } from './machines.ts';
import { Network } from './network.ts';

/** Minutes after which a job is cancelled that no machine of its queue can ever run, so that its run goes on without. */
const hopelessMinutes = 10;

/** What who deploys machines with GPUs is told. */
const noUseOfGpu =
  'gpu: no family of models that is here trains on a GPU. These machines take only runs that ask for "lane": "gpu" in dataset.json, and do them on their processor, for several times the price of the lane cpu: they are for a family of your own (docs/deploy.md).';

export class Batch extends Construct {
  /** By machines: the queue, and the definitions of the jobs that it runs. */
  readonly queues: Partial<Record<Machines, CfnJobQueue>> = {};
  /** Names, of which Batch takes the newest revision: a run that is under way when a stack is updated goes on. */
  readonly definitions: Partial<Record<Machines, Record<JobKind, string>>> = {};
  readonly jobs: Jobs;
  private readonly config: Config;

  constructor(scope: Construct, id: string, surroundings: Surroundings) {
    super(scope, id);
    const { config } = surroundings;
    this.config = config;
    this.jobs = new Jobs(this, 'Jobs', surroundings);
    const machines = new ComputeEnvironments(this, 'Machines', config, new Network(this, 'Network', config));
    const policy = new CfnSchedulingPolicy(this, 'Shares', {
      fairsharePolicy: {
        // What a share has used counts less the longer ago it is, and not at all after an hour.
        shareDecaySeconds: Duration.hours(1).toSeconds(),
        shareDistribution: shares.map(({ name, weight }) => ({ shareIdentifier: name, weightFactor: weight })),
      },
    });
    this.queue('fargate', machines.fargate(), policy);
    // Machines of EC2 join their cluster over IPv4, for which private subnets of two stacks have no way out.
    if (config.jobNetwork === 'endpoints' || config.subnetIds.length > 0) {
      this.queue('ec2', machines.ec2(), policy);
      if (config.gpu === 'on') {
        this.queue('gpu', machines.gpu(), policy);
        Annotations.of(this).addWarningV2('ingot:gpu', noUseOfGpu);
      }
    }
  }

  /** Names of the queues, which metrics are told apart by. */
  queueNames(): [machines: Machines, name: string][] {
    const queues = Object.entries(this.queues) as [Machines, CfnJobQueue][];
    return queues.map(([machines, queue]) => [machines, Fn.select(1, Fn.split('/', queue.attrJobQueueArn))]);
  }

  /** JSON for the functions that choose a lane and submit jobs, see core/compute/batch.ts. */
  settings(): string {
    const { batchVcpus, batchUpload } = this.config;
    const machines = Object.keys(this.queues) as Machines[];
    const queues = machines.map((each) => [each, { queue: this.queues[each]!.attrJobQueueArn, ...this.definitions[each]! }]);
    return Stack.of(this).toJsonString({
      maxVcpus: batchVcpus,
      uploadMegabytes: batchUpload,
      queues: Object.fromEntries(queues),
    });
  }

  /** What it takes to submit jobs of a kind. */
  submit(kind: JobKind): PolicyStatement {
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

  /** What it takes to count jobs. */
  count(): PolicyStatement {
    return new PolicyStatement({ actions: ['batch:DescribeJobs', 'batch:ListJobs'], resources: ['*'] });
  }

  /** What it takes to end jobs. */
  stop(): PolicyStatement {
    return new PolicyStatement({ actions: ['batch:TerminateJob'], resources: [this.anyJob] });
  }

  acknowledgeLook(role: IRole): void {
    acknowledgeWildcard(role, '*', 'Batch knows no narrower resource for describing and listing.');
  }

  /** Submitting names revisions of definitions, which only Batch knows. */
  acknowledgeSubmit(role: IRole, kind: JobKind): void {
    for (const each of Object.values(this.definitions)) {
      acknowledgeWildcard(role, this.definitionArn(`${each[kind]}:*`), 'Whichever revision of the definition is the newest.');
    }
  }

  /** All jobs of the account and region, whose ids nobody knows beforehand. */
  get anyJob(): string {
    return Stack.of(this).formatArn({ service: 'batch', resource: 'job', resourceName: '*' });
  }

  private definitionArn(name: string): string {
    return Stack.of(this).formatArn({ service: 'batch', resource: 'job-definition', resourceName: name });
  }

  private queue(machines: Machines, environments: CfnComputeEnvironment[], policy: CfnSchedulingPolicy): void {
    this.queues[machines] = new CfnJobQueue(this, `${machines}Queue`, {
      priority: 1,
      schedulingPolicyArn: policy.attrArn,
      computeEnvironmentOrder: environments.map((each, order) => ({ order, computeEnvironment: each.attrComputeEnvironmentArn })),
      jobStateTimeLimitActions: ['COMPUTE_ENVIRONMENT_MAX_RESOURCE', 'JOB_RESOURCE_REQUIREMENT'].map((reason) => ({
        action: 'CANCEL',
        state: 'RUNNABLE',
        reason: `${hopelessPrefix}${reason}`,
        maxTimeSeconds: hopelessMinutes * 60,
      })),
    });
    this.definitions[machines] = {
      train: this.jobs.define('train', machines),
      prepare: this.jobs.define('prepare', machines),
    };
  }
}
