import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { BatchClient } from '@aws-sdk/client-batch';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BatchJobs } from '../../aws/batch-jobs.ts';
import { whyWaiting } from '../../core/compute/waiting.ts';
import { freePort } from '../judges/ministack.ts';
import { python, pythonHas, runPython } from '../python.ts';

const hasJudge = pythonHas('moto.server', 'boto3');

/** A queue on Fargate and a definition, by boto3; the job itself is not run. Prints the queue's ARN. */
const connect = `
import boto3, json, sys, urllib.request
endpoint = sys.argv[1]
client = lambda name: boto3.client(name, endpoint_url=endpoint, region_name='us-east-1', aws_access_key_id='test', aws_secret_access_key='test')
`;
const disable = `${connect}
client('batch').update_compute_environment(computeEnvironment='fargate', state='DISABLED')`;
const setUp = `${connect}
urllib.request.urlopen(urllib.request.Request(endpoint + '/moto-api/config', json.dumps({'batch': {'use_docker': False}}).encode(), {'content-type': 'application/json'}))
ec2, batch = client('ec2'), client('batch')
subnet = ec2.describe_subnets()['Subnets'][0]
group = ec2.describe_security_groups()['SecurityGroups'][0]['GroupId']
role = client('iam').create_role(RoleName='role', AssumeRolePolicyDocument='{}')['Role']['Arn']
environment = batch.create_compute_environment(computeEnvironmentName='fargate', type='MANAGED', serviceRole=role, computeResources={
    'type': 'FARGATE', 'maxvCpus': 8, 'subnets': [subnet['SubnetId']], 'securityGroupIds': [group]})['computeEnvironmentArn']
policy = batch.create_scheduling_policy(name='shares', fairsharePolicy={'shareDistribution': [{'shareIdentifier': 'urgent', 'weightFactor': 0.25}]})['arn']
queue = batch.create_job_queue(jobQueueName='queue', state='ENABLED', priority=1, schedulingPolicyArn=policy,
    computeEnvironmentOrder=[{'order': 1, 'computeEnvironment': environment}])['jobQueueArn']
batch.register_job_definition(jobDefinitionName='train', type='container', platformCapabilities=['FARGATE'], schedulingPriority=0, containerProperties={
    'image': 'node', 'command': ['node'], 'executionRoleArn': role,
    'resourceRequirements': [{'type': 'VCPU', 'value': '1'}, {'type': 'MEMORY', 'value': '2048'}]})
print(queue)
`;

describe.skipIf(!hasJudge)(
  `Batch's calls, on a mock that we didn't write${hasJudge ? '' : ' (skipped: no Python with moto and boto3)'}`,
  () => {
    let moto: ChildProcess;
    let jobs: BatchJobs;
    let queue: string;
    let endpoint: string;

    beforeAll(async () => {
      const port = await freePort();
      endpoint = `http://127.0.0.1:${port}`;
      moto = spawn(python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
      for (let tries = 0; !(await fetch(`${endpoint}/moto-api/`).catch(() => undefined)); tries++) {
        if (tries > 300) throw new Error('moto did not start');
        await sleep(200);
      }
      queue = runPython(setUp, '', [endpoint]).trim();
      const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
      jobs = new BatchJobs(new BatchClient({ endpoint, region: 'us-east-1', credentials }));
    });

    afterAll(async () => {
      moto.kill();
      await once(moto, 'exit');
    });

    test('a queue is asked how busy it is', async () => {
      expect(await jobs.queueState(queue, 8)).toEqual({ trouble: undefined, maxVcpus: 8, busyVcpus: 0, waitingVcpus: {} });
      await expect(jobs.queueState('no-such-queue', 8)).rejects.toThrow('does not exist');
    });

    test('a job is submitted with its share, priority and size, and found by the beginning of its name', async () => {
      const size = { machines: 'fargate', vcpus: 4, memory: 8192 } as const;
      const request = { queue, definition: 'train', priority: 90, stage: 'Search', event: { run: 'r' }, size } as const;
      expect(await jobs.submit({ name: 'r-search', ...request })).toMatch(/^[0-9a-f-]{36}$/);
      for (const job of await jobs.open(queue, 'r-')) {
        expect(job).toMatchObject({ name: 'r-search', maxVcpus: 8, trouble: undefined });
        expect(whyWaiting(job)).toSatisfy((why) => why === undefined || typeof why === 'string');
      }
      expect(await jobs.open(queue, 'other-')).toEqual([]);
    });

    test('jobs are counted by what they wait for, and ended by the beginning of their names', async () => {
      const size = { machines: 'fargate', vcpus: 4, memory: 8192 } as const;
      const request = { queue, definition: 'train', priority: 90, stage: 'Search', event: { run: 's' }, size } as const;
      await jobs.submit({ name: 's-search', ...request });
      const { waiting, oldest, running, open } = await jobs.look(queue);
      expect(open).toBeGreaterThanOrEqual(waiting + running);
      expect(oldest === undefined).toBe(waiting === 0);
      expect(await jobs.stop(queue, 's-', 'Nobody waits for it.')).toSatisfy((whys: string[]) =>
        whys.every((why) => typeof why === 'string'),
      );
      await expect.poll(() => jobs.open(queue, 's-')).toEqual([]);
      await expect(jobs.look('no-such-queue')).rejects.toThrow();
    });

    test('a queue whose compute environments are disabled is of no use', async () => {
      runPython(disable, '', [endpoint]);
      expect(await jobs.queueState(queue, 8)).toMatchObject({
        trouble: 'All compute environments of the queue are disabled: enable one in Batch.',
      });
    });

    test('a job of a definition that is not there is refused', async () => {
      const size = { machines: 'fargate', vcpus: 4, memory: 8192 } as const;
      const request = { name: 'r-search', queue, definition: 'none', priority: 0, stage: 'Search', event: {}, size } as const;
      await expect(jobs.submit(request)).rejects.toThrow();
    });
  },
);
