import { expect, test } from 'vitest';
import { signedHeaders } from '../../aws/signature.ts';
import { pythonHas, runPython } from '../python.ts';

const hasJudge = pythonHas('botocore');

/** The signature that botocore makes of a request at the time that its headers tell. */
const sign = `
import json, sys
from botocore.auth import SigV4Auth, S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
given = json.load(sys.stdin)
headers = {name: value for name, value in given['headers'].items() if name not in ('authorization', 'host')}
request = AWSRequest(method=given['method'], url=given['url'], headers=headers, data=given.get('body'))
request.context['timestamp'] = headers['x-amz-date']
request.context['payload_signing_enabled'] = given.get('body') is not None
kind = S3SigV4Auth if given['service'] == 's3' else SigV4Auth
auth = kind(Credentials('AKID', 'secret', headers.get('x-amz-security-token')), given['service'], 'eu-west-1')
print(auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request))
`;

test.skipIf(!hasJudge).each([
  ['a call with a body', 'events', 'https://events.eu-west-1.amazonaws.com/', '{"Name":"clock"}', undefined],
  ['a call in a role', 'events', 'https://events.eu-west-1.amazonaws.com/', '{"Name":"clock"}', 'token/+='],
  ['an object', 's3', 'https://s3.eu-west-1.amazonaws.com/assets/code.zip', undefined, 'token'],
])(
  `a request is signed as botocore signs it${hasJudge ? '' : ' (skipped: no Python with botocore)'}: %s`,
  (_, service, address, body, Token) => {
    const about = body === undefined ? {} : { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AWSEvents.EnableRule' };
    const headers = signedHeaders(
      { AccessKeyId: 'AKID', SecretAccessKey: 'secret', Token },
      new URL(address),
      service,
      'eu-west-1',
      body,
      about,
    );
    const given = { headers, url: address, service, method: body === undefined ? 'GET' : 'POST', body };
    expect(headers['authorization']).toMatch(new RegExp(`Signature=${runPython(sign, JSON.stringify(given)).trim()}$`));
  },
);
