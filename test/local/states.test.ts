import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningCloud } from '../../local/start-cloud.ts';
import { lambda, newHome, start } from './assembly.ts';

const work = `
  let attempts = 0;
  export const handler = async (event) => {
    if (event.flaky && ++attempts < 3) { const error = new Error('busy'); error.name = 'Busy'; throw error; }
    if (event.bad) { const error = new Error('no rows'); error.name = 'EmptyDataset'; throw error; }
    if (event.ms) await new Promise((done) => setTimeout(done, event.ms));
    return { doubled: 2 * (event.item ?? 0) };
  };`;

const Resource = { 'Fn::GetAtt': ['Work', 'Arn'] };
const Retry = [{ ErrorEquals: ['Busy'], IntervalSeconds: 1, MaxAttempts: 3, BackoffRate: 1 }];
const Catch = [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Failed' }];
const definition = {
  StartAt: 'First',
  States: {
    First: { Type: 'Task', Resource, Retry, Catch, ResultPath: '$.first', Next: 'Each' },
    Each: {
      Type: 'Map',
      ItemsPath: '$.items',
      ItemSelector: { 'item.$': '$$.Map.Item.Value', 'name.$': '$$.Execution.Name' },
      ItemProcessor: { StartAt: 'One', States: { One: { Type: 'Task', Resource, End: true } } },
      End: true,
    },
    Failed: { Type: 'Fail', ErrorPath: '$.error.Error', CausePath: '$.error.Cause' },
  },
};

/** As the CDK writes it: the JSON text, cut where a reference stands. */
function definitionString(value: unknown) {
  const parts = JSON.stringify(value).split(JSON.stringify(Resource));
  return { 'Fn::Join': ['', parts.flatMap((part, index) => (index === 0 ? [part] : ['"', Resource, `"${part}`]))] };
}

const template = (value: unknown) => ({
  Resources: {
    Work: lambda('work', { Timeout: 30 }),
    Machine: {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: { StateMachineName: 'machine', DefinitionString: definitionString(value) },
    },
  },
  Outputs: { Arn: { Value: { Ref: 'Machine' } } },
});

let cloud: RunningCloud;
let client: SFNClient;
let stateMachineArn: string;
const home = newHome();

function connect() {
  stateMachineArn = cloud.outputs['Arn']!;
  client = new SFNClient({ endpoint: cloud.url, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
}

beforeAll(async () => {
  cloud = await start(template(definition), { work }, home);
  connect();
});
afterAll(() => cloud.close());

const begin = (name: string, input: object) =>
  client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));

async function end(executionArn: string) {
  const describe = () => client.send(new DescribeExecutionCommand({ executionArn }));
  await expect.poll(async () => (await describe()).status, { interval: 50 }).not.toBe('RUNNING');
  return describe();
}

describe('a state machine', () => {
  test('runs tasks, retries and a map', async () => {
    const { executionArn } = await begin('ok', { items: [1, 2, 3], flaky: true });
    const done = await end(executionArn!);
    expect(done).toMatchObject({ status: 'SUCCEEDED', name: 'ok', output: '[{"doubled":2},{"doubled":4},{"doubled":6}]' });
    expect(done.stopDate!.getTime()).toBeGreaterThanOrEqual(done.startDate!.getTime());
    const { events } = await client.send(new GetExecutionHistoryCommand({ executionArn }));
    const types = events!.map(({ type }) => String(type));
    expect(types[0]).toBe('ExecutionStarted');
    expect(types).toContain('TaskStateEntered');
    expect(types.at(-1)).toBe('ExecutionSucceeded');
    expect(events!.find(({ stateEnteredEventDetails }) => stateEnteredEventDetails)?.stateEnteredEventDetails?.name).toBe('First');
  });

  test('catches the function’s error by its name', async () => {
    const { executionArn } = await begin('bad', { items: [], bad: true });
    const { status, error, cause } = await end(executionArn!);
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'EmptyDataset' });
    expect(JSON.parse(cause!)).toMatchObject({ errorType: 'EmptyDataset', errorMessage: 'no rows' });
  });

  test('an execution of the same name and input is the same while it runs, and refused once it is closed', async () => {
    const { executionArn } = await begin('same', { items: [], ms: 20_000 });
    const again = await begin('same', { items: [], ms: 20_000 });
    expect(again.executionArn).toBe(executionArn);
    await expect(begin('same', { items: [1] })).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
    await client.send(new StopExecutionCommand({ executionArn }));
    await end(executionArn!);
    await expect(begin('same', { items: [], ms: 20_000 })).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
    await expect(begin('no spaces', {})).rejects.toMatchObject({ name: 'InvalidName' });
  });

  test('can be stopped, and lists by status and by pages', async () => {
    const { executionArn } = await begin('long', { items: [], ms: 20_000 });
    await client.send(new StopExecutionCommand({ executionArn, error: 'Cancelled', cause: 'asked to' }));
    expect(await end(executionArn!)).toMatchObject({ status: 'ABORTED', error: 'Cancelled', cause: 'asked to' });
    const page = await client.send(new ListExecutionsCommand({ stateMachineArn, maxResults: 2 }));
    expect(page.executions!.map(({ name }) => name)).toEqual(['long', 'same']);
    const next = await client.send(new ListExecutionsCommand({ stateMachineArn, maxResults: 2, nextToken: page.nextToken }));
    expect(next.executions!.map(({ name }) => name)).toEqual(['bad', 'ok']);
    const failed = await client.send(new ListExecutionsCommand({ stateMachineArn, statusFilter: 'FAILED' }));
    expect(failed.executions!.map(({ name }) => name)).toEqual(['bad']);
  });

  test('ends at its own time limit', async () => {
    const wait = { TimeoutSeconds: 1, StartAt: 'Wait', States: { Wait: { Type: 'Wait', Seconds: 60, End: true } } };
    const small = await start(template(wait), { work });
    const machine = [...small.cloud.machines.values()][0]!;
    const execution = await machine.start('late', '{}');
    await expect.poll(() => execution.status).toBe('TIMED_OUT');
    expect(machine.history('late').at(-1)?.type).toBe('ExecutionTimeout');
    await small.close();
  });

  test('what ran when the cloud stopped is run again from the beginning', async () => {
    const { executionArn } = await begin('interrupted', { items: [5], ms: 1500 });
    await cloud.close();
    cloud = await start(template(definition), { work }, home);
    connect();
    expect(await end(executionArn!)).toMatchObject({ status: 'SUCCEEDED', output: '[{"doubled":10}]' });
    const { executions } = await client.send(new ListExecutionsCommand({ stateMachineArn }));
    expect(executions).toHaveLength(5);
  });
});

describe('a definition that the interpreter would run otherwise than AWS', () => {
  test.each([
    ['JSONata', { QueryLanguage: 'JSONata', StartAt: 'A', States: { A: { Type: 'Pass', End: true } } }],
    ['JSONata (state A)', { StartAt: 'A', States: { A: { Type: 'Pass', QueryLanguage: 'JSONata', End: true } } }],
    [
      'task resource arn:aws:states:::sns',
      { StartAt: 'A', States: { A: { Type: 'Task', Resource: 'arn:aws:states:::sns:publish', End: true } } },
    ],
  ])('is refused at the start: %s', async (what, value) => {
    await expect(start(template(value), { work })).rejects.toThrow(what);
  });
});
