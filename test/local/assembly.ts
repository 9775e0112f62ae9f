import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningCloud, startCloud } from '../../local/start-cloud.ts';
import type { JsonObject } from '../../local/template/intrinsics.ts';
import type { Template } from '../../local/template/template.ts';

/** A cloud assembly as the CDK writes it, with `functions` (name → source of an ES module) as its assets. */
export function writeAssembly(template: Template, functions: Record<string, string> = {}): string {
  const directory = mkdtempSync(join(tmpdir(), 'ingot-assembly-'));
  const files: JsonObject = {};
  for (const [name, source] of Object.entries(functions)) {
    mkdirSync(join(directory, `asset.${name}`));
    writeFileSync(join(directory, `asset.${name}`, 'index.mjs'), source);
    files[name] = { source: { path: `asset.${name}` }, destinations: { here: { objectKey: `${name}.zip` } } };
  }
  const artifacts = { App: { type: 'aws:cloudformation:stack', properties: { templateFile: 'App.template.json' } } };
  writeFileSync(join(directory, 'manifest.json'), JSON.stringify({ artifacts }));
  writeFileSync(join(directory, 'App.template.json'), JSON.stringify(template));
  writeFileSync(join(directory, 'App.assets.json'), JSON.stringify({ files }));
  return directory;
}

/** The resource of a function made by `writeAssembly`. */
export function lambda(name: string, properties: JsonObject = {}) {
  return {
    Type: 'AWS::Lambda::Function',
    Properties: {
      FunctionName: name,
      Code: { S3Bucket: 'assets', S3Key: `${name}.zip` },
      Handler: 'index.handler',
      Runtime: 'nodejs24.x',
      MemorySize: 256,
      ...properties,
    },
  };
}

export const newHome = () => mkdtempSync(join(tmpdir(), 'ingot-home-'));

export function start(template: Template, functions: Record<string, string>, home = newHome()): Promise<RunningCloud> {
  return startCloud({ assembly: writeAssembly(template, functions), home, port: 0 });
}

/** A REST API of one stage, whose `/echo` needs a key and whose `/open` does not, both answered by the function `echo`. */
export function restApi(plan: JsonObject = {}): Template['Resources'] {
  const api = { Ref: 'Api' };
  const Integration = {
    Type: 'AWS_PROXY',
    IntegrationHttpMethod: 'POST',
    Uri: {
      'Fn::Join': [
        '',
        [
          'arn:',
          { Ref: 'AWS::Partition' },
          ':apigateway:us-east-1:lambda:path/2015-03-31/functions/',
          { 'Fn::GetAtt': ['Echo', 'Arn'] },
          '/invocations',
        ],
      ],
    },
  };
  const resource = (PathPart: string, parent: JsonObject = { 'Fn::GetAtt': ['Api', 'RootResourceId'] }) => ({
    Type: 'AWS::ApiGateway::Resource',
    Properties: { RestApiId: api, ParentId: parent, PathPart },
  });
  const method = (id: string, ApiKeyRequired: boolean) => ({
    Type: 'AWS::ApiGateway::Method',
    Properties: { RestApiId: api, ResourceId: { Ref: id }, HttpMethod: 'ANY', AuthorizationType: 'NONE', ApiKeyRequired, Integration },
  });
  return {
    Api: { Type: 'AWS::ApiGateway::RestApi', Properties: { Name: 'Api', BinaryMediaTypes: ['application/octet-stream'] } },
    EchoPath: resource('echo'),
    EchoMethod: method('EchoPath', true),
    OpenPath: resource('open'),
    OpenMethod: method('OpenPath', false),
    ThingPath: resource('{thing}', { Ref: 'OpenPath' }),
    ThingMethod: method('ThingPath', false),
    RestPath: resource('{proxy+}', { Ref: 'ThingPath' }),
    RestMethod: method('RestPath', false),
    Stage: { Type: 'AWS::ApiGateway::Stage', Properties: { RestApiId: api, StageName: 'prod' } },
    Key: { Type: 'AWS::ApiGateway::ApiKey', Properties: { Enabled: true } },
    Plan: { Type: 'AWS::ApiGateway::UsagePlan', Properties: { ApiStages: [{ ApiId: api, Stage: { Ref: 'Stage' } }], ...plan } },
    PlanKey: {
      Type: 'AWS::ApiGateway::UsagePlanKey',
      Properties: { KeyId: { Ref: 'Key' }, KeyType: 'API_KEY', UsagePlanId: { Ref: 'Plan' } },
    },
    Refused: {
      Type: 'AWS::ApiGateway::GatewayResponse',
      Properties: {
        RestApiId: api,
        ResponseType: 'INVALID_API_KEY',
        StatusCode: '403',
        ResponseTemplates: { 'application/json': '{"error":{"code":"Forbidden","message":$context.error.messageString}}' },
      },
    },
  };
}

export const apiOutputs: NonNullable<Template['Outputs']> = {
  ApiUrl: {
    Value: {
      'Fn::Join': [
        '',
        ['https://', { Ref: 'Api' }, '.execute-api.', { Ref: 'AWS::Region' }, '.', { Ref: 'AWS::URLSuffix' }, '/', { Ref: 'Stage' }, '/'],
      ],
    },
  },
  ApiKeyId: { Value: { Ref: 'Key' } },
};
