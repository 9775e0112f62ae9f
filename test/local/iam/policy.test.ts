import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Call, parsePolicy, verdict } from '../../../local/iam/policy.ts';
import type { JsonObject } from '../../../local/template/intrinsics.ts';

const read = (...Statement: JsonObject[]) => parsePolicy({ Version: '2012-10-17', Statement }, 'here');
const objects = 'arn:aws:s3:::data/raw/*';
const get = (key: string, context: Call['context'] = {}): Call => ({
  action: 's3:GetObject',
  resource: `arn:aws:s3:::data/${key}`,
  context,
});

describe('a policy', () => {
  it('allows what it names, wildcards and any case of actions included, and nothing else', () => {
    const policy = read({ Effect: 'Allow', Action: ['S3:getobject*'], Resource: objects });
    expect(verdict(policy, get('raw/a/b.csv'))).toBe('Allow');
    expect(verdict(policy, { ...get('raw/a/b.csv'), action: 's3:GetObjectVersion' })).toBe('Allow');
    expect(verdict(policy, get('Raw/a'))).toBeUndefined();
    expect(verdict(policy, get('clean/raw/a'))).toBeUndefined();
    expect(verdict(policy, { ...get('raw/a'), action: 's3:PutObject' })).toBeUndefined();
  });

  it('takes a dot and a bracket as what they are, and ? as any one character', () => {
    const policy = read({ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::data/v?.[1]' });
    expect(verdict(policy, get('v7.[1]'))).toBe('Allow');
    expect(verdict(policy, get('v7x[1]'))).toBeUndefined();
    expect(verdict(policy, get('v77.[1]'))).toBeUndefined();
  });

  it('denies before it allows', () => {
    const policy = read({ Effect: 'Allow', Action: '*', Resource: '*' }, { Effect: 'Deny', Action: 's3:*', Resource: objects });
    expect(verdict(policy, get('raw/a'))).toBe('Deny');
    expect(verdict(policy, get('clean/a'))).toBe('Allow');
  });

  it('with NotAction and NotResource means all others', () => {
    const policy = read({ Effect: 'Allow', NotAction: 'iam:*', NotResource: objects });
    expect(verdict(policy, get('clean/a'))).toBe('Allow');
    expect(verdict(policy, get('raw/a'))).toBeUndefined();
    expect(verdict(policy, { action: 'iam:PassRole', resource: 'x' })).toBeUndefined();
  });

  it.each<[operator: string, key: string, wanted: string | string[], value: string | undefined, holds: boolean]>([
    ['StringEquals', 'k', ['a', 'b'], 'b', true],
    ['StringEquals', 'k', 'a', undefined, false],
    ['StringEqualsIfExists', 'k', 'a', undefined, true],
    ['StringNotEquals', 'k', ['a', 'b'], 'b', false],
    ['StringNotEquals', 'k', ['a', 'b'], undefined, true],
    ['StringLike', 'k', 'raw/*', 'raw/x', true],
    ['StringLikeIfExists', 'k', 'raw/*', 'clean/x', false],
    ['ArnLike', 'k', 'arn:aws:s3:::d*', 'arn:aws:s3:::data', true],
    ['Bool', 'k', 'false', 'true', false],
    ['NumericLessThan', 'k', '1.2', '1.3', false],
    ['NumericLessThan', 'k', '1.2', '1.1', true],
    ['Null', 'k', 'true', undefined, true],
    ['Null', 'k', 'false', undefined, false],
    ['StringEquals', 'K', 'a', 'a', true],
  ])('%s of %s and %j, where it is %j: %s', (operator, key, wanted, value, holds) => {
    const policy = read({ Effect: 'Allow', Action: '*', Resource: '*', Condition: { [operator]: { [key]: wanted } } });
    expect(verdict(policy, get('a', { k: value })) === 'Allow').toBe(holds);
  });

  it('of a resource counts for whom it names', () => {
    const policy = read({ Effect: 'Deny', Principal: { AWS: ['arn:one'] }, Action: '*', Resource: '*' });
    expect(verdict(policy, get('a'), ['arn:one'])).toBe('Deny');
    expect(verdict(policy, get('a'), ['arn:two'])).toBeUndefined();
    expect(verdict(read({ Effect: 'Deny', Principal: '*', Action: '*', Resource: '*' }), get('a'), ['arn:two'])).toBe('Deny');
  });

  it.each([
    [{ Effect: 'Allow', Action: '*', Resource: '*', Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }, 'IpAddress'],
    [{ Effect: 'Deny', Action: '*', Resource: '*', NotPrincipal: '*' }, 'NotPrincipal'],
    [{ Effect: 'Allow', Action: '*', Resource: `arn:aws:s3:::data/\${aws:username}` }, 'variables'],
  ])('with something that is not known here is an error, not a guess', (statement, what) => {
    expect(() => read(statement)).toThrow(what);
  });

  it('more allowances never take anything away, and more denials never add anything', () => {
    const part = fc.constantFrom('a', 'b', '*', 'a*', '?b');
    const statement = fc.record({ Effect: fc.constantFrom('Allow', 'Deny'), Action: part, Resource: part });
    const plain = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 3 });
    fc.assert(
      fc.property(fc.array(statement), statement, plain, plain, (before, more, action, resource) => {
        const was = verdict(read(...before), { action, resource }) === 'Allow';
        const is = verdict(read(...before, more), { action, resource }) === 'Allow';
        expect(more.Effect === 'Allow' ? is || verdict(read(...before), { action, resource }) === 'Deny' || !was : was || !is).toBe(true);
      }),
    );
  });
});
