// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Fn::Sub is written so.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Json, references, resolve, type Scope } from '../../local/template/intrinsics.ts';
import { creationOrder } from '../../local/template/template.ts';

const scope: Scope = {
  identities: new Map([['Bucket', { ref: 'my-bucket', attributes: { Arn: 'arn:aws:s3:::my-bucket' } }]]),
  parameters: new Map<string, Json>([
    ['AWS::Region', 'us-east-1'],
    ['Size', 'large'],
  ]),
  conditions: new Map<string, Json>([
    ['IsLarge', { 'Fn::Equals': [{ Ref: 'Size' }, 'large'] }],
    ['IsSmall', { 'Fn::Not': [{ Condition: 'IsLarge' }] }],
  ]),
  mappings: { Memory: { large: { mb: 1024 } } },
  rewrite: (text) => text,
};

describe('intrinsic functions', () => {
  test.each<[Json, Json]>([
    [{ Ref: 'Bucket' }, 'my-bucket'],
    [{ Ref: 'AWS::Region' }, 'us-east-1'],
    [{ 'Fn::GetAtt': ['Bucket', 'Arn'] }, 'arn:aws:s3:::my-bucket'],
    [{ 'Fn::GetAtt': 'Bucket.Arn' }, 'arn:aws:s3:::my-bucket'],
    [{ 'Fn::Join': ['/', [{ Ref: 'Bucket' }, 'raw', 1]] }, 'my-bucket/raw/1'],
    [{ 'Fn::Sub': 's3://${Bucket}/${!literal}/${Bucket.Arn}' }, 's3://my-bucket/${literal}/arn:aws:s3:::my-bucket'],
    [{ 'Fn::Sub': ['${Name} in ${AWS::Region}', { Name: { Ref: 'Bucket' } }] }, 'my-bucket in us-east-1'],
    [{ 'Fn::Select': ['1', { 'Fn::Split': [':', 'a:b:c'] }] }, 'b'],
    [{ 'Fn::FindInMap': ['Memory', { Ref: 'Size' }, 'mb'] }, 1024],
    [{ 'Fn::If': ['IsLarge', { Ref: 'Bucket' }, 'none'] }, 'my-bucket'],
    [{ 'Fn::If': ['IsSmall', 1, 2] }, 2],
    [{ a: [{ Ref: 'AWS::NoValue' }, 1], b: { Ref: 'AWS::NoValue' } }, { a: [1] }],
  ])('%j is %j', (value, expected) => {
    expect(resolve(value, scope, 'here')).toEqual(expected);
  });

  test('what leads nowhere is named, with the place', () => {
    expect(() => resolve({ Ref: 'Nobody' }, scope, 'Role')).toThrow(/reference to Nobody/);
    expect(() => resolve({ 'Fn::ImportValue': 'x' }, scope, 'Role')).toThrow(/Fn::ImportValue/);
  });

  test('a value without intrinsics stays as it is', () => {
    const plain = fc.jsonValue().filter((value) => !/"(Ref|Condition|Fn::[^"]*|__proto__)"/.test(JSON.stringify(value)));
    fc.assert(
      fc.property(plain, (value) => {
        const json = JSON.parse(JSON.stringify(value)) as Json;
        expect(resolve(json, scope, 'here')).toEqual(json);
      }),
    );
  });

  test('references are found wherever they stand', () => {
    const value = {
      a: [{ Ref: 'One' }],
      b: { 'Fn::Sub': '${Two.Arn} ${!No}' },
      c: { 'Fn::If': ['x', { 'Fn::GetAtt': ['Three', 'Arn'] }, 1] },
    };
    expect([...references(value)].sort()).toEqual(['One', 'Three', 'Two']);
  });
});

describe('creation order', () => {
  const resource = (...DependsOn: string[]) => ({ Type: 'T', DependsOn });

  test('comes after what it depends on', () => {
    const Resources = { C: resource('B'), B: { Type: 'T', Properties: { x: { Ref: 'A' } } }, A: resource() };
    expect(creationOrder({ Resources }, scope).map(([id]) => id)).toEqual(['A', 'B', 'C']);
  });

  test('a circle is told as one', () => {
    expect(() => creationOrder({ Resources: { A: resource('B'), B: resource('A') } }, scope)).toThrow('A → B → A');
  });

  test('a resource whose condition does not hold is left out', () => {
    const Resources = { A: { ...resource(), Condition: 'IsSmall' }, B: resource() };
    expect(creationOrder({ Resources }, scope).map(([id]) => id)).toEqual(['B']);
  });
});
