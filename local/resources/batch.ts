/** Batch: compute environments, job queues with their policies, and job definitions. */
import { camelKeys } from '../batch/case.ts';
import { ComputeEnvironment } from '../batch/environment.ts';
import { JobQueue, type QueueSettings } from '../batch/queue.ts';
import type { FairSharePolicy } from '../batch/shares.ts';
import type { Json, JsonObject } from '../template/intrinsics.ts';
import { accountId, region } from '../template/template.ts';
import { number, object, objects, type ResourceTypes, refusal, required, string } from './resource-type.ts';

const arnOf = (kind: string, name: string) => `arn:aws:batch:${region}:${accountId}:${kind}/${name}`;
const tagsOf = (properties: JsonObject) => object(properties['Tags']) as Record<string, string>;
const stateOf = (properties: JsonObject) => (properties['State'] === 'DISABLED' ? 'DISABLED' : 'ENABLED');

export const batch: ResourceTypes = {
  'AWS::Batch::ComputeEnvironment': {
    properties: ['ComputeEnvironmentName', 'Type', 'State', 'ComputeResources', 'Tags', 'ServiceRole'],
    meaningless: ['UpdatePolicy', 'ReplaceComputeEnvironment'],
    create: ({ id, name: made, properties, cloud }) => {
      if (String(properties['Type']).toUpperCase() !== 'MANAGED') throw refusal(id, 'only managed compute environments are there');
      const name = string(properties['ComputeEnvironmentName']) ?? made;
      const arn = arnOf('compute-environment', name);
      const { type, maxvCpus, ...computeResources } = object(camelKeys(object(properties['ComputeResources'])));
      const settings = {
        name,
        arn,
        type: required({ type }, 'type', id).toUpperCase(),
        state: stateOf(properties),
        maxvCpus: Number(required({ maxvCpus }, 'maxvCpus', id)),
        serviceRole: string(properties['ServiceRole']) ?? '',
        tags: tagsOf(properties),
        computeResources: object(computeResources as Json),
      } as const;
      cloud.batch.environments.set(arn, new ComputeEnvironment(settings, cloud.batch.machine));
      return { ref: arn, attributes: { ComputeEnvironmentArn: arn } };
    },
  },
  'AWS::Batch::SchedulingPolicy': {
    properties: ['Name', 'FairsharePolicy', 'Tags'],
    create: ({ name: made, properties, cloud }) => {
      const name = string(properties['Name']) ?? made;
      const arn = arnOf('scheduling-policy', name);
      const policy = object(properties['FairsharePolicy']);
      const fairsharePolicy: FairSharePolicy = {
        shareDecaySeconds: number(policy['ShareDecaySeconds']) ?? 0,
        computeReservation: number(policy['ComputeReservation']) ?? 0,
        shareDistribution: objects(policy['ShareDistribution']).map((share) => ({
          shareIdentifier: String(share['ShareIdentifier']),
          weightFactor: number(share['WeightFactor']) ?? 1,
        })),
      };
      cloud.batch.policies.set(arn, { name, arn, fairsharePolicy, tags: tagsOf(properties) });
      return { ref: arn, attributes: { Arn: arn } };
    },
  },
  'AWS::Batch::JobQueue': {
    properties: ['JobQueueName', 'State', 'Priority', 'ComputeEnvironmentOrder', 'SchedulingPolicyArn', 'JobStateTimeLimitActions', 'Tags'],
    meaningless: ['JobQueueType'],
    create: ({ id, name: made, properties, cloud }) => {
      const name = string(properties['JobQueueName']) ?? made;
      const arn = arnOf('job-queue', name);
      const environments = objects(properties['ComputeEnvironmentOrder'])
        .sort((a, b) => Number(a['Order']) - Number(b['Order']))
        .map((each) => cloud.batch.environment(required(each, 'ComputeEnvironment', id)));
      const policyArn = string(properties['SchedulingPolicyArn']);
      const schedulingPolicy = policyArn === undefined ? undefined : cloud.batch.policies.get(policyArn);
      if (policyArn !== undefined && !schedulingPolicy) throw refusal(id, 'its scheduling policy is not there');
      const settings: QueueSettings = {
        name,
        arn,
        state: stateOf(properties),
        priority: Number(required(properties, 'Priority', id)),
        timeLimits: objects(properties['JobStateTimeLimitActions']).map((each) => ({
          reason: String(each['Reason']),
          maxTimeSeconds: Number(each['MaxTimeSeconds']),
        })),
        tags: tagsOf(properties),
        ...(schedulingPolicy && { schedulingPolicy }),
      };
      cloud.batch.queues.set(arn, new JobQueue(settings, environments, cloud.batch.machine));
      return { ref: arn, attributes: { JobQueueArn: arn } };
    },
  },
  'AWS::Batch::JobDefinition': {
    properties: [
      'JobDefinitionName',
      'Type',
      'ContainerProperties',
      'Parameters',
      'RetryStrategy',
      'Timeout',
      'SchedulingPriority',
      'PlatformCapabilities',
      'PropagateTags',
      'Tags',
    ],
    create: async ({ name: made, properties, cloud, stack }) => {
      const jobDefinitionName = string(properties['JobDefinitionName']) ?? made;
      const definition = await cloud.batch.definitions.update({ ...object(camelKeys(properties)), jobDefinitionName });
      cloud.batch.assets = stack.assets;
      const group = definition.containerProperties.logConfiguration?.options?.['awslogs-group'];
      if (group) cloud.logs.create(group);
      return { ref: definition.jobDefinitionArn, attributes: { JobDefinitionArn: definition.jobDefinitionArn } };
    },
  },
};
