/** cdk-nag names each wildcard that it finds by its resource; so acknowledging one leaves every other a finding. */
import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Acknowledges one wildcard resource in the policies under a construct. */
export function acknowledgeWildcard(scope: IConstruct, resource: string, reason: string): void {
  Validations.of(scope).acknowledge({ id: `AwsSolutions-IAM5[Resource::${flatten(Stack.of(scope).resolve(resource))}]`, reason });
}

type Reference = string | { 'Fn::Join': [string, Reference[]] } | { 'Fn::GetAtt': [string, string] } | { Ref: string };

/** A CloudFormation value as cdk-nag writes it: `<Bucket.Arn>/raw/*`. */
function flatten(value: Reference): string {
  if (typeof value === 'string') return value;
  if ('Fn::Join' in value) return value['Fn::Join'][1].map(flatten).join(value['Fn::Join'][0]);
  return 'Ref' in value ? `<${value.Ref}>` : `<${value['Fn::GetAtt'].join('.')}>`;
}
