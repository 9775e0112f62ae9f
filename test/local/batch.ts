/** Templates with Batch, and its calls as a client without an SDK makes them. */
import type { RunningCloud } from '../../local/start-cloud.ts';
import type { JsonObject } from '../../local/template/intrinsics.ts';
import type { Template } from '../../local/template/template.ts';

/** A queue on Fargate with the given policy, and on a spot one behind which it is, where asked. */
export function batchResources(options: { shares?: JsonObject; spot?: boolean; definition?: JsonObject } = {}): Template['Resources'] {
  const environment = (type: string) => ({
    Type: 'AWS::Batch::ComputeEnvironment',
    Properties: {
      Type: 'managed',
      ComputeEnvironmentName: type.toLowerCase(),
      ComputeResources: { Type: type, MaxvCpus: 16, Subnets: ['subnet-1'], SecurityGroupIds: ['sg-1'] },
    },
  });
  return {
    OnDemand: environment('FARGATE'),
    ...(options.spot && { Spot: environment('FARGATE_SPOT') }),
    ...(options.shares && {
      Policy: { Type: 'AWS::Batch::SchedulingPolicy', Properties: { Name: 'fair', FairsharePolicy: options.shares } },
    }),
    Queue: {
      Type: 'AWS::Batch::JobQueue',
      Properties: {
        JobQueueName: 'queue',
        Priority: 1,
        JobStateTimeLimitActions: [
          { Action: 'CANCEL', State: 'RUNNABLE', Reason: 'MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE', MaxTimeSeconds: 1 },
        ],
        ComputeEnvironmentOrder: [
          ...(options.spot ? [{ Order: 1, ComputeEnvironment: { Ref: 'Spot' } }] : []),
          { Order: 2, ComputeEnvironment: { Ref: 'OnDemand' } },
        ],
        ...(options.shares && { SchedulingPolicyArn: { 'Fn::GetAtt': ['Policy', 'Arn'] } }),
      },
    },
    Job: {
      Type: 'AWS::Batch::JobDefinition',
      Properties: {
        JobDefinitionName: 'job',
        Type: 'container',
        PlatformCapabilities: ['FARGATE'],
        Parameters: { script: '0' },
        ContainerProperties: {
          Image: 'node',
          Command: ['node', '-e', 'Ref::script'],
          ResourceRequirements: [
            { Type: 'VCPU', Value: '1' },
            { Type: 'MEMORY', Value: '512' },
          ],
          LogConfiguration: { LogDriver: 'awslogs', Options: { 'awslogs-group': 'jobs' } },
        },
        ...options.definition,
      },
    },
  };
}

export interface Described {
  jobId: string;
  jobName: string;
  status: string;
  statusReason?: string;
  startedAt?: number;
  stoppedAt?: number;
  attempts: { statusReason: string; startedAt: number; stoppedAt: number; container: { exitCode?: number; reason?: string } }[];
  container: { exitCode?: number; memory: number };
  arrayProperties?: { size: number; index?: number; statusSummary: Record<string, number> };
  isCancelled: boolean;
  isTerminated: boolean;
}

/** Calls an operation; an answer that is not 200 is thrown, with the name and message that an SDK would give it. */
export async function callBatch<T>({ url }: { url: string }, operation: string, input: object): Promise<T> {
  const response = await fetch(`${url}/v1/${operation.toLowerCase()}`, {
    method: 'POST',
    body: JSON.stringify(input),
    headers: { authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/batch/aws4_request, SignedHeaders=host, Signature=0' },
  });
  const answer = (await response.json()) as T & { message?: string };
  if (response.ok) return answer;
  throw Object.assign(new Error(answer.message), { name: response.headers.get('x-amzn-errortype') });
}

/** Submits a script of Node's. @returns the job's id */
export async function submit(cloud: RunningCloud, script: string, more: object = {}): Promise<string> {
  const request = { jobName: 'job', jobQueue: 'queue', jobDefinition: 'job', parameters: { script }, ...more };
  return (await callBatch<{ jobId: string }>(cloud, 'SubmitJob', request)).jobId;
}

export async function describeJob(cloud: { url: string }, jobId: string): Promise<Described> {
  return (await callBatch<{ jobs: Described[] }>(cloud, 'DescribeJobs', { jobs: [jobId] })).jobs[0]!;
}

/** The job as it is once it has come to one of the states. */
export async function until(cloud: { url: string }, jobId: string, ...states: string[]): Promise<Described> {
  for (const end = Date.now() + 30_000; Date.now() < end; await new Promise((done) => setTimeout(done, 25))) {
    const job = await describeJob(cloud, jobId);
    if (states.includes(job.status)) return job;
  }
  throw new Error(`The job is not ${states.join(' or ')}: ${JSON.stringify(await describeJob(cloud, jobId))}`);
}

export const ended = (cloud: { url: string }, jobId: string) => until(cloud, jobId, 'SUCCEEDED', 'FAILED');
