import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { EventRule } from '../../aws/event-rule.ts';
import { matches } from '../../local/events/pattern.ts';
import { Rules, rateMs } from '../../local/events/rules.ts';
import type { RunningCloud } from '../../local/start-cloud.ts';
import type { JsonObject } from '../../local/template/intrinsics.ts';
import { lambda, newHome, start } from './assembly.ts';
import { batchResources, ended, submit } from './batch.ts';

describe('a pattern', () => {
  const event = {
    source: 'aws.batch',
    detail: {
      status: 'RUNNABLE',
      attempts: [{ statusReason: 'Host EC2 (instance i-1) terminated.' }, { statusReason: 'other' }],
      arrayProperties: { size: 3 },
    },
  };

  test.each<[string, JsonObject, boolean]>([
    ['one of the values that it lists', { detail: { status: ['FAILED', 'RUNNABLE'] } }, true],
    ['none of them', { detail: { status: ['FAILED'] } }, false],
    ['all of its fields', { source: ['aws.batch'], detail: { status: ['FAILED'] } }, false],
    ['a field that is not there', { detail: { none: ['RUNNABLE'] } }, false],
    ['the beginning of any member of a list', { detail: { attempts: { statusReason: [{ prefix: 'Host EC2' }] } } }, true],
    ['a beginning that no member has', { detail: { attempts: { statusReason: [{ prefix: 'Your Spot' }] } } }, false],
    ['what must not be there and is not', { detail: { arrayProperties: { index: [{ exists: false }] } } }, true],
    ['what must not be there, nor what it would be in', { detail: { other: { index: [{ exists: false }] } } }, true],
    ['what must not be there and is', { detail: { arrayProperties: { size: [{ exists: false }] } } }, false],
    ['one of several', { detail: { $or: [{ status: ['FAILED'] }, { arrayProperties: { size: [3] } }] } }, true],
    ['none of several', { detail: { $or: [{ status: ['FAILED'] }, { arrayProperties: { size: [4] } }] } }, false],
  ])('asks for %s', (_, pattern, expected) => {
    expect(matches(pattern, event)).toBe(expected);
  });

  test('made of an event’s own fields fits it, and asking for more fits no more', () => {
    const fields = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(fc.string(), fc.integer(), fc.boolean()), { minKeys: 1 });
    fc.assert(
      fc.property(fields, fields, (found, asked) => {
        const patternOf = (of: object) => Object.fromEntries(Object.entries(of).map(([name, value]) => [name, [value]])) as JsonObject;
        expect(matches(patternOf(found), found)).toBe(true);
        if (matches(patternOf({ ...found, ...asked }), found)) expect({ ...found, ...asked }).toEqual(found);
      }),
    );
  });
});

describe('a rule with a clock', () => {
  afterEach(() => vi.useRealTimers());

  test('sends while it is on, at the rate that it says', () => {
    vi.useFakeTimers();
    const sent: string[] = [];
    const rules = new Rules(async (arn, text) => void sent.push(`${arn} ${(JSON.parse(text) as { source: string }).source}`));
    rules.add({ name: 'clock', arn: 'rule', everyMs: rateMs('rate(1 minute)')!, targets: ['function'] }, false);
    rules.resume();
    const { EnableRule, DisableRule } = rules.operations();
    const { signal } = new AbortController();
    vi.advanceTimersByTime(180_000);
    expect(sent).toEqual([]);
    EnableRule!({ Name: 'clock' }, signal);
    EnableRule!({ Name: 'clock' }, signal);
    vi.advanceTimersByTime(120_000);
    expect(sent).toEqual(['function aws.events', 'function aws.events']);
    DisableRule!({ Name: 'clock' }, signal);
    vi.advanceTimersByTime(180_000);
    expect(sent).toHaveLength(2);
    rules.close();
  });

  test.each([
    ['rate(5 minutes)', 300_000],
    ['rate(1 day)', 86_400_000],
    ['cron(0 8 * * ? *)', undefined],
  ])('%s is %s ms', (expression, ms) => {
    expect(rateMs(expression)).toBe(ms);
  });
});

describe('rules of a template', () => {
  const open: RunningCloud[] = [];
  afterAll(() => Promise.all(open.map((cloud) => cloud.close())));
  const file = join(newHome(), 'events');
  const functions = {
    keeps: `import { appendFileSync } from 'node:fs'; export const handler = async (event) => appendFileSync('${file}', JSON.stringify(event) + '\\n');`,
  };
  const rule = (properties: JsonObject) => ({
    Type: 'AWS::Events::Rule',
    Properties: { Name: 'changes', Targets: [{ Arn: { 'Fn::GetAtt': ['Keeps', 'Arn'] }, Id: 'Target0' }], ...properties },
  });
  const begin = async (properties: JsonObject) => {
    const cloud = await start({ Resources: { ...batchResources(), Keeps: lambda('keeps'), Rule: rule(properties) } }, functions);
    open.push(cloud);
    return cloud;
  };
  const kept = () =>
    readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { detail: { jobId: string; status: string } });

  test('hand on what becomes of jobs, as AWS words it, unless they are off', async () => {
    const cloud = await begin({ EventPattern: { source: ['aws.batch'], detail: { status: ['RUNNABLE', 'SUCCEEDED', 'FAILED'] } } });
    const id = await submit(cloud, '0');
    await ended(cloud, id);
    const statuses = () => kept().map(({ detail }) => detail.status);
    await expect.poll(() => statuses().sort()).toEqual(['RUNNABLE', 'SUCCEEDED']);
    expect(kept().find(({ detail }) => detail.status === 'RUNNABLE')).toMatchObject({
      version: '0',
      source: 'aws.batch',
      'detail-type': 'Batch Job State Change',
      resources: [expect.stringContaining(`:job/${id}`)],
      detail: { jobId: id, jobQueue: expect.stringMatching(/:job-queue\/queue$/), attempts: [] },
    });
    vi.stubEnv('AWS_ENDPOINT_URL', cloud.url);
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION']) vi.stubEnv(name, 'test');
    await new EventRule('changes', 'https://unused.invalid').off();
    await ended(cloud, await submit(cloud, '0'));
    expect(kept()).toHaveLength(2);
    await expect(new EventRule('other', 'https://unused.invalid').on()).rejects.toThrow(/EnableRule of other with 400.*does not exist/);
    vi.unstubAllEnvs();
  });

  test.each<[string, JsonObject]>([
    ['compares by anything-but', { EventPattern: { source: ['aws.batch'], detail: { status: [{ 'anything-but': 'FAILED' }] } } }],
    ['must name its sources', { EventPattern: { source: ['aws.s3'] } }],
    ['there is no schedule cron', { ScheduleExpression: 'cron(0 8 * * ? *)' }],
    ['a target has InputPath', { Targets: [{ Arn: { 'Fn::GetAtt': ['Keeps', 'Arn'] }, Id: 'a', InputPath: '$.detail' }] }],
  ])('that could not be kept are refused at the start: it %s', async (words, properties) => {
    await expect(begin(properties)).rejects.toThrow(words);
  });
});
