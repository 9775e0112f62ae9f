import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { describe, expect, it, test } from 'vitest';
import { acknowledgeWildcard } from '../../infra/acknowledge.ts';
import { Ingot } from '../../infra/ingot.ts';
import { findings, hasLint, lint, whyNoLint } from './judges.ts';
import { stackOf } from './stack.ts';

describe("AWS's recommendations (cdk-nag)", () => {
  const stack = stackOf();

  it('find nothing that is not acknowledged', () => {
    expect(findings(stack)).toEqual([]);
    expect(findings(stackOf({ customerKey: true, authorization: 'both', keys: { mobile: {} } }))).toEqual([]);
  });

  it('find nothing either in the network of endpoints, and its machines of EC2', () => {
    const jobImage = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/node:24-slim';
    expect(findings(stackOf({ jobNetwork: 'endpoints', jobImage }))).toEqual([]);
    expect(findings(stackOf({ jobNetwork: 'endpoints', jobImage, processor: 'x64', gpu: 'on' }))).toEqual([]);
  });

  it('are acknowledged with a reason each, never for the whole stack or app', () => {
    const acknowledged = stack.node
      .findAll()
      .flatMap(({ node }) =>
        node.metadata
          .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
          .flatMap(({ data }) =>
            Object.entries(data as Record<string, string>).map(([rule, reason]) => ({ rule, reason, path: node.path })),
          ),
      );
    expect(acknowledged.length).toBeGreaterThan(0);
    for (const { rule, reason, path } of acknowledged) {
      expect(reason.length, rule).toBeGreaterThan(30);
      expect(path.split('/').length, rule).toBeGreaterThan(2);
    }
  });

  it('still find a wildcard beside the one that was acknowledged', () => {
    const made = new Stack(new App(), 'Made');
    const bucket = new Bucket(made, 'Bucket');
    const { role } = new Ingot(made, 'Ingot', { assets: stackAssets() }).serving.predict;
    role!.addToPrincipalPolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources: [bucket.arnForObjects('a/*')] }));
    const ours = () => findings(made).filter((finding) => finding.includes('Predict'));
    expect(ours()).toEqual([expect.stringContaining('IAM5[Resource::<Bucket')]);
    acknowledgeWildcard(role!, bucket.arnForObjects('a/*'), 'For this test.');
    expect(ours()).toEqual([]);
  });
});

function stackAssets() {
  const asset = { path: import.meta.dirname, hash: 'none' };
  return { control: asset, pipeline: asset, serving: asset };
}

test.skipIf(!hasLint).each([
  ['', {}],
  [
    ' with a key of its own and signed requests',
    { customerKey: true, authorization: 'both', keys: { mobile: { requestsPerSecond: 5 } } } as const,
  ],
])(`the template%s passes cfn-lint${whyNoLint}`, (_, props) => expect(lint(stackOf(props))).toBe(''));

test('each alarm leads to an entry of the runbook, and each entry to an alarm', () => {
  const alarms = Template.fromStack(stackOf()).findResources('AWS::CloudWatch::Alarm') as Record<string, CfnAlarm>;
  const entries = Object.values(alarms).map(({ Properties }) => /docs\/runbook\.md#([\w-]+)/.exec(Properties.AlarmDescription)?.[1]);
  const runbook = readFileSync(join(import.meta.dirname, '../../docs/runbook.md'), 'utf8');
  const headings = [...runbook.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading!.toLowerCase().replaceAll(' ', '-'));
  expect(new Set(entries)).toEqual(new Set(headings));
});

interface CfnAlarm {
  Properties: { AlarmDescription: string };
}
