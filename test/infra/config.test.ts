import { readFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLane } from '../../core/compute/lane.ts';
import { publicPrices } from '../../core/compute/prices.ts';
import { environment } from '../../core/names.ts';
import { contextConfig, parseConfig } from '../../infra/config.ts';
import { stackOf } from './stack.ts';

describe('configuration', () => {
  it('has a default for everything', () => {
    expect(parseConfig({})).toMatchObject({ processor: 'arm64', servingMemory: 1769, searchConcurrency: 8, logDays: 30 });
  });

  it('takes text, as the command line gives it', () => {
    expect(parseConfig({ servingMemory: '3008', processor: 'x64' })).toMatchObject({ servingMemory: 3008, processor: 'x64' });
  });

  it('reads the ingot: part of the context and leaves the rest alone', () => {
    const app = new App({ context: { 'ingot:processor': 'native', 'aws:cdk:bundling-stacks': [], other: 1 } });
    expect(contextConfig(app.node)).toEqual({ processor: 'native' });
  });

  it('names every wrong setting, and what there is where a name is misspelt', () => {
    expect(() => parseConfig({ servingMemory: 64, logDays: 31, procesor: 'arm64' })).toThrow(
      /servingMemory: (.|\n)*logDays: must be one of 1, 3, 5(.|\n)*procesor: no such setting \(there are processor, /,
    );
  });

  it.each([
    [{ batch: 'false' }, 'batch: Invalid option: expected one of "on"|"off"'],
    [{ servingMemory: 64 }, 'servingMemory: Too small: expected number to be >=128'],
    [{ servingMemory: 'lots' }, 'servingMemory: Invalid input: expected number'],
    [{ customerKey: 'maybe' }, 'customerKey: must be true or false'],
    [{ subnetIds: 5 }, 'subnetIds: must be names, separated by commas'],
    [{ dataBucketName: 'My_Bucket' }, 'dataBucketName: Invalid string: must match pattern'],
    [{ keys: '{"a b": {}}' }, 'keys.a b: a name begins with a letter'],
    [{ keys: '{"mobile": {"rps": 5}}' }, 'keys.mobile: has no rps'],
  ])('says of %j what is allowed', (values, message) => {
    expect(() => parseConfig(values)).toThrow(message);
  });

  it('takes the prices of a region as a whole list that says where it is from, which estimates are then reckoned with', () => {
    const prices = { ...publicPrices, region: 'eu-central-1', asOf: '2026-11', source: 'our contract', s3Put: 0.0054 / 1000 };
    expect(parseConfig({ prices: JSON.stringify(prices) }).prices).toEqual(prices);
    const plan = Object.values(Template.fromStack(stackOf({ prices })).findResources('AWS::Lambda::Function')).find(
      ({ Properties }) => Properties.Handler === 'dist/plan.handler',
    );
    expect(parseLane(plan!['Properties'].Environment.Variables[environment.lane]).prices).toEqual(prices);
    const { source: _, ...unsigned } = prices;
    expect(() => parseConfig({ prices: unsigned })).toThrow(/prices\.source: /);
    const example = /^\{\n {2}"region"[\s\S]*?^\}/m.exec(readFileSync(new URL('../../docs/deploy.md', import.meta.url), 'utf8'))![0];
    expect(parseConfig({ prices: example }).prices).toEqual(JSON.parse(example));
    expect(() => parseConfig({ prices: { ...prices, transition: -1 } })).toThrow(/prices\.transition: /);
  });

  it('gives whole numbers within their limits, or an error that names the setting', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer(), fc.double(), fc.string(), fc.constant(null)), (value) => {
        try {
          const { servingMemory } = parseConfig({ servingMemory: value });
          expect(Number.isInteger(servingMemory) && servingMemory >= 128 && servingMemory <= 10_240).toBe(true);
        } catch (error) {
          expect((error as Error).message).toContain('servingMemory');
        }
      }),
    );
  });
});
