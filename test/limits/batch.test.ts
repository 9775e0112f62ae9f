/**
 * Limits of Batch. "AWS Batch service quotas" (https://docs.aws.amazon.com/batch/latest/userguide/service_limits.html) has arrays of 10,000, 24 KiB of a
 * definition and 30 KiB of a submission; the API reference that an array has 2 children or more; RunTask of ECS, which Batch calls, 8,192 characters of overrides.
 */
import { Template } from 'aws-cdk-lib/assertions';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { overridesOf } from '../../aws/container-overrides.ts';
import { batchLane, childrenOf, defaultLane } from '../../core/compute/lane.ts';
import type { RunningCloud } from '../../local/start-cloud.ts';
import { stackOf } from '../infra/stack.ts';
import { start } from '../local/assembly.ts';
import { batchResources, callBatch, submit } from '../local/batch.ts';

const most = { array: 10_000, overrides: 8192, definition: 24 * 1024 };
const size = { machines: 'ec2', vcpus: 96, memory: 740 * 1024 } as const;

describe('what Ingot asks of Batch', () => {
  let definitions: Record<string, { Command: string[]; Environment: object[] }>[];
  beforeAll(() => {
    const found = Template.fromStack(stackOf()).findResources('AWS::Batch::JobDefinition');
    definitions = Object.values(found).map(({ Properties }) => Properties);
    expect(definitions).toHaveLength(2);
  });

  test('is an array of a size that there is, whatever the trials and the room', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1, max: 10_000 }), (trials, maxVcpus) => {
        const children = childrenOf(trials, batchLane(defaultLane, { ...size, vcpus: 1 }, trials, maxVcpus));
        expect(children).toBeGreaterThanOrEqual(2);
        expect(children).toBeLessThanOrEqual(most.array);
      }),
    );
  });

  test('has overrides that are short enough, with the longest names of a run and of a file', () => {
    const run = { run: `${'d'.repeat(63)}-0123456789ab`, dataset: 'd'.repeat(63), revision: '0123456789abcdef' };
    // A key of S3: 1,024 bytes. A quote, which JSON writes as two characters in a text, and as four in a text of a text.
    const source = {
      key: `raw/d/${'"'.repeat(1018)}`,
      versionId: 'v'.repeat(1024),
      sequencer: '0'.repeat(32),
      eventTime: new Date(0).toISOString(),
    };
    for (const event of [{ ...run, rung: 1, children: 32 }, source])
      expect(JSON.stringify(overridesOf('Clean', event, size)).length).toBeLessThan(most.overrides);
  });

  test('are definitions that are short enough, their program in them', () => {
    for (const definition of definitions) expect(JSON.stringify(definition).length).toBeLessThan(most.definition / 2);
  });

  test('is short enough together with what its definition has, as people have seen it counted, for any plain name of a file', () => {
    const source = {
      key: `raw/d/${'k'.repeat(1018)}`,
      versionId: 'v'.repeat(32),
      sequencer: '0'.repeat(32),
      eventTime: new Date(0).toISOString(),
    };
    const overrides = overridesOf('Clean', source, size);
    for (const { ContainerProperties } of definitions) {
      const { Command, Environment } = ContainerProperties!;
      const merged = { Command, ...overrides, Environment: [...Environment, ...overrides.Environment] };
      expect(JSON.stringify(merged).length).toBeLessThan(most.overrides);
    }
  });
});

describe('the laptop refuses as AWS does', () => {
  let cloud: RunningCloud;
  beforeAll(async () => {
    cloud = await start({ Resources: batchResources() }, {});
  });
  afterAll(() => cloud.close());

  test.each([1, most.array + 1, 2.5])('an array of %d', async (count) => {
    await expect(submit(cloud, '0', { arrayProperties: { size: count } })).rejects.toMatchObject({ name: 'ClientException' });
  });

  test('overrides, a submission and a definition that are too long', async () => {
    const environment = (length: number) => ({ containerOverrides: { environment: [{ name: 'LONG', value: 'x'.repeat(length) }] } });
    await expect(submit(cloud, '0', environment(most.overrides))).rejects.toThrow('Container Overrides length must be at most 8192.');
    expect(await submit(cloud, '0', environment(most.overrides - 100))).toMatch(/^[0-9a-f-]{36}$/);
    await expect(submit(cloud, 'x'.repeat(31 * 1024))).rejects.toThrow('Job size must be less than 30 KiB, got 31 KiB');
    const definition = {
      jobDefinitionName: 'long',
      type: 'container',
      containerProperties: { image: 'node', command: ['x'.repeat(most.definition)], memory: 512, vcpus: 1 },
    };
    await expect(callBatch(cloud, 'RegisterJobDefinition', definition)).rejects.toThrow(/^Job definition size must be less than 24 KiB/);
  });
});
