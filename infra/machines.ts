/** What jobs run on: compute environments, which have no machine while there is no job. */
import { RemovalPolicy, Size, Stack, Validations } from 'aws-cdk-lib';
import { CfnComputeEnvironment } from 'aws-cdk-lib/aws-batch';
import { CfnLaunchTemplate } from 'aws-cdk-lib/aws-ec2';
import { CfnInstanceProfile, ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { type Target, targetOf } from './assets.ts';
import type { Config } from './config.ts';
import type { Network } from './network.ts';

/** Spot first, on demand behind it. */
type Pair = [spot: CfnComputeEnvironment, onDemand: CfnComputeEnvironment];

type Resources = Partial<CfnComputeEnvironment.ComputeResourcesProperty> & { type: string };

/** Machines with one NVIDIA GPU of 24 GB; Batch takes what the region has of them. */
const gpuFamilies = ['g6', 'g5'];
const ec2Disk = Size.gibibytes(300);

export class ComputeEnvironments extends Construct {
  private readonly config: Config;
  private readonly network: Network;
  private readonly cpu: Target['cpu'];
  private ec2Settings: Partial<Resources> | undefined;

  constructor(scope: Construct, id: string, config: Config, network: Network) {
    super(scope, id);
    this.config = config;
    this.network = network;
    this.cpu = targetOf(config.processor).cpu;
  }

  fargate(): Pair {
    return [this.environment('FargateSpot', { type: 'FARGATE_SPOT' }), this.environment('Fargate', { type: 'FARGATE' })];
  }

  /** Whatever generation of general-purpose, compute- and memory-optimised machines Batch finds best in the region. */
  ec2(): Pair {
    const families = this.cpu === 'arm64' ? 'default_arm64' : 'default_x86_64';
    return this.pair('Ec2', { instanceTypes: [families], ec2Configuration: [{ imageType: 'ECS_AL2023' }] });
  }

  gpu(): Pair {
    return this.pair('Gpu', { instanceTypes: gpuFamilies, ec2Configuration: [{ imageType: 'ECS_AL2023_NVIDIA' }] });
  }

  private pair(id: string, resources: Partial<Resources>): Pair {
    const all = { ...resources, ...this.instances(), minvCpus: 0 };
    return [
      this.environment(`${id}Spot`, { ...all, type: 'SPOT', allocationStrategy: 'SPOT_PRICE_CAPACITY_OPTIMIZED' }),
      this.environment(id, { ...all, type: 'EC2', allocationStrategy: 'BEST_FIT_PROGRESSIVE' }),
    ];
  }

  private environment(id: string, resources: Resources): CfnComputeEnvironment {
    const { subnetIds: subnets, securityGroupIds } = this.network;
    return new CfnComputeEnvironment(this, id, {
      type: 'MANAGED',
      // An update changes it in its place, as a queue keeps it from being replaced.
      replaceComputeEnvironment: false,
      computeResources: { maxvCpus: this.config.batchVcpus, subnets, securityGroupIds, ...resources },
    });
  }

  /** What machines of EC2 are: encrypted disks, credentials for processes on them alone, and the right to join their cluster. */
  private instances(): Partial<Resources> {
    if (this.ec2Settings) return this.ec2Settings;
    const role = new Role(this, 'InstanceRole', {
      assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
      description: 'Joins a machine to its cluster',
      managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName('service-role/AmazonEC2ContainerServiceforEC2Role')],
    });
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role]',
      reason: 'The one policy with which a machine joins a cluster of ECS; jobs have roles of their own.',
    });
    const profile = new CfnInstanceProfile(this, 'InstanceProfile', { roles: [role.roleName] });
    const template = new CfnLaunchTemplate(this, 'Machine', {
      launchTemplateData: {
        metadataOptions: { httpTokens: 'required', httpPutResponseHopLimit: 1 },
        blockDeviceMappings: [
          {
            deviceName: '/dev/xvda',
            ebs: { volumeType: 'gp3', volumeSize: ec2Disk.toGibibytes(), encrypted: true, deleteOnTermination: true },
          },
        ],
      },
    });
    template.applyRemovalPolicy(RemovalPolicy.DESTROY);
    this.ec2Settings = {
      instanceRole: profile.attrArn,
      launchTemplate: { launchTemplateId: template.ref, version: '$Latest' },
      tags: { Name: `${Stack.of(this).stackName} jobs` },
    };
    return this.ec2Settings;
  }
}
