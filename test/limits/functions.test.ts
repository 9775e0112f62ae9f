/** Limits of Lambda and API Gateway that a user can hit; docs/limits.md lists them all. */

import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { functionObstacle } from '../../core/compute/choose-lane.ts';
import { defaultLane } from '../../core/compute/lane.ts';
import { publicPrices } from '../../core/compute/prices.ts';
import { dataKeys } from '../../core/keys.ts';
import { createHandler } from '../../functions/api.lambda.ts';
import { fail } from '../../functions/fail.lambda.ts';
import { parseConfig } from '../../infra/config.ts';
import { apiEvent } from '../functions/api-event.ts';
import { Laboratory } from '../functions/laboratory.ts';
import { stackOf } from '../infra/stack.ts';
import { lambda, start } from '../local/assembly.ts';

interface Retrier {
  ErrorEquals: string[];
  IntervalSeconds: number;
  BackoffRate: number;
  MaxAttempts: number;
  MaxDelaySeconds?: number;
}

const template = Template.fromStack(stackOf());
const functions = Object.values(template.findResources('AWS::Lambda::Function'))
  .map(({ Properties }) => Properties as Record<string, unknown>)
  .filter(({ Handler }) => String(Handler).startsWith('dist/'));

describe('an answer of more than the 6 MB that Lambda hands back', () => {
  test('is refused by every call of the API, with where it can be read', async () => {
    const lab = new Laboratory();
    await lab.prepare(await lab.upload('raw/wide/wide.csv', 'a,b,y\n1,2,3\n2,3,4\n3,5,1\n4,1,9\n'));
    const { revision } = JSON.parse(new TextDecoder().decode((await lab.rawData.get(dataKeys.current('wide')))!.body)) as {
      revision: string;
    };
    const key = dataKeys.report('wide', revision);
    const report = JSON.parse(new TextDecoder().decode((await lab.rawData.get(key))!.body)) as { inferred: unknown[] };
    await lab.rawData.put(key, JSON.stringify({ ...report, changes: [{ reason: 'x'.repeat(7_000_000) }] }));
    const api = createHandler(() => ({ ...lab.services, presign: async () => '' }));
    const { statusCode, body } = await api(apiEvent('GET', '/datasets/wide'));
    expect(statusCode).toBe(413);
    expect(JSON.parse(body)).toEqual({
      error: {
        code: 'PayloadTooLarge',
        message: 'The answer is larger than 6 MB.',
        where: 'body',
        fix: expect.stringContaining('report.json'),
      },
    });
  });

  test('fails on the laptop as on Lambda', async () => {
    const large = "export const handler = async () => 'x'.repeat(6 * 1024 * 1024);";
    const cloud = await start({ Resources: { Large: lambda('large') } }, { large });
    const { failed, payload } = await cloud.cloud.findFunction('large')!.invoke('{}');
    expect([failed, JSON.parse(payload)]).toMatchObject([true, { errorType: 'Function.ResponseSizeTooLarge' }]);
    await cloud.close();
  });
});

test.each(['REQUEST_TOO_LARGE', 'INTEGRATION_TIMEOUT', 'THROTTLED', 'QUOTA_EXCEEDED'])(
  'API Gateway says %s in a sentence, with what to do',
  (type) => {
    const found = Object.values(template.findResources('AWS::ApiGateway::GatewayResponse')).find(
      ({ Properties }) => Properties['ResponseType'] === type,
    )!;
    const { error } = JSON.parse(found['Properties'].ResponseTemplates['application/json']) as { error: { message: string; fix: string } };
    expect([error.message, error.fix]).toEqual([expect.stringMatching(/\w+ \w+.*\.$/), expect.stringMatching(/\w+ \w+.*\.$/)]);
  },
);

test('no function has more time, memory or disk than Lambda gives, nor those of the API more than the 29 s of API Gateway', () => {
  for (const { Timeout, MemorySize, EphemeralStorage, Handler } of functions) {
    expect(Timeout).toBeLessThanOrEqual(/(api|predict)\.handler$/.test(String(Handler)) ? 29 : 900);
    expect(MemorySize).toBeLessThanOrEqual(10_240);
    expect((EphemeralStorage as { Size: number } | undefined)?.Size ?? 512).toBeLessThanOrEqual(10_240);
  }
});

test.each([
  ['pipelineMemory', 10_241],
  ['servingMemory', 64],
  ['pipelineDisk', 10_241],
  ['searchConcurrency', 41],
])('a configuration beyond a limit is refused by its name: %s of %s', (name, value) => {
  expect(() => parseConfig({ [name]: value })).toThrow(name);
});

test('work of more than a function’s memory or its 15 minutes is kept from functions, with the figures', () => {
  const of = (memory: number, longest: number) => functionObstacle({ lane: defaultLane, memory, longest });
  expect(of(4 * 2 ** 30, 10)).toBe('The work needs about 4.0 GB, and a function has 2.9 GB.');
  expect(of(2 ** 30, 1000)).toBe('A piece of the work may take 17 minutes, and a function has 15 minutes.');
  expect(of(2 ** 30, 600)).toBeUndefined();
});

test('no function has more than 4 KB of environment, with names as long as they may be and all queues', () => {
  const own = { subnetIds: ['subnet-0123456789abcdef0'], securityGroupIds: ['sg-0123456789abcdef0'] };
  const stack = Template.fromStack(stackOf({ ...own, customerKey: true, prices: publicPrices }));
  // Whatever is known at the deployment alone: an ARN of a name of 128 characters.
  const unknown = 'x'.repeat(200);
  for (const { Properties } of Object.values(stack.findResources('AWS::Lambda::Function'))) {
    const variables = JSON.stringify(Properties['Environment']?.Variables ?? {}, (_, value) =>
      value && typeof value === 'object' && ('Ref' in value || 'Fn::GetAtt' in value) ? unknown : value,
    );
    expect(variables.length, Properties['Handler']).toBeLessThan(4096);
  }
});

test('a function with more environment than that is refused at the laptop’s start', async () => {
  const Environment = { Variables: { LONG: 'x'.repeat(4096) } };
  await expect(start({ Resources: { F: lambda('f', { Environment }) } }, { f: 'export const handler = () => 1;' })).rejects.toThrow(
    /4096 bytes/,
  );
});

describe('a call for which the account has no place left, as new ones run ten functions at once,', () => {
  const definition = JSON.stringify(template.findResources('AWS::StepFunctions::StateMachine'));
  const retriers = [...definition.matchAll(/\{\\"ErrorEquals\\":\[\\"Lambda\.TooManyRequestsException\\"\][^}]*\}/g)].map(
    ([text]) => JSON.parse(text.replaceAll('\\"', '"')) as Retrier,
  );

  test('is tried again for longer than any function may keep its place', () => {
    expect(retriers.length).toBeGreaterThanOrEqual(9);
    for (const { IntervalSeconds, BackoffRate, MaxAttempts, MaxDelaySeconds = Number.POSITIVE_INFINITY } of retriers) {
      let waited = 0;
      for (let attempt = 0; attempt < MaxAttempts; attempt++) waited += Math.min(MaxDelaySeconds, IntervalSeconds * BackoffRate ** attempt);
      expect(waited).toBeGreaterThan(2 * 900);
    }
  });

  test('ends its run with what to do where even that is not enough', async () => {
    const lab = new Laboratory();
    const error = { Error: 'Lambda.TooManyRequestsException', Cause: 'Rate Exceeded.' };
    await fail({ run: 'r', dataset: 'd', revision: 'v', error }, lab.services);
    expect(lab.messages[0]!.message).toMatch(/as many functions as it may.*Service Quotas/s);
  });
});
