import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { batchResources } from '../local/batch.ts';
import { python, pythonHas } from '../python.ts';
import { type MiniStack, startMiniStack } from './ministack.ts';

const run = promisify(execFile);
const hasJudge = pythonHas('ministack', 'boto3');

const definition = {
  StartAt: 'Job',
  States: {
    Job: {
      Type: 'Task',
      Resource: 'arn:aws:states:::batch:submitJob.sync',
      Parameters: {
        JobName: 'job',
        'JobQueue.$': '$$.StateMachine.Name',
        JobDefinition: 'job',
        'Parameters.$': '$.parameters',
        ArrayProperties: { Size: 3 },
      },
      End: true,
    },
  },
};

const template = {
  Resources: {
    ...batchResources({
      definition: {
        RetryStrategy: {
          Attempts: 3,
          EvaluateOnExit: [
            { OnExitCode: '7', Action: 'EXIT' },
            { OnStatusReason: 'Essential*', Action: 'RETRY' },
          ],
        },
      },
    }),
    Role: {
      Type: 'AWS::IAM::Role',
      Properties: {
        AssumeRolePolicyDocument: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'states.amazonaws.com' } }],
        },
      },
    },
    Machine: {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: { StateMachineName: 'queue', DefinitionString: JSON.stringify(definition), RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] } },
    },
  },
  Outputs: { Machine: { Value: { Ref: 'Machine' } } },
};

interface Ended {
  status: string;
  error: string | null;
  detail: { StatusReason?: string; ArrayProperties: { StatusSummary: Record<string, number> } };
}

describe.skipIf(!hasJudge)(`the emulator's Batch${hasJudge ? '' : ' (skipped: no Python with ministack and boto3)'}`, () => {
  let ministack: MiniStack;
  let ended: Record<string, Ended>;

  beforeAll(async () => {
    ministack = await startMiniStack({ JOB_CORES: '3' });
    // The children meet: each waits until all three have begun, which one after the other they never would.
    const meet = (file: string) => `
      const fs = require('fs'); fs.appendFileSync('${file}', process.env.AWS_BATCH_JOB_ARRAY_INDEX);
      const look = () => fs.readFileSync('${file}').length >= 3 ? process.exit(0) : setTimeout(look, 20);
      setTimeout(() => process.exit(7), 20_000).unref(); look();`;
    const scripts = {
      together: meet(join(ministack.home, 'met')),
      flaky: "process.exit(process.env.AWS_BATCH_JOB_ATTEMPT === '3' ? 0 : 1)",
      hopeless: "process.exit(process.env.AWS_BATCH_JOB_ATTEMPT === '2' ? 0 : 7)",
    };
    const child = run(python, [join(import.meta.dirname, 'ministack_plus_client.py')]);
    child.child.stdin!.end(JSON.stringify({ endpoint: ministack.endpoint, template, scripts }));
    ended = JSON.parse((await child).stdout) as Record<string, Ended>;
  });
  afterAll(() => ministack?.stop());

  test('runs the children of an array side by side', () => {
    expect(ended['together']).toMatchObject({ status: 'SUCCEEDED', detail: { ArrayProperties: { StatusSummary: { SUCCEEDED: 3 } } } });
  });

  test('tries again by the rules, and fails with the job as the cause', () => {
    expect(ended['flaky']).toMatchObject({ status: 'SUCCEEDED' });
    expect(ended['hopeless']).toMatchObject({
      status: 'FAILED',
      error: 'States.TaskFailed',
      detail: { StatusReason: 'Array Child Job failed' },
    });
  });
});
