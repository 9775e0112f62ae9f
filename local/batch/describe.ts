/** Batch's resources and jobs as its descriptions show them. */
import type { Output } from '../protocol/service.ts';
import type { ComputeEnvironment } from './environment.ts';
import { type Attempt, type Job, memoryOf, vcpusOf } from './job.ts';
import type { JobQueue } from './queue.ts';

export function jobDetail(job: Job): Output {
  const { spec, state } = job;
  const last = state.attempts.at(-1);
  return {
    jobArn: job.arn,
    jobName: spec.jobName,
    jobId: job.id,
    jobQueue: spec.jobQueue,
    status: state.status,
    shareIdentifier: spec.shareIdentifier,
    schedulingPriority: spec.schedulingPriority,
    attempts: state.attempts.filter(({ stoppedAt }) => stoppedAt !== undefined).map(attemptDetail),
    statusReason: state.statusReason,
    createdAt: state.createdAt,
    retryStrategy: spec.retryStrategy,
    startedAt: state.startedAt,
    stoppedAt: state.stoppedAt,
    dependsOn: spec.dependsOn,
    jobDefinition: spec.jobDefinition,
    parameters: spec.parameters,
    container: {
      ...spec.container,
      networkInterfaces: [],
      vcpus: vcpusOf(spec.container),
      memory: memoryOf(spec.container),
      ...(last && { exitCode: last.exitCode, reason: last.reason, logStreamName: last.logStreamName, taskArn: last.taskArn }),
    },
    arrayProperties: arrayProperties(job),
    timeout: spec.timeout,
    tags: spec.tags,
    propagateTags: spec.propagateTags,
    platformCapabilities: spec.platformCapabilities,
    eksAttempts: [],
    isCancelled: state.isCancelled ?? false,
    isTerminated: state.isTerminated ?? false,
  };
}

export function jobSummary(job: Job): Output {
  const { spec, state } = job;
  const last = state.attempts.at(-1);
  return {
    jobArn: job.arn,
    jobId: job.id,
    jobName: spec.jobName,
    createdAt: state.createdAt,
    shareIdentifier: spec.shareIdentifier,
    status: state.status,
    statusReason: state.statusReason,
    startedAt: state.startedAt,
    stoppedAt: state.stoppedAt,
    container: last && { exitCode: last.exitCode, reason: last.reason },
    arrayProperties: arrayProperties(job),
    jobDefinition: spec.jobDefinition,
  };
}

function arrayProperties(job: Job): Output | undefined {
  if (job.index !== undefined) return { size: job.spec.size, index: job.index };
  return job.isArray ? { size: job.children.length, statusSummary: job.summary(), statusSummaryLastUpdatedAt: Date.now() } : undefined;
}

function attemptDetail({ startedAt, stoppedAt, statusReason, exitCode, reason, logStreamName, taskArn }: Attempt): Output {
  return { container: { exitCode, reason, logStreamName, taskArn, networkInterfaces: [] }, startedAt, stoppedAt, statusReason };
}

export function environmentDetail({ settings, used }: ComputeEnvironment): Output {
  const { name, arn, type, state, maxvCpus, serviceRole, tags, computeResources } = settings;
  return {
    computeEnvironmentName: name,
    computeEnvironmentArn: arn,
    ecsClusterArn: arn.replace(':batch:', ':ecs:').replace('compute-environment/', 'cluster/'),
    tags,
    type: 'MANAGED',
    state,
    status: 'VALID',
    statusReason: 'ComputeEnvironment Healthy',
    computeResources: {
      subnets: [],
      securityGroupIds: [],
      tags: {},
      ...computeResources,
      type,
      maxvCpus,
      ...(!type.startsWith('FARGATE') && { minvCpus: 0, desiredvCpus: Math.ceil(used) }),
    },
    serviceRole,
    containerOrchestrationType: 'ECS',
  };
}

export function queueDetail({ settings, environments }: JobQueue): Output {
  return {
    jobQueueName: settings.name,
    jobQueueArn: settings.arn,
    state: settings.state,
    schedulingPolicyArn: settings.schedulingPolicy?.arn,
    status: 'VALID',
    statusReason: 'JobQueue Healthy',
    priority: settings.priority,
    computeEnvironmentOrder: environments.map((environment, index) => ({ order: index + 1, computeEnvironment: environment.settings.arn })),
    jobQueueType: environments.some(({ isFargate }) => isFargate) ? 'ECS_FARGATE' : 'ECS',
    tags: settings.tags,
  };
}
