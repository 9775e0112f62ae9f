import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, revisionOf, runOf } from '../../core/registry/identity.ts';

const file = { name: 'data.csv', sha256: 'aa' };

describe('revisions', () => {
  test('are sixteen hexadecimal digits of content, spec and version', () => {
    const revision = revisionOf([file], { seed: 1 }, '0.1.0');
    expect(revision).toMatch(/^[0-9a-f]{16}$/);
    expect(revisionOf([{ ...file, sha256: 'ab' }], { seed: 1 }, '0.1.0')).not.toBe(revision);
    expect(revisionOf([file], { seed: 2 }, '0.1.0')).not.toBe(revision);
    expect(revisionOf([file], { seed: 1 }, '0.2.0')).not.toBe(revision);
  });

  test('do not depend on the order of the fields of a spec, nor on $schema', () => {
    expect(revisionOf([file], { $schema: 'x', seed: 1, target: 'y' }, '1')).toBe(revisionOf([file], { target: 'y', seed: 1 }, '1'));
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        expect(canonicalJson(Object.fromEntries(Object.entries(value).reverse()))).toBe(canonicalJson(value));
      }),
    );
  });
});

test('runs have names that Step Functions takes, different for datasets whose safe names are equal', () => {
  expect(runOf('a.b', 'r', '1')).not.toBe(runOf('a-b', 'r', '1'));
  fc.assert(
    fc.property(fc.string({ maxLength: 63 }), (dataset) => {
      expect(runOf(dataset, 'r', '1')).toMatch(/^[A-Za-z0-9_-]{1,80}$/);
    }),
  );
});
