/** API Gateway: REST APIs, their methods and stages, keys and usage plans. */
import { createHash } from 'node:crypto';
import type { UsagePlan } from '../api/keys.ts';
import { RestApi } from '../api/rest-api.ts';
import type { Integration } from '../api/routes.ts';
import type { Cloud } from '../cloud.ts';
import type { JsonObject } from '../template/intrinsics.ts';
import { nameOnly, number, object, objects, type ResourceTypes, refusal, required, string, strings } from './resource-type.ts';

const shortId = (id: string) => createHash('sha256').update(id).digest('hex').slice(0, 10);

export const restApi: ResourceTypes = {
  'AWS::ApiGateway::RestApi': {
    properties: ['Name', 'BinaryMediaTypes'],
    meaningless: [
      'Description',
      'EndpointConfiguration',
      'Tags',
      'ApiKeySourceType',
      'DisableExecuteApiEndpoint',
      'MinimumCompressionSize',
    ],
    create: ({ id, properties, cloud }) => {
      const api = new RestApi(
        shortId(id),
        string(properties['Name']) ?? id,
        strings(properties['BinaryMediaTypes']),
        cloud.keys,
        cloud.metrics,
        cloud.iam,
      );
      cloud.apis.push(api);
      return { ref: api.id, attributes: { RootResourceId: api.rootId, RestApiId: api.id } };
    },
  },
  'AWS::ApiGateway::Resource': {
    properties: ['RestApiId', 'ParentId', 'PathPart'],
    create: ({ id, properties, cloud }) => {
      const { resources } = find(cloud, properties, id);
      const parent = resources.get(required(properties, 'ParentId', id))!;
      resources.set(shortId(id), `${parent === '/' ? '' : parent}/${required(properties, 'PathPart', id)}`);
      return { ref: shortId(id), attributes: { ResourceId: shortId(id) } };
    },
  },
  'AWS::ApiGateway::Method': {
    properties: ['RestApiId', 'ResourceId', 'HttpMethod', 'ApiKeyRequired', 'AuthorizationType', 'Integration'],
    meaningless: ['MethodResponses', 'OperationName'],
    create: ({ id, properties, cloud }) => {
      const api = find(cloud, properties, id);
      const authorization = string(properties['AuthorizationType']) ?? 'NONE';
      if (authorization !== 'NONE' && authorization !== 'AWS_IAM') throw refusal(id, `authorization by ${authorization} is not there`);
      const resourceId = required(properties, 'ResourceId', id);
      const resource = api.resources.get(resourceId)!;
      api.routes.add(resource, required(properties, 'HttpMethod', id), {
        resource,
        resourceId,
        keyRequired: properties['ApiKeyRequired'] === true,
        signed: authorization === 'AWS_IAM',
        integration: integrationOf(object(properties['Integration']), id, cloud),
      });
      return nameOnly(id);
    },
  },
  'AWS::ApiGateway::Stage': {
    properties: ['RestApiId', 'StageName', 'MethodSettings'],
    meaningless: ['AccessLogSetting', 'DeploymentId', 'Description', 'Tags', 'TracingEnabled', 'ClientCertificateId'],
    create: ({ id, properties, cloud }) => {
      const all = objects(properties['MethodSettings']).find(({ ResourcePath, HttpMethod }) => ResourcePath === '/*' && HttpMethod === '*');
      const name = required(properties, 'StageName', id);
      find(cloud, properties, id).addStage(name, throttleOf(all?.['ThrottlingRateLimit'], all?.['ThrottlingBurstLimit']));
      return nameOnly(name);
    },
  },
  'AWS::ApiGateway::GatewayResponse': {
    properties: ['RestApiId', 'ResponseType', 'StatusCode', 'ResponseTemplates', 'ResponseParameters'],
    create: ({ id, properties, cloud }) => {
      const status = number(properties['StatusCode']);
      const headers = Object.entries(object(properties['ResponseParameters'])).flatMap(([name, value]) => {
        const header = /^gatewayresponse\.header\.(.+)$/.exec(name)?.[1];
        return header ? [[header, String(value).replace(/^'|'$/g, '')]] : [];
      });
      find(cloud, properties, id).responses.set(required(properties, 'ResponseType', id), {
        headers: Object.fromEntries(headers),
        templates: object(properties['ResponseTemplates']) as Record<string, string>,
        ...(status !== undefined && { status }),
      });
      return nameOnly(id);
    },
  },
  'AWS::ApiGateway::ApiKey': {
    properties: ['Name', 'Value', 'Enabled'],
    meaningless: ['Description', 'StageKeys', 'Tags', 'CustomerId', 'GenerateDistinctId'],
    create: ({ id, name, properties, cloud }) => {
      const enabled = properties['Enabled'] === true;
      const key = cloud.keys.create(shortId(id), string(properties['Name']) ?? name, enabled, string(properties['Value']));
      return { ref: key.id, attributes: { APIKeyId: key.id } };
    },
  },
  'AWS::ApiGateway::UsagePlan': {
    properties: ['ApiStages', 'Throttle', 'Quota'],
    meaningless: ['Description', 'Tags', 'UsagePlanName'],
    create: ({ id, properties, cloud }) => {
      const throttle = throttleOf(object(properties['Throttle'])['RateLimit'], object(properties['Throttle'])['BurstLimit']);
      const quota = object(properties['Quota']);
      const limit = number(quota['Limit']);
      const plan: UsagePlan = {
        id: shortId(id),
        stages: new Set(objects(properties['ApiStages']).map(({ ApiId, Stage }) => `${ApiId}/${Stage}`)),
        ...(throttle && { throttle }),
        ...(limit !== undefined && { quota: { limit, period: (string(quota['Period']) ?? 'MONTH') as 'DAY' | 'WEEK' | 'MONTH' } }),
      };
      cloud.plans.set(plan.id, plan);
      return { ref: plan.id, attributes: { Id: plan.id } };
    },
  },
  'AWS::ApiGateway::UsagePlanKey': {
    properties: ['KeyId', 'KeyType', 'UsagePlanId'],
    create: ({ id, properties, cloud }) => {
      const key = cloud.keys.keys.get(required(properties, 'KeyId', id));
      const plan = cloud.plans.get(required(properties, 'UsagePlanId', id));
      if (!key || !plan) throw refusal(id, 'its key or its plan is not there');
      cloud.keys.grant(key, plan);
      return nameOnly(id);
    },
  },
};

function find(cloud: Cloud, properties: JsonObject, id: string): RestApi {
  const api = cloud.apis.find((each) => each.id === properties['RestApiId']);
  if (!api) throw refusal(id, 'its API is not there');
  return api;
}

function throttleOf(rate: JsonObject[string], burst: JsonObject[string]): { rate: number; burst: number } | undefined {
  const perSecond = number(rate);
  return perSecond === undefined ? undefined : { rate: perSecond, burst: number(burst) ?? perSecond };
}

/** Longer than this, API Gateway waits for no function. */
const defaultTimeoutMs = 29_000;

function integrationOf(integration: JsonObject, id: string, cloud: Cloud): Integration {
  const type = string(integration['Type']);
  if (type === 'AWS_PROXY') {
    const [, arn] = /\/functions\/(.+)\/invocations$/.exec(string(integration['Uri']) ?? '') ?? [];
    const lambda = arn === undefined ? undefined : cloud.findFunction(arn);
    if (!lambda) throw refusal(id, `there is no function at ${integration['Uri']}`);
    return { type, lambda, timeoutMs: number(integration['TimeoutInMillis']) ?? defaultTimeoutMs };
  }
  if (type === 'MOCK') {
    const [response] = objects(integration['IntegrationResponses']);
    const headers = Object.entries(object(response?.['ResponseParameters'])).flatMap(([name, value]) => {
      const header = /^method\.response\.header\.(.+)$/.exec(name)?.[1];
      return header ? [[header, String(value).replace(/^'|'$/g, '')]] : [];
    });
    const body = string(object(response?.['ResponseTemplates'])['application/json']) ?? '';
    return { type, status: number(response?.['StatusCode']) ?? 200, headers: Object.fromEntries(headers), body };
  }
  throw refusal(id, `integrations of type ${type} are not there`);
}
