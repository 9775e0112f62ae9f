/** The stack that is deployed, with its roles enforced: what a function may do goes through, and all else is refused as AWS refuses it. */
import { rmSync } from 'node:fs';
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { ListExecutionsCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FunctionName, functionNames } from '../../../core/names.ts';
import { type RunningCloud, startCloud } from '../../../local/start-cloud.ts';
import { synthesize } from '../../../local/synth.ts';
import { awaitModel, example, uploadExample } from '../../../local/tour.ts';
import { pythonHas } from '../../python.ts';
import { newHome } from '../assembly.ts';
import { sendSigned } from './signed.ts';

const hasBoto = pythonHas('boto3');
const environmentKeys = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'];
const home = newHome();
let cloud: RunningCloud;
let data: string;
let models: string;

beforeAll(async () => {
  cloud = await startCloud({ assembly: synthesize(), home, port: 0 });
  data = cloud.outputs['DataBucket']!;
  models = cloud.outputs['ModelBucket']!;
});
afterAll(async () => {
  await cloud.close();
  rmSync(home, { recursive: true, force: true });
});

const settingsOf = (name: FunctionName) => {
  const found = [...cloud.cloud.functions.values()].find(({ settings }) => settings.handler === `dist/${name}.handler`);
  return found!.settings;
};

/** What an SDK in the process of a function is configured with. */
function configOf(name: FunctionName | 'user') {
  const environment: Record<string, string> =
    name === 'user' ? { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' } : settingsOf(name).environment;
  return {
    endpoint: cloud.url,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: {
      accessKeyId: environment['AWS_ACCESS_KEY_ID']!,
      secretAccessKey: environment['AWS_SECRET_ACCESS_KEY']!,
      ...(environment['AWS_SESSION_TOKEN'] && { sessionToken: environment['AWS_SESSION_TOKEN'] }),
    },
  };
}

const s3 = (name: FunctionName | 'user') => new S3Client(configOf(name));
const userPut = (Bucket: string, Key: string, Body = 'x') => s3('user').send(new PutObjectCommand({ Bucket, Key, Body }));

/** The error of a call: its name, status and message. */
async function refusalOf(call: Promise<unknown>): Promise<{ name: string; status: number | undefined; message: string }> {
  const error = await call.then(
    () => undefined,
    (thrown: Error & { $metadata?: { httpStatusCode?: number } }) => thrown,
  );
  if (!error) throw new Error('It was allowed.');
  return { name: error.name, status: error.$metadata?.httpStatusCode, message: error.message };
}

test('every function has a key of its own, whose session bears the name of its role', () => {
  const keys = functionNames.map((name) => settingsOf(name).environment['AWS_ACCESS_KEY_ID']);
  expect(new Set(keys).size).toBe(functionNames.length);
  for (const key of keys) expect(key).toMatch(/^ASIA[A-Z0-9]{16}$/);
  expect(settingsOf('plan').session!.arn).toMatch(/^arn:aws:sts::000000000000:assumed-role\/Ingot-TrainingPlanFunctionRole\//);
});

describe('on objects', () => {
  const object = (bucket: string, key: string) => `"arn:aws:s3:::${bucket}/${key}"`;

  test('a function reads and writes its prefixes, and S3 says who may not do what elsewhere', async () => {
    await userPut(data, 'features/a/1/train.parquet');
    await userPut(data, 'captured/secret');
    const search = s3('search');
    await search.send(new GetObjectCommand({ Bucket: data, Key: 'features/a/1/train.parquet' }));
    await search.send(new PutObjectCommand({ Bucket: models, Key: 'runs/r/trials/t.json', Body: '{}', IfNoneMatch: '*' }));
    const { arn } = settingsOf('search').session!;
    const words = (action: string, resource: string) => ({
      name: 'AccessDenied',
      status: 403,
      message: `User: ${arn} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
    });
    expect(await refusalOf(search.send(new GetObjectCommand({ Bucket: data, Key: 'captured/secret' })))).toEqual(
      words('s3:GetObject', object(data, 'captured/secret')),
    );
    expect(await refusalOf(search.send(new PutObjectCommand({ Bucket: models, Key: 'models/m/aliases/live.json', Body: '' })))).toEqual(
      words('s3:PutObject', object(models, 'models/m/aliases/live.json')),
    );
    expect(await refusalOf(search.send(new DeleteObjectCommand({ Bucket: models, Key: 'runs/r/trials/t.json' })))).toEqual(
      words('s3:DeleteObject', object(models, 'runs/r/trials/t.json')),
    );
    expect(await refusalOf(search.send(new ListBucketsCommand({})))).toEqual(words('s3:ListAllMyBuckets', '*'));
  });

  test('a copy needs to read its source, and many deletions are refused one by one', async () => {
    const release = s3('release');
    const copy = (CopySource: string) => release.send(new CopyObjectCommand({ Bucket: models, Key: 'models/copied', CopySource }));
    await userPut(models, 'runs/r/x');
    await userPut(models, 'incoming/x');
    await copy(`${models}/runs/r/x`);
    expect((await refusalOf(copy(`${models}/incoming/x`))).message).toContain(`s3:GetObject on resource: ${object(models, 'incoming/x')}`);
    const { Errors } = await release.send(new DeleteObjectsCommand({ Bucket: models, Delete: { Objects: [{ Key: 'models/copied' }] } }));
    expect(Errors).toEqual([expect.objectContaining({ Key: 'models/copied', Code: 'AccessDenied' })]);
  });

  test('a large upload goes in parts, and what was written is kept from those who do not read there', async () => {
    const upload = (name: FunctionName) =>
      new Upload({
        client: s3(name),
        params: { Bucket: data, Key: 'clean/big/1/table.parquet', Body: Buffer.alloc(6 << 20) },
        partSize: 5 << 20,
      }).done();
    await upload('clean');
    expect(await refusalOf(upload('plan'))).toMatchObject({ name: 'AccessDenied', status: 403 });
    expect(await refusalOf(s3('predict').send(new GetObjectCommand({ Bucket: data, Key: 'clean/big/1/table.parquet' })))).toMatchObject({
      status: 403,
    });
  });

  test('what is not there is a 404 for who may list the bucket, and a 403 for who may not', async () => {
    const head = (name: FunctionName, Bucket: string, Key: string) => refusalOf(s3(name).send(new HeadObjectCommand({ Bucket, Key })));
    expect(await head('fit', models, 'runs/none')).toMatchObject({ status: 404 });
    // It may read under models/ in the other bucket, but of this one it may know nothing.
    expect(await head('predict', data, 'clean/none')).toMatchObject({ status: 403 });
    const role = settingsOf('select').session!.role;
    const before = role.statements;
    role.statements = before.filter(({ actions }) => !actions.patterns.some((each) => each.test('s3:ListBucket')));
    const get = refusalOf(s3('select').send(new GetObjectCommand({ Bucket: models, Key: 'runs/none' })));
    expect(await get).toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining('s3:ListBucket on resource: "arn:aws:s3:::'),
    });
    role.statements = before;
  });

  test('a listing is of the prefixes that are the function’s', async () => {
    const list = (Prefix: string) => s3('release').send(new ListObjectsV2Command({ Bucket: models, Prefix }));
    expect((await list('runs/r/')).Contents!.length).toBeGreaterThan(0);
    expect(await refusalOf(list('incoming/'))).toMatchObject({ name: 'AccessDenied', status: 403 });
  });

  test('an address that a function signed may do what its role may, and nothing when it is altered', async () => {
    const signer = new S3Client({ ...configOf('api'), requestChecksumCalculation: 'WHEN_REQUIRED' });
    const put = (Key: string) => getSignedUrl(signer, new PutObjectCommand({ Bucket: data, Key }), { expiresIn: 60 });
    const send = async (url: string) => (await fetch(url, { method: 'PUT', body: 'a,b\n1,2\n' })).status;
    const url = await put('raw/mine/a.csv');
    expect(await send(url)).toBe(200);
    expect(await send(url.replace('a.csv', 'b.csv'))).toBe(403);
    expect(await send(await put('clean/mine/a.csv'))).toBe(403);
  });

  test('a bucket’s policy denies whoever it names, the role’s own notwithstanding', async () => {
    const role = settingsOf('gate').session!.role;
    const Statement = [
      { Effect: 'Deny', Principal: { AWS: role.arn }, Action: 's3:GetObject', Resource: `arn:aws:s3:::${data}/features/*` },
    ];
    cloud.cloud.iam.guard(`arn:aws:s3:::${data}`, { Statement });
    expect((await refusalOf(s3('gate').send(new GetObjectCommand({ Bucket: data, Key: 'features/a/1/train.parquet' })))).message).toContain(
      'with an explicit deny in a resource-based policy',
    );
  });

  test('without TLS nobody gets in, as the buckets’ policies say; the loopback counts as TLS', () => {
    const { role, arn } = settingsOf('search').session!;
    const call = { action: 's3:GetObject', resource: `arn:aws:s3:::${data}/features/a/1/train.parquet` };
    const without = (context: Record<string, string>) => cloud.cloud.iam.refusal(role, { ...call, context }, arn);
    expect(without({})).toBeUndefined();
    expect(without({ 'aws:SecureTransport': 'false' })).toContain('with an explicit deny in a resource-based policy');
    expect(without({ 's3:TlsVersion': '1.1' })).toContain('with an explicit deny in a resource-based policy');
  });

  test('neither a wrong secret nor a foreign token gets in', async () => {
    const config = configOf('search');
    const get = (credentials: object) =>
      refusalOf(
        new S3Client({ ...config, credentials: { ...config.credentials, ...credentials } }).send(
          new GetObjectCommand({ Bucket: data, Key: 'features/a/1/train.parquet' }),
        ),
      );
    expect(await get({ secretAccessKey: 'guessed' })).toMatchObject({ name: 'SignatureDoesNotMatch', status: 403 });
    expect(await get({ sessionToken: 'made up' })).toMatchObject({ name: 'InvalidToken', status: 400 });
  });
});

describe('on other services', () => {
  test('transform starts runs and api lists them, and neither does the other’s', async () => {
    const stateMachineArn = cloud.outputs['StateMachineArn']!;
    const start = (name: FunctionName) =>
      new SFNClient(configOf(name)).send(new StartExecutionCommand({ stateMachineArn, name: `by-${name}`, input: '{}' }));
    const list = (name: FunctionName) => new SFNClient(configOf(name)).send(new ListExecutionsCommand({ stateMachineArn }));
    await start('transform');
    await list('api');
    expect(await refusalOf(start('api'))).toEqual({
      name: 'AccessDeniedException',
      status: 400,
      message: `User: ${settingsOf('api').session!.arn} is not authorized to perform: states:StartExecution on resource: ${stateMachineArn} because no identity-based policy allows the states:StartExecution action`,
    });
    expect(await refusalOf(list('transform'))).toMatchObject({ name: 'AccessDeniedException' });
  });

  test('fail tells the topic, and nobody else does', async () => {
    const publish = (name: FunctionName) =>
      new SNSClient(configOf(name)).send(new PublishCommand({ TopicArn: cloud.outputs['AlarmTopicArn']!, Message: 'x' }));
    await publish('fail');
    expect(await refusalOf(publish('plan'))).toMatchObject({ name: 'AuthorizationErrorException', status: 403 });
  });

  test('a metric is not put', async () => {
    const metric = { Namespace: 'x', MetricData: [{ MetricName: 'y', Value: 1 }] };
    const put = new CloudWatchClient(configOf('plan')).send(new PutMetricDataCommand(metric));
    expect(await refusalOf(put)).toMatchObject({ status: 403, message: expect.stringContaining('cloudwatch:PutMetricData') });
  });

  test.skipIf(!hasBoto)(
    `a function is not invoked, a key not read, a job not submitted${hasBoto ? '' : ' (skipped: no Python with boto3)'}`,
    async () => {
      const { environment, session } = settingsOf('plan');
      const credentials = environmentKeys.map((name) => environment[name]!);
      const fit = settingsOf('fit').arn;
      const call = (service: string, path: string, body?: string) => ({
        method: body === undefined ? 'GET' : 'POST',
        url: `${cloud.url}${path}`,
        service,
        credentials,
        ...(body !== undefined && { body }),
      });
      const answers = await sendSigned([
        call('lambda', `/2015-03-31/functions/${encodeURIComponent(fit)}/invocations`, '{}'),
        call('apigateway', `/apikeys/${cloud.outputs['ApiKeyId']}?includeValue=true`),
        call('batch', '/v1/submitjob', '{"jobQueue":"q","jobDefinition":"d"}'),
        { ...call('sts', '/', '{}'), headers: { 'x-amz-target': 'AWSSecurityTokenService.GetCallerIdentity' } },
        { ...call('lambda', '/2015-03-31/functions'), credentials: [credentials[0]!, 'guessed', credentials[2]!] },
        { ...call('lambda', '/2015-03-31/functions'), credentials: [credentials[0]!, credentials[1]!, 'made up'] },
      ]);
      const refused = (action: string, resource: string) => {
        const message = `User: ${session!.arn} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`;
        return [403, { message, Message: message }];
      };
      expect(answers[0]).toEqual(refused('lambda:InvokeFunction', fit));
      expect(answers[1]).toEqual(refused('apigateway:GET', `arn:aws:apigateway:us-east-1::/apikeys/${cloud.outputs['ApiKeyId']}`));
      expect(answers[2]).toEqual(refused('batch:SubmitJob', 'arn:aws:batch:us-east-1:000000000000:job-definition/d'));
      expect(answers[3]).toMatchObject([200, { Arn: session!.arn }]);
      expect(answers[4]).toMatchObject([403, { message: expect.stringContaining('signature we calculated does not match') }]);
      expect(answers[5]).toMatchObject([403, { message: 'The security token included in the request is invalid.' }]);
    },
  );
});

describe('with a KMS key of the stack’s', () => {
  const keyed = newHome();
  let encrypted: RunningCloud;
  beforeAll(async () => {
    encrypted = await startCloud({ assembly: synthesize({ customerKey: 'true' }), home: keyed, port: 0 });
  });
  afterAll(async () => {
    await encrypted.close();
    rmSync(keyed, { recursive: true, force: true });
  });

  test('the roles are enough for the whole way from a file to a model', async () => {
    const { outputs } = encrypted;
    await uploadExample(outputs);
    const run = await awaitModel({ url: outputs['ApiUrl']!, key: outputs['ApiKey']! }, example.dataset);
    expect(run.status).toBe('SUCCEEDED');
    expect([...encrypted.cloud.queues.values()].map((queue) => queue.count().visible)).toEqual([0, 0]);
  });

  test('a role without the key reads and writes nothing', async () => {
    const { settings } = [...encrypted.cloud.functions.values()].find(({ settings }) => settings.handler === 'dist/search.handler')!;
    const { role, accessKeyId, secretAccessKey, token } = settings.session!;
    const client = new S3Client({
      endpoint: encrypted.url,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey, sessionToken: token },
    });
    const Bucket = encrypted.outputs['ModelBucket']!;
    await client.send(new PutObjectCommand({ Bucket, Key: 'runs/r/a', Body: 'x' }));
    role.statements = role.statements.filter(({ actions }) => !actions.patterns.some((each) => each.test('kms:Decrypt')));
    const [key] = encrypted.cloud.iam.encrypted.values();
    expect((await refusalOf(client.send(new GetObjectCommand({ Bucket, Key: 'runs/r/a' })))).message).toContain(
      `kms:Decrypt on resource: ${key}`,
    );
    expect((await refusalOf(client.send(new PutObjectCommand({ Bucket, Key: 'runs/r/b', Body: 'x' })))).message).toContain(
      `kms:GenerateDataKey on resource: ${key}`,
    );
  });
});
