/** From a template to living resources: every type and property is done, or means nothing here, or is refused by name. */
import { IngotError } from '../core/errors.ts';
import type { Cloud } from './cloud.ts';
import { checkConnections } from './iam/connections.ts';
import { batch } from './resources/batch.ts';
import { compute } from './resources/compute.ts';
import { events } from './resources/events.ts';
import { identity } from './resources/identity.ts';
import { messaging } from './resources/messaging.ts';
import { observe } from './resources/observe.ts';
import type { ResourceTypes } from './resources/resource-type.ts';
import { restApi } from './resources/rest-api.ts';
import { storage } from './resources/storage.ts';
import { type Identity, type Json, type JsonObject, resolve, type Scope } from './template/intrinsics.ts';
import { accountId, creationOrder, parametersOf, type Resource, type Stack } from './template/template.ts';

export const supportedTypes: ResourceTypes = {
  ...identity,
  ...storage,
  ...compute,
  ...batch,
  ...events,
  ...messaging,
  ...restApi,
  ...observe,
};

/** Types that mean nothing on a laptop, where there is one user and no bill. */
export const meaninglessTypes = [
  'AWS::ApiGateway::Account',
  'AWS::ApiGateway::Deployment',
  'AWS::CDK::Metadata',
  'AWS::EC2::EgressOnlyInternetGateway',
  'AWS::EC2::InternetGateway',
  'AWS::EC2::LaunchTemplate',
  'AWS::EC2::NetworkAcl',
  'AWS::EC2::Route',
  'AWS::EC2::RouteTable',
  'AWS::EC2::SecurityGroup',
  'AWS::EC2::SecurityGroupEgress',
  'AWS::EC2::SecurityGroupIngress',
  'AWS::EC2::Subnet',
  'AWS::EC2::SubnetRouteTableAssociation',
  'AWS::EC2::VPC',
  'AWS::EC2::VPCCidrBlock',
  'AWS::EC2::VPCEndpoint',
  'AWS::EC2::VPCGatewayAttachment',
  'AWS::ECR::Repository',
  'AWS::KMS::Alias',
  'Custom::LogRetention',
  'Custom::S3AutoDeleteObjects',
];

/**
 * Creates all resources of a stack.
 * @returns the stack's outputs.
 * @throws IngotError InvalidRequest that names the first thing that the laptop cloud cannot do.
 */
export async function createResources(stack: Stack, cloud: Cloud): Promise<Record<string, string>> {
  const { template } = stack;
  const identities = new Map<string, Identity>();
  const scope: Scope = {
    identities,
    parameters: parametersOf(template, stack.name),
    conditions: new Map(Object.entries(template.Conditions ?? {})),
    mappings: template.Mappings ?? {},
    // The API's address in the cloud is here the laptop's.
    rewrite: (text) => text.replace(/https:\/\/[a-z0-9]{10}\.execute-api\.[a-z0-9-]+\.amazonaws\.com/g, cloud.url),
  };
  const order = creationOrder(template, scope);
  const names = physicalNames(stack.name, Object.keys(template.Resources));
  for (const [id, resource] of order) {
    check(id, resource);
    const name = names.get(id)!;
    const type = supportedTypes[resource.Type];
    if (type) {
      const properties = resolve(resource.Properties, scope, id) as JsonObject | null;
      identities.set(id, await type.create({ id, name, properties: properties ?? {}, cloud, stack }));
    } else identities.set(id, { ref: name, attributes: nominal(name) });
  }
  checkConnections(cloud);
  const outputs = Object.entries(template.Outputs ?? {}).filter(
    ([, { Condition }]) => !Condition || resolve({ Condition }, scope, 'Outputs') === true,
  );
  return Object.fromEntries(outputs.map(([name, { Value }]): [string, string] => [name, text(resolve(Value, scope, `output ${name}`))]));
}

/** Attributes of something that is not there: whatever is asked for is its name. */
function nominal(name: string): Record<string, string> {
  const known: Record<string, string> = { Arn: `arn:aws:laptop::${accountId}:${name}` };
  return new Proxy(known, { get: (_, attribute: string) => known[attribute] ?? name });
}

const text = (value: Json) => (typeof value === 'string' ? value : JSON.stringify(value));

function check(id: string, { Type, Properties = {} }: Resource): void {
  if (meaninglessTypes.includes(Type)) return;
  const type = Object.hasOwn(supportedTypes, Type) ? supportedTypes[Type] : undefined;
  const known = type && [...type.properties, ...(type.meaningless ?? [])];
  const unknown = known ? Object.keys(Properties).find((property) => !known.includes(property)) : Type;
  if (unknown === undefined) return;
  throw new IngotError('InvalidRequest', `The laptop cloud does not know ${known ? `${unknown} of ${Type}` : Type}.`, {
    where: `resource ${id}`,
    fix: 'docs/laptop.md lists what it runs; add it under local/resources/, or to what means nothing on a laptop.',
  });
}

/** `<stack>-<logical id>` without the CDK's hash, where that tells the resources apart; at most 64 characters. */
function physicalNames(stack: string, ids: string[]): Map<string, string> {
  const short = (id: string) => `${stack}-${id.replace(/[0-9A-F]{8}$/, '').replace(new RegExp(`^${stack}(?=.)`), '')}`.slice(0, 64);
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(short(id).toLowerCase(), (counts.get(short(id).toLowerCase()) ?? 0) + 1);
  return new Map(ids.map((id) => [id, counts.get(short(id).toLowerCase()) === 1 ? short(id) : `${stack}-${id}`.slice(-64)]));
}
