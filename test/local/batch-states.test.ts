import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type RunningCloud, startCloud } from '../../local/start-cloud.ts';
import type { StateMachine } from '../../local/states/state-machine.ts';
import { newHome, writeAssembly } from './assembly.ts';
import { batchResources, callBatch, type Described, ended } from './batch.ts';
import { endProcess, killAll, lives, startProcess } from './processes.ts';

const open: RunningCloud[] = [];
afterAll(async () => {
  killAll();
  await Promise.all(open.map((cloud) => cloud.close()));
});

/** An execution submits one job, whose script is in its input, and waits for it. */
const definition = {
  StartAt: 'Train',
  States: {
    Train: {
      Type: 'Task',
      Resource: 'arn:aws:states:::batch:submitJob.sync',
      TimeoutSecondsPath: '$.seconds',
      Parameters: {
        JobName: 'job',
        JobQueue: 'queue',
        JobDefinition: 'job',
        'Parameters.$': '$.parameters',
        ArrayProperties: { Size: 2 },
        ContainerOverrides: { Environment: [{ Name: 'Mode', Value: 'sync' }] },
      },
      End: true,
    },
  },
};

const template = {
  Resources: {
    ...batchResources(),
    Machine: {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: { StateMachineName: 'machine', DefinitionString: JSON.stringify(definition) },
    },
  },
};

async function startMachine(): Promise<{ cloud: RunningCloud; machine: StateMachine }> {
  const cloud = await startCloud({ assembly: writeAssembly(template), home: newHome(), port: 0, batch: { vcpus: 2 } });
  open.push(cloud);
  return { cloud, machine: [...cloud.cloud.machines.values()][0]! };
}

const input = (script: string, seconds = 600) => JSON.stringify({ parameters: { script }, seconds });

describe('a task that runs a job', () => {
  test('waits for its end, and returns it as DescribeJobs shows it', async () => {
    const { machine } = await startMachine();
    const execution = await machine.start('good', input('process.exit(process.env.Mode === "sync" ? 0 : 1)'));
    await expect.poll(() => execution.status).toBe('SUCCEEDED');
    expect(JSON.parse(execution.output!)).toMatchObject({
      JobName: 'job',
      Status: 'SUCCEEDED',
      ArrayProperties: { Size: 2, StatusSummary: { SUCCEEDED: 2 } },
      Container: {
        Environment: [
          { Name: 'Mode', Value: 'sync' },
          { Name: 'MANAGED_BY_AWS', Value: 'STARTED_BY_STEP_FUNCTIONS' },
        ],
      },
    });
  });

  test('fails with the job as the cause', async () => {
    const { machine } = await startMachine();
    const execution = await machine.start('bad', input('process.exit(3)'));
    await expect.poll(() => execution.status).toBe('FAILED');
    expect(execution.error).toBe('States.TaskFailed');
    expect(JSON.parse(execution.cause!)).toMatchObject({
      Status: 'FAILED',
      StatusReason: 'Array Child Job failed',
      Parameters: { script: 'process.exit(3)' },
    });
  });

  test('fails by the name of Batch’s error where the job is refused', async () => {
    const { cloud, machine } = await startMachine();
    await callBatch(cloud, 'UpdateJobQueue', { jobQueue: 'queue', state: 'DISABLED' });
    const execution = await machine.start('refused', input('0'));
    await expect.poll(() => execution.status).toBe('FAILED');
    expect(execution).toMatchObject({ error: 'Batch.ClientException', cause: expect.stringContaining('disabled') });
  });

  test('is given up after the seconds that its state’s input says', async () => {
    const { cloud, machine } = await startMachine();
    await callBatch(cloud, 'UpdateComputeEnvironment', { computeEnvironment: 'fargate', state: 'DISABLED' });
    const execution = await machine.start('patient', input('0', 1));
    await expect.poll(() => execution.status).toBe('FAILED');
    expect(execution.error).toBe('States.Timeout');
    expect(await ended(cloud, cloud.cloud.batch.jobs()[0]!.id)).toMatchObject({ status: 'FAILED' });
  });

  test('takes its job with it where the execution is stopped', async () => {
    const { cloud, machine } = await startMachine();
    const execution = await machine.start('stopped', input('setTimeout(() => 0, 60_000)'));
    await expect.poll(() => cloud.cloud.batch.jobs()[0]?.summary().RUNNING).toBe(2);
    machine.stop(execution);
    const job = await ended(cloud, cloud.cloud.batch.jobs()[0]!.id);
    expect(job).toMatchObject({ status: 'FAILED', arrayProperties: { statusSummary: { FAILED: 2 } } });
  });
});

test('killed with kill -9, no process of a job is left; the execution gets its job back, and the job another attempt', async () => {
  const home = newHome();
  const file = join(home, 'notes');
  const directory = writeAssembly(template);
  // Each attempt notes its process and its number, and takes a while.
  const script = `require('fs').appendFileSync(${JSON.stringify(file)}, [process.pid, process.env.AWS_BATCH_JOB_ARRAY_INDEX, process.env.AWS_BATCH_JOB_ATTEMPT] + '\\n'); setTimeout(() => 0, 1500)`;
  const notes = () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []).map((line) => line.split(','));
  const first = await startProcess(directory, home);
  const signature = (service: string) =>
    `AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`;
  await fetch(first.url, {
    method: 'POST',
    headers: {
      authorization: signature('states'),
      'x-amz-target': 'AWSStepFunctions.StartExecution',
      'content-type': 'application/x-amz-json-1.0',
    },
    body: JSON.stringify({
      stateMachineArn: 'arn:aws:states:us-east-1:000000000000:stateMachine:machine',
      name: 'killed',
      input: input(script),
    }),
  });
  await expect.poll(() => notes().length).toBeGreaterThan(0);
  await endProcess(first.child, 'SIGKILL');
  for (const [pid] of notes()) await expect.poll(() => lives(Number(pid))).toBe(false);

  const second = await startProcess(directory, home);
  const { jobSummaryList } = await callBatch<{ jobSummaryList: { jobId: string }[] }>(second, 'ListJobs', {
    jobQueue: 'queue',
    jobStatus: 'PENDING',
  });
  expect(jobSummaryList).toHaveLength(1);
  const job = await ended(second, jobSummaryList[0]!.jobId);
  expect(job.status).toBe('SUCCEEDED');
  const { jobs } = await callBatch<{ jobs: Described[] }>(second, 'DescribeJobs', { jobs: [0, 1].map((index) => `${job.jobId}:${index}`) });
  for (const { attempts } of jobs) expect(attempts.at(-1)).toMatchObject({ statusReason: 'Essential container in task exited' });
  expect(jobs.some(({ attempts }) => attempts.length === 2 && attempts[0]!.statusReason.startsWith('Host EC2'))).toBe(true);
  const describe = await fetch(second.url, {
    method: 'POST',
    headers: {
      authorization: signature('states'),
      'x-amz-target': 'AWSStepFunctions.DescribeExecution',
      'content-type': 'application/x-amz-json-1.0',
    },
    body: JSON.stringify({ executionArn: 'arn:aws:states:us-east-1:000000000000:execution:machine:killed' }),
  });
  const { output } = (await describe.json()) as { output: string };
  expect(JSON.parse(output)).toMatchObject({ JobId: job.jobId });
  await endProcess(second.child, 'SIGTERM');
});
