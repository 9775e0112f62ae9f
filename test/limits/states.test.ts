/** Limits of Step Functions: 256 KB of state, 25,000 events of an execution, 80 characters of its name, 40 places of a Map. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultLane, type Lane } from '../../core/compute/lane.ts';
import { IngotError } from '../../core/errors.ts';
import { runOf } from '../../core/registry/identity.ts';
import { portfolioOf } from '../../core/search/auto/candidates.ts';
import { planAuto } from '../../core/search/auto/plan-auto.ts';
import { trialsOf } from '../../core/search/auto/rungs.ts';
import { planSearch } from '../../core/search/plan-search.ts';
import { datasetSpecSchema } from '../../core/spec.ts';
import { fail } from '../../functions/fail.lambda.ts';
import { Laboratory } from '../functions/laboratory.ts';
import { lambda, start } from '../local/assembly.ts';

/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const most = { state: 256 * 1024, events: 25_000, name: 80 };
/** A trial's: the iteration's start and end, its state's, and the function's scheduling, start and success. */
const eventsOfTrial = 7;
/** Of a failed attempt: scheduled and failed, and those that are throttled 40 times are few. */
const eventsOfRetry = 2;
/** The stages beside the trials, jobs and choices among them, with their retries. */
const eventsOfRest = 200;

const families = [...datasetSpecSchema.shape.families.def.innerType.def.element.options];
const longest = { run: `${'d'.repeat(63)}-0123456789ab`, dataset: 'd'.repeat(63), revision: '0123456789abcdef' };

/** A budget that is too small for so large a table is refused, with what it takes. */
function orTooSmall<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof IngotError && error.message.startsWith('The budget is too small')) return undefined;
    throw error;
  }
}

describe('the largest plan that dataset.json can ask for', () => {
  const sizeOf = (trials: { id: string }[]) =>
    JSON.stringify({ ...longest, plan: { ...longest, trials: trials.map(({ id }) => id), job: 'x'.repeat(8192) } }).length;

  test('of a grid: all families on the most folds', () => {
    const spec = datasetSpecSchema.parse({ folds: 20, families, search: 'grid' });
    const { trials } = planSearch({ ...longest, task: 'classification', spec, rows: 1e6 });
    expect(trials).toHaveLength(20 * families.length);
    expect(sizeOf(trials)).toBeLessThan(most.state / 4);
    // Each trial is throttled as often as it is tried again.
    expect(trials.length * (eventsOfTrial + 40 * eventsOfRetry) + eventsOfRest).toBeLessThan(most.events);
  });

  test('of an automatic search: whatever the table and the budget are', () => {
    const shape = fc.record({
      rows: fc.integer({ min: 20, max: 1e8 }),
      features: fc.integer({ min: 1, max: 10_000 }),
      classes: fc.constantFrom(0, 2, 1000),
    });
    const lane: Lane = { ...defaultLane, concurrency: 40 };
    fc.assert(
      fc.property(shape, fc.option(fc.integer({ min: 60, max: 4320 }), { nil: undefined }), (table, minutes) => {
        const spec = datasetSpecSchema.parse({ folds: 20, ...(minutes && { budget: { minutes } }) });
        const task = table.classes === 0 ? 'regression' : 'classification';
        const plan = orTooSmall(() => planAuto({ ...longest, task, spec, rows: table.rows }, table, lane));
        if (!plan) return;
        const { rungs } = plan;
        const trials = rungs!.flatMap((rung, number) => trialsOf(number, rung, portfolioOf(undefined), table, lane).trials);
        expect(trials.length).toBeLessThanOrEqual(21 * portfolioOf(undefined).length);
        expect(sizeOf(trials)).toBeLessThan(most.state);
        expect(trials.length * eventsOfTrial + eventsOfRest).toBeLessThan(most.events);
      }),
      { numRuns: 50 },
    );
  });
});

test('every dataset’s runs have names that executions may have', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/), (dataset) => {
      const run = runOf(dataset, 'r', '1');
      expect(run.length).toBeLessThanOrEqual(most.name);
      // Batch's names of jobs take the same letters, and 128 of them.
      expect(`${run}-search`).toMatch(/^[A-Za-z0-9][\w-]{0,127}$/);
    }),
  );
});

describe('on the laptop', () => {
  const definition = { StartAt: 'Only', States: { Only: { Type: 'Task', Resource: '', End: true } } };
  let cloud: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    const Resource = 'arn:aws:lambda:us-east-1:000000000000:function:large';
    const DefinitionString = JSON.stringify({ ...definition, States: { Only: { ...definition.States.Only, Resource } } });
    const Machine = { Type: 'AWS::StepFunctions::StateMachine', Properties: { StateMachineName: 'machine', DefinitionString } };
    const large = 'export const handler = async ({ size }) => "x".repeat(size);';
    cloud = await start({ Resources: { Large: lambda('large'), Machine } }, { large });
  });
  afterAll(() => cloud.close());

  test('a task that hands on more fails as on AWS, and its run says so', async () => {
    const [machine] = cloud.cloud.machines.values();
    const execution = await machine!.start('large', JSON.stringify({ size: 300_000 }));
    await expect.poll(() => execution.status).toBe('FAILED');
    expect(execution.error).toBe('States.DataLimitExceeded');
    const lab = new Laboratory();
    await fail({ run: 'r', dataset: 'd', revision: 'v', error: { Error: execution.error!, Cause: execution.cause! } }, lab.services);
    expect(lab.messages[0]!.message).toContain('256 KB');
  });

  test('an input that is larger is refused', async () => {
    const headers = {
      authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/states/aws4_request, SignedHeaders=host, Signature=0',
      'x-amz-target': 'AWSStepFunctions.StartExecution',
      'content-type': 'application/x-amz-json-1.0',
    };
    const stateMachineArn = [...cloud.cloud.machines.keys()][0];
    const body = JSON.stringify({ stateMachineArn, name: 'n', input: JSON.stringify({ text: 'x'.repeat(most.state) }) });
    const response = await fetch(cloud.url, { method: 'POST', headers, body });
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('InvalidExecutionInput')]);
  });
});
