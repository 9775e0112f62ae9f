import { App } from 'aws-cdk-lib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contextConfig, parseConfig } from '../../infra/config.ts';

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
