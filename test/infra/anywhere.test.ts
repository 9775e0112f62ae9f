/** The stack is for any account, region and partition. */

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { expect, it } from 'vitest';
import { Ingot } from '../../infra/ingot.ts';
import { stackOf } from './stack.ts';

const regions = /\b(?:us|eu|ap|sa|ca|me|af|il|mx|cn)(?:-gov)?-(?:north|south|east|west|central)[a-z]*-\d\b/;

it('names no partition, region or account that is not the one that it is deployed to', () => {
  const theirs = { subnetIds: ['subnet-1'], securityGroupIds: ['sg-1'], dataBucketName: 'left-data', modelBucketName: 'left-models' };
  for (const stack of [stackOf(), stackOf({ customerKey: true, authorization: 'both', keys: { mobile: {} } }), stackOf(theirs)]) {
    const text = JSON.stringify(Template.fromStack(stack).toJSON());
    expect(text).not.toMatch(/arn:aws[a-z-]*:/);
    expect(text).not.toMatch(regions);
    expect(text).not.toMatch(/\d{12}:/);
    // Addresses end otherwise in China.
    expect(text.match(/[\w.-]*\.amazonaws\.com(?!\w)/g)!.filter((name) => !principals.has(name))).toEqual([]);
  }
});

/** Services have one name everywhere. */
const principals = new Set(
  ['lambda', 'states', 'cloudwatch', 's3', 'apigateway', 'ecs-tasks', 'batch', 'ec2', 'events', 'spotfleet'].map(
    (name) => `${name}.amazonaws.com`,
  ),
);

it.each(['cn-north-1', 'us-gov-west-1', 'eu-south-2', 'il-central-1'])('can be made for %s', (region) => {
  const asset = { path: import.meta.dirname, hash: 'none' };
  const stack = new Stack(new App(), 'Ingot', { env: { account: '111122223333', region } });
  new Ingot(stack, 'Ingot', { assets: { control: asset, pipeline: asset, serving: asset }, customerKey: true });
  const text = JSON.stringify(Template.fromStack(stack).toJSON());
  expect(text).not.toMatch(/arn:aws[a-z-]*:/);
  expect([...text.matchAll(new RegExp(regions, 'g'))].map(([name]) => name).filter((name) => name !== region)).toEqual([]);
});

it('the code takes region and account from where it runs', () => {
  const root = join(import.meta.dirname, '../..');
  // core/compute/prices.ts says of which region its prices are.
  const files = globSync('{core,functions,aws,infra,containers}/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('prices.ts'));
  expect(files.length).toBeGreaterThan(50);
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8');
    expect(text, file).not.toMatch(/arn:aws[a-z-]*:/);
    expect(text, file).not.toMatch(regions);
  }
});
