/** Roles and policies, keys, and who may invoke a function: what local/iam holds calls against. */
import type { Statement } from '../iam/policy.ts';
import { parsePolicy } from '../iam/policy.ts';
import { accountId, region } from '../template/template.ts';
import {
  type Creation,
  nameOnly,
  object,
  objects,
  type ResourceType,
  type ResourceTypes,
  refusal,
  required,
  string,
  strings,
} from './resource-type.ts';

/** A policy of resources named by a property: ARNs, or what `arnOf` makes into them. */
const guardType = (property: string, arnOf: (name: string) => string): ResourceType => ({
  properties: [property, 'PolicyDocument'],
  create: ({ id, properties, cloud }) => {
    for (const name of [properties[property] ?? []].flat()) cloud.iam.guard(arnOf(String(name)), object(properties['PolicyDocument']));
    return nameOnly(id);
  },
});

export const identity: ResourceTypes = {
  'AWS::IAM::Role': {
    properties: ['AssumeRolePolicyDocument', 'ManagedPolicyArns', 'PermissionsBoundary', 'Policies', 'RoleName'],
    meaningless: ['Description', 'MaxSessionDuration', 'Path', 'Tags'],
    create: ({ name: made, properties, cloud }) => {
      const role = cloud.iam.addRole(string(properties['RoleName']) ?? made, object(properties['AssumeRolePolicyDocument']));
      for (const { PolicyDocument } of objects(properties['Policies']))
        role.statements.push(...parsePolicy(object(PolicyDocument), role.arn));
      for (const arn of strings(properties['ManagedPolicyArns'])) role.statements.push(...cloud.iam.managedPolicy(arn));
      const boundary = string(properties['PermissionsBoundary']);
      if (boundary !== undefined) role.boundary = cloud.iam.managedPolicy(boundary);
      return { ref: role.name, attributes: { Arn: role.arn, RoleId: `AROA${role.name}` } };
    },
  },
  'AWS::IAM::Policy': {
    properties: ['PolicyDocument', 'PolicyName', 'Roles'],
    create: (creation) => {
      attach(creation, parsePolicy(object(creation.properties['PolicyDocument']), creation.id));
      return nameOnly(creation.id);
    },
  },
  'AWS::IAM::ManagedPolicy': {
    properties: ['ManagedPolicyName', 'PolicyDocument', 'Roles'],
    meaningless: ['Description', 'Path'],
    create: (creation) => {
      const { name, properties, cloud } = creation;
      const arn = `arn:aws:iam::${accountId}:policy/${string(properties['ManagedPolicyName']) ?? name}`;
      cloud.iam.addManagedPolicy(arn, object(properties['PolicyDocument']));
      attach(creation, cloud.iam.managedPolicy(arn));
      return { ref: arn, attributes: { PolicyArn: arn } };
    },
  },
  'AWS::IAM::InstanceProfile': {
    properties: ['InstanceProfileName'],
    meaningless: ['Path', 'Roles'],
    create: ({ name, properties }) => {
      const profile = string(properties['InstanceProfileName']) ?? name;
      return { ref: profile, attributes: { Arn: `arn:aws:iam::${accountId}:instance-profile/${profile}` } };
    },
  },
  'AWS::KMS::Key': {
    // The laptop encrypts nothing, but asks for the permissions that what is encrypted with the key needs.
    properties: [],
    meaningless: [
      'Description',
      'EnableKeyRotation',
      'Enabled',
      'KeyPolicy',
      'KeySpec',
      'KeyUsage',
      'MultiRegion',
      'PendingWindowInDays',
      'RotationPeriodInDays',
      'Tags',
    ],
    create: ({ name }) => {
      const arn = `arn:aws:kms:${region}:${accountId}:key/${name}`;
      return { ref: name, attributes: { Arn: arn, KeyId: name } };
    },
  },
  'AWS::Lambda::Permission': {
    properties: ['FunctionName', 'Principal', 'SourceArn'],
    meaningless: ['Action', 'SourceAccount'],
    create: ({ id, properties, cloud }) => {
      const target = cloud.findFunction(required(properties, 'FunctionName', id));
      const sourceArn = string(properties['SourceArn']);
      // Functions that the CDK adds are not there.
      if (target) {
        cloud.permissions.push({
          functionArn: target.settings.arn,
          principal: required(properties, 'Principal', id),
          ...(sourceArn !== undefined && { sourceArn }),
        });
      }
      return nameOnly(id);
    },
  },
  'AWS::S3::BucketPolicy': guardType('Bucket', (name) => `arn:aws:s3:::${name}`),
  'AWS::SNS::TopicPolicy': guardType('Topics', (arn) => arn),
  'AWS::SQS::QueuePolicy': guardType('Queues', (url) => `arn:aws:sqs:${region}:${accountId}:${url.split('/').at(-1)}`),
};

function attach({ id, properties, cloud }: Creation, statements: Statement[]): void {
  for (const name of strings(properties['Roles'])) {
    const role = cloud.iam.role(name);
    if (!role) throw refusal(id, `the role ${name} is not there`);
    role.statements.push(...statements);
  }
}
