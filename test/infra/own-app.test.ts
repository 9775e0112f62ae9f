/** Ingot as a construct in somebody's own app: the example of docs/deploy.md, which `npm run check` compiles. */
import { readFileSync } from 'node:fs';
import { App, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { MockIntegration, RestApi } from 'aws-cdk-lib/aws-apigateway';
import { Key } from 'aws-cdk-lib/aws-kms';
import { DISABLE_ASSET_STAGING_CONTEXT } from 'aws-cdk-lib/cx-api';
import { describe, expect, it } from 'vitest';
import { environment } from '../../core/names.ts';
import { Models } from '../../docs/own-app.ts';
import { Ingot } from '../../infra/ingot.ts';
import { findings, hasLint, lint, whyNoLint } from './judges.ts';
import { stackOf } from './stack.ts';

const stack = new Models(new App({ context: { 'ingot:processor': 'native', [DISABLE_ASSET_STAGING_CONTEXT]: true } }), 'Models');
const template = Template.fromStack(stack);
const properties = (type: string) =>
  Object.values(template.findResources(type)).map(({ Properties }) => Properties as Record<string, unknown>);

describe('the example of an app of your own', () => {
  it('stands in docs/deploy.md as it is', () => {
    const read = (file: string) => readFileSync(new URL(`../../docs/${file}`, import.meta.url), 'utf8');
    expect(read('deploy.md')).toContain(`\`\`\`ts\n${read('own-app.ts')}\`\`\``);
  });

  it('follows AWS’s recommendations (cdk-nag)', () => {
    expect(findings(stack)).toEqual([]);
  });

  it.skipIf(!hasLint)(`passes cfn-lint${whyNoLint}`, () => {
    expect(lint(stack)).toBe('');
  });

  it('uses its bucket, and makes no other for data', () => {
    template.resourceCountIs('AWS::S3::Bucket', 1);
    template.hasResourceProperties('Custom::S3BucketNotifications', { BucketName: 'my-datasets', Managed: false });
    template.hasOutput('DataBucket', { Value: 'my-datasets' });
  });

  it('encrypts what it keeps with its key, which logs and alarms may use', () => {
    const [key] = Object.keys(template.findResources('AWS::KMS::Key'));
    const arn = { 'Fn::GetAtt': [key, 'Arn'] };
    const encryption = {
      ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: arn } }],
    };
    for (const bucket of properties('AWS::S3::Bucket')) expect(bucket['BucketEncryption']).toMatchObject(encryption);
    for (const queue of properties('AWS::SQS::Queue')) expect(queue['KmsMasterKeyId']).toEqual(arn);
    for (const topic of properties('AWS::SNS::Topic')) expect(topic['KmsMasterKeyId']).toEqual(arn);
    for (const group of properties('AWS::Logs::LogGroup')) expect(group['KmsKeyId']).toEqual(arn);
    const allowed = (Principal: unknown, Action: string[]) =>
      Match.objectLike({ Effect: 'Allow', Principal, Action: Match.arrayWith(Action) });
    template.hasResourceProperties('AWS::KMS::Key', {
      EnableKeyRotation: true,
      KeyPolicy: {
        Statement: Match.arrayWith([
          allowed({ Service: { 'Fn::Join': ['', ['logs.', { Ref: 'AWS::Region' }, '.', { Ref: 'AWS::URLSuffix' }]] } }, [
            'kms:GenerateDataKey',
          ]),
          allowed({ Service: 'cloudwatch.amazonaws.com' }, ['kms:Decrypt']),
        ]),
      },
    });
  });

  it('runs its functions in its network, by a security group that lets nothing in', () => {
    const ours = properties('AWS::Lambda::Function').filter(({ Handler }) => String(Handler).startsWith('dist/'));
    for (const { VpcConfig } of ours) {
      expect(VpcConfig).toMatchObject({ SubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'] });
    }
    for (const group of properties('AWS::EC2::SecurityGroup')) expect(group['SecurityGroupIngress']).toBeUndefined();
    template.resourceCountIs('AWS::EC2::SecurityGroupIngress', 0);
  });

  it('puts its boundary on every role and its tags on what takes them', () => {
    for (const role of properties('AWS::IAM::Role')) expect(JSON.stringify(role['PermissionsBoundary'])).toContain(':policy/developers');
    for (const type of ['AWS::S3::Bucket', 'AWS::SNS::Topic', 'AWS::StepFunctions::StateMachine']) {
      for (const each of properties(type)) expect(each['Tags']).toContainEqual({ Key: 'team', Value: 'models' });
    }
  });
});

it('an address of one’s own is the API’s, and what is to go with the stack goes', async () => {
  const { Certificate } = await import('aws-cdk-lib/aws-certificatemanager');
  const certificate = Certificate.fromCertificateArn(new Stack(), 'Certificate', 'arn:aws:acm:eu-west-1:111122223333:certificate/1');
  const own = Template.fromStack(
    stackOf({ domainName: { domainName: 'models.example.com', certificate }, removalPolicy: RemovalPolicy.DESTROY }),
  );
  own.hasResourceProperties('AWS::ApiGateway::DomainName', { DomainName: 'models.example.com' });
  own.hasOutput('ApiUrl', { Value: 'https://models.example.com/' });
  own.hasOutput('ConsoleUrl', { Value: 'https://models.example.com/console/' });
  own.allResources('AWS::S3::Bucket', { DeletionPolicy: 'Delete' });
});

describe('in an app that has buckets, a key and an API already', () => {
  const app = new App({ context: { [DISABLE_ASSET_STAGING_CONTEXT]: true } });
  const own = new Stack(app, 'Own');
  const api = new RestApi(own, 'Api', { binaryMediaTypes: ['application/octet-stream', 'application/vnd.apache.parquet', 'image/png'] });
  api.root.addResource('other').addMethod('GET', new MockIntegration());
  const asset = { path: import.meta.dirname, hash: 'none' };
  const ingot = new Ingot(own, 'Ingot', {
    assets: { control: asset, pipeline: asset, serving: asset },
    encryptionKey: Key.fromKeyArn(own, 'Theirs', own.formatArn({ service: 'kms', resource: 'key', resourceName: 'theirs' })),
    dataBucketName: 'left-data',
    modelBucketName: 'left-models',
    api: { api, path: 'ml' },
    keys: { mobile: {} },
  });
  const made = Template.fromStack(own);
  const ids = (type: string) => Object.keys(made.findResources(type));

  it.skipIf(!hasLint)(
    `passes cfn-lint${whyNoLint}`,
    () => {
      expect(lint(own)).toBe('');
    },
    180_000,
  );

  it('makes no buckets, key or API beside them', () => {
    for (const type of ['AWS::S3::Bucket', 'AWS::S3::BucketPolicy', 'AWS::KMS::Key']) made.resourceCountIs(type, 0);
    made.resourceCountIs('AWS::ApiGateway::RestApi', 1);
    made.hasResourceProperties('Custom::S3BucketNotifications', { BucketName: 'left-data', Managed: false });
    const roles = JSON.stringify([made.findResources('AWS::IAM::Policy'), made.findResources('AWS::IAM::Role')]);
    expect(roles).toContain(':s3:::left-models/models/*');
    expect(roles).toContain(':s3:::left-data');
  });

  it('lies under its path of the API, whose answers and stage it leaves alone, and tells its functions', () => {
    expect(ids('AWS::ApiGateway::GatewayResponse')).toEqual([]);
    const [ml] = ids('AWS::ApiGateway::Resource').filter((id) => made.toJSON()['Resources'][id].Properties.PathPart === 'ml') as [string];
    made.hasResourceProperties('AWS::ApiGateway::Resource', { PathPart: 'predict', ParentId: { Ref: ml } });
    made.hasResourceProperties('AWS::ApiGateway::Method', { HttpMethod: 'ANY', ResourceId: { Ref: ml }, ApiKeyRequired: true });
    for (const Handler of ['dist/predict.handler', 'dist/api.handler']) {
      made.hasResourceProperties('AWS::Lambda::Function', { Handler, Environment: { Variables: { [environment.basePath]: '/ml' } } });
    }
    expect(own.resolve(ingot.serving.url)['Fn::Join'][1].at(-1)).toBe('/ml/');
    made.hasOutput('ApiKeyIdMobile', {});
    expect(ids('AWS::ApiGateway::UsagePlan')).toHaveLength(2);
  });

  it.each([
    ['with a path that is none', { path: '/ml/' }, "the path '/ml/' must be"],
    [
      'without the media types that come and go as bytes',
      { api: new RestApi(new Stack(), 'Bare') },
      'binaryMediaTypes with application/octet-stream',
    ],
  ])('is refused %s', (_, wrong, message) => {
    expect(() => stackOf({ api: { api, path: 'ml', ...wrong } })).toThrow(message);
  });
});
