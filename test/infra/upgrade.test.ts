/** What holds data keeps its place in the template for ever: CloudFormation would replace what another release names otherwise. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Stack, Stage } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, describe, expect, it } from 'vitest';
import { firstTemplate, type Resource, type StackTemplate } from '../upgrade/first-stack.ts';
import { stackOf } from './stack.ts';

const first = firstTemplate();
const today = Template.fromStack(stackOf()).toJSON() as StackTemplate;

/**
 * What people keep something in, or call by name, with the properties whose change makes CloudFormation replace it ("Update requires: Replacement" in
 * its reference).
 */
const keeping: Record<string, string[]> = {
  'AWS::S3::Bucket': ['BucketName'],
  'AWS::SNS::Topic': ['TopicName', 'FifoTopic'],
  'AWS::SQS::Queue': ['QueueName', 'FifoQueue'],
  'AWS::Logs::LogGroup': ['LogGroupName'],
  'AWS::ApiGateway::RestApi': [],
  'AWS::ApiGateway::Stage': ['RestApiId', 'StageName'],
  'AWS::ApiGateway::ApiKey': ['Name', 'Value', 'GenerateDistinctId'],
  'AWS::ApiGateway::UsagePlan': [],
  'AWS::ApiGateway::UsagePlanKey': ['KeyId', 'KeyType', 'UsagePlanId'],
  'AWS::StepFunctions::StateMachine': ['StateMachineName', 'StateMachineType'],
};
const kept = Object.entries(first.Resources).filter(([, { Type }]) => Object.hasOwn(keeping, Type));
const some = (names: string[], { Properties = {} }: Resource) => Object.fromEntries(names.map((name) => [name, Properties[name]]));

it('the first release kept something in each of these types', () => {
  expect(new Set(kept.map(([, { Type }]) => Type))).toEqual(new Set(Object.keys(keeping)));
});

it.each(kept)('%s of the first release is there, and nothing of it has changed that would replace it', (id, before) => {
  const now = today.Resources[id]!;
  expect(now).toMatchObject({ Type: before.Type });
  expect(some(keeping[before.Type]!, now)).toEqual(some(keeping[before.Type]!, before));
  // A name that a template fixes is one that a later template may change.
  expect(Object.keys(now.Properties ?? {}).filter((name) => /^(Bucket|Topic|Queue|LogGroup|StateMachine)Name$/.test(name))).toEqual([]);
  if (before.DeletionPolicy === 'Retain') expect(now).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  expect(some(['VersioningConfiguration'], now)).toEqual(some(['VersioningConfiguration'], before));
});

it.each(['AWS::S3::Bucket', 'AWS::KMS::Key'])('a %s outlives its stack, and a change that would replace it', (type) => {
  const own = Template.fromStack(stackOf({ customerKey: true }));
  own.allResources(type, { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  // The key came with the second release.
  expect(Object.keys(own.findResources('AWS::KMS::Key'))).toEqual(['IngotKey93662DE5']);
});

describe('cdk diff', () => {
  const home = mkdtempSync(join(tmpdir(), 'ingot-diff-'));
  afterAll(() => rmSync(home, { recursive: true, force: true }));
  const assembly = (stack: Stack) => Stage.of(stack)!.synth().directory;
  const cdk = join(import.meta.dirname, '../../node_modules/.bin/cdk');

  /** What it says of each resource whose change is more than an update, against a template that is deployed. */
  async function diff(deployed: object, ...options: string[]): Promise<{ code: number; lines: string[]; said: string }> {
    const template = join(home, 'deployed.json');
    writeFileSync(template, JSON.stringify(deployed));
    const args = ['diff', 'Ingot', '--app', assembly(stackOf()), '--template', template, '--no-notices', '--no-color', ...options];
    const env = { ...process.env, CDK_DISABLE_CLI_TELEMETRY: 'true', CDK_HOME: home, CI: 'true' };
    const { code, stdout, stderr } = await promisify(execFile)(cdk, args, { env, cwd: home, maxBuffer: 1 << 26 }).then(
      (out) => ({ code: 0, ...out }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
    const said = stdout + stderr;
    const lines = said.split('\n').filter((line) => /^\[[-~]\] .* (destroy|orphan|replace|may be replaced)$/.test(line));
    return { code, lines, said };
  }

  it('says what an upgrade from the first release changes: it replaces and removes nothing', async () => {
    const { code, lines, said } = await diff(first);
    expect(code).toBe(0);
    // A deployment of the API holds nothing, and is made anew whenever the API changes.
    expect(lines.filter((line) => !line.includes('AWS::ApiGateway::Deployment'))).toEqual([]);
    expect(said).toMatch(/\[\+\] AWS::Batch::JobQueue/);
    expect(said).toMatch(/\[~\] AWS::Lambda::Function/);
  });

  it('would tell of a bucket that is replaced', async () => {
    const [id] = kept.find(([, { Type }]) => Type === 'AWS::S3::Bucket')!;
    const named = { ...first.Resources[id]!, Properties: { ...first.Resources[id]!.Properties, BucketName: 'fixed' } };
    const { lines } = await diff({ ...first, Resources: { ...first.Resources, [id]: named } });
    expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^\\[~\\] AWS::S3::Bucket .*${id} replace$`)));
  });

  it('ends with 1 for a script that asks for it, where there are differences, and with 0 where there are none', async () => {
    expect((await diff(first, '--fail')).code).toBe(1);
    const same = await diff(today, '--fail');
    expect([same.code, same.lines]).toEqual([0, []]);
    expect(same.said).toMatch(/There were no differences|Number of stacks with differences: 0/);
  });
});
