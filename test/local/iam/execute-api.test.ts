/** An API whose methods ask IAM, called with requests that botocore has signed; and keys with usage plans of their own. */

import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningCloud, startCloud } from '../../../local/start-cloud.ts';
import { synthesize } from '../../../local/synth.ts';
import type { Json } from '../../../local/template/intrinsics.ts';
import type { Template } from '../../../local/template/template.ts';
import { pythonHas } from '../../python.ts';
import { apiOutputs, lambda, newHome, restApi, start } from '../assembly.ts';
import { type Signed, sendSigned } from './signed.ts';

const echo = 'export const handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event.requestContext.identity) });';

const role = (Statement: Json): Template['Resources'][string] => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }],
    },
    Policies: [{ PolicyName: 'own', PolicyDocument: { Statement } }],
  },
});

const invoke = (path: string) => ({
  Effect: 'Allow',
  Action: 'execute-api:Invoke',
  Resource: { 'Fn::Sub': `arn:\${AWS::Partition}:execute-api:\${AWS::Region}:\${AWS::AccountId}:\${Api}/prod/${path}` },
});

/** `/echo` needs a signature and a key, `/open` a signature alone. */
function template(): Template {
  const Resources = restApi({ Throttle: { RateLimit: 1000, BurstLimit: 1000 } });
  for (const { Type, Properties } of Object.values(Resources))
    if (Type === 'AWS::ApiGateway::Method') Properties!['AuthorizationType'] = 'AWS_IAM';
  return {
    Resources: { ...Resources, Echo: lambda('echo'), Reader: role([invoke('GET/open*')]), Stranger: role([]) },
    Outputs: {
      ...apiOutputs,
      Reader: { Value: { 'Fn::GetAtt': ['Reader', 'Arn'] } },
      Stranger: { Value: { 'Fn::GetAtt': ['Stranger', 'Arn'] } },
    },
  };
}

const hasBoto = pythonHas('boto3');
const why = hasBoto ? '' : ' (skipped: no Python with boto3)';

describe.skipIf(!hasBoto)(`an API that asks IAM${why}`, () => {
  let cloud: RunningCloud;
  beforeAll(async () => {
    cloud = await start(template(), { echo });
  });
  afterAll(() => cloud.close());

  const as = (name: 'Reader' | 'Stranger') => {
    const { accessKeyId, secretAccessKey, token } = cloud.cloud.iam.assume(cloud.outputs[name]!, 'lambda.amazonaws.com', 'somebody');
    return [accessKeyId, secretAccessKey, token];
  };
  const user = ['test', 'test'];
  const call = (path: string, rest: Partial<Signed> = {}): Signed => ({
    method: 'GET',
    url: `${cloud.outputs['ApiUrl']}${path}`,
    service: 'execute-api',
    ...rest,
  });

  test('lets in who is allowed to call, names and all, and tells the function who it is', async () => {
    const answers = await sendSigned([
      call('open', { credentials: user }),
      call('open', { credentials: as('Reader') }),
      call('open/a%20b/caf%C3%A9?x=1&y=%20', { credentials: as('Reader') }),
      call('open', { method: 'POST', body: '{"a":1}', credentials: user }),
    ]);
    expect(answers.map(([status]) => status)).toEqual([200, 200, 200, 200]);
    expect(answers[1]![1]).toMatchObject({
      userArn: 'arn:aws:sts::000000000000:assumed-role/App-Reader/somebody',
      accessKey: as('Reader')[0],
    });
  });

  test('answers all others 403, in API Gateway’s words', async () => {
    const signedElsewhere = { url: `${cloud.outputs['ApiUrl']}open`, sentTo: `${cloud.outputs['ApiUrl']}open?more=1` };
    const answers = await sendSigned([
      call('open'),
      call('open', { credentials: ['test', 'wrong'] }),
      call('open', { credentials: ['AKIAUNKNOWN', 'x'] }),
      call('open', { ...signedElsewhere, credentials: user }),
      call('open', { credentials: as('Stranger') }),
      call('open', { method: 'DELETE', credentials: as('Reader') }),
      call('open', { credentials: [...as('Reader').slice(0, 2), 'made up'] }),
    ]);
    const mismatch = expect.stringMatching(/^The request signature we calculated does not match the signature you provided\./);
    const api = cloud.cloud.apis[0]!.id;
    const denied = (name: string, what: string) =>
      `User: arn:aws:sts::000000000000:assumed-role/App-${name}/somebody is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********0000:${api}/prod/${what} because no identity-based policy allows the execute-api:Invoke action`;
    const invalid = 'The security token included in the request is invalid.';
    expect(answers).toEqual(
      [
        'Missing Authentication Token',
        mismatch,
        invalid,
        mismatch,
        denied('Stranger', 'GET/open'),
        denied('Reader', 'DELETE/open'),
        invalid,
      ].map((message) => [403, { message }]),
    );
  });

  test('asks for a key besides where the method says so', async () => {
    const [without, withKey, unsigned] = await sendSigned([
      call('echo', { credentials: user }),
      call('echo', { credentials: user, headers: { 'x-api-key': cloud.outputs['ApiKey']! } }),
      call('echo', { headers: { 'x-api-key': cloud.outputs['ApiKey']! } }),
    ]);
    expect([without![0], withKey![0], unsigned![0]]).toEqual([403, 200, 403]);
    expect(withKey![1]).toMatchObject({ apiKey: cloud.outputs['ApiKey'], userArn: 'arn:aws:iam::000000000000:root' });
  });
});

describe.skipIf(!hasBoto)(`the stack with authorization: both${why}`, () => {
  const home = newHome();
  let cloud: RunningCloud;
  beforeAll(async () => {
    const settings = { authorization: 'both', keys: '{"mobile":{"requestsPerMonth":1}}' };
    cloud = await startCloud({ assembly: synthesize(settings), home, port: 0 });
  });
  afterAll(async () => {
    await cloud.close();
    rmSync(home, { recursive: true, force: true });
  });

  test('takes requests that are signed and bear a key, counts them by its plan, and leaves health open', async () => {
    const { ApiUrl, ApiKey, ApiKeyIdMobile } = cloud.outputs;
    const mobile = cloud.cloud.keys.keys.get(ApiKeyIdMobile!)!.value;
    const call = (path: string, key?: string, credentials?: string[]): Signed => ({
      method: 'GET',
      url: `${ApiUrl}${path}`,
      service: 'execute-api',
      ...(key !== undefined && { headers: { 'x-api-key': key } }),
      ...(credentials && { credentials }),
    });
    const user = ['test', 'test'];
    const answers = await sendSigned([
      call('models', ApiKey, user),
      call('models', mobile, user),
      call('models', mobile, user),
      call('models', ApiKey),
      call('models', undefined, user),
      call('models', ApiKey, ['test', 'wrong']),
      call('v2/health/ready'),
    ]);
    expect(answers.map(([status]) => status)).toEqual([200, 200, 429, 403, 403, 403, 200]);
    const messages = answers.map(([, body]) => (body?.['error'] as { message: string } | undefined)?.message);
    expect(messages.slice(2, 6)).toEqual([
      'The key has used up its requests for this month.',
      'The request is not signed, or there is no such path.',
      'The API key is missing or wrong.',
      'The signature is wrong or too old.',
    ]);
  });
});

test('keys have usage plans of their own: one that is used up says so, and the others go on', async () => {
  const key = (id: string, plan: object): Template['Resources'] => ({
    [`${id}Key`]: { Type: 'AWS::ApiGateway::ApiKey', Properties: { Enabled: true, Value: `value-of-${id}-which-is-long-enough` } },
    [`${id}Plan`]: {
      Type: 'AWS::ApiGateway::UsagePlan',
      Properties: { ApiStages: [{ ApiId: { Ref: 'Api' }, Stage: { Ref: 'Stage' } }], ...plan },
    },
    [`${id}PlanKey`]: {
      Type: 'AWS::ApiGateway::UsagePlanKey',
      Properties: { KeyId: { Ref: `${id}Key` }, KeyType: 'API_KEY', UsagePlanId: { Ref: `${id}Plan` } },
    },
  });
  const Resources = {
    ...restApi({ Throttle: { RateLimit: 1000, BurstLimit: 1000 } }),
    Echo: lambda('echo'),
    ...key('Slow', { Throttle: { RateLimit: 0.001, BurstLimit: 2 } }),
    ...key('Few', { Throttle: { RateLimit: 1000, BurstLimit: 1000 }, Quota: { Limit: 3, Period: 'MONTH' } }),
  };
  const cloud = await start({ Resources, Outputs: apiOutputs }, { echo });
  try {
    const call = async (value: string) => {
      const response = await fetch(`${cloud.outputs['ApiUrl']}echo`, { headers: { 'x-api-key': value } });
      return response.status === 200 ? 200 : `${response.status} ${((await response.json()) as { message: string }).message}`;
    };
    const times = async (count: number, value: string) => {
      const answers = [];
      for (let i = 0; i < count; i++) answers.push(await call(value));
      return answers;
    };
    expect(await times(3, 'value-of-Slow-which-is-long-enough')).toEqual([200, 200, '429 Too Many Requests']);
    expect(await times(4, 'value-of-Few-which-is-long-enough')).toEqual([200, 200, 200, '429 Limit Exceeded']);
    expect(await times(5, cloud.outputs['ApiKey']!)).toEqual([200, 200, 200, 200, 200]);
  } finally {
    await cloud.close();
  }
});
