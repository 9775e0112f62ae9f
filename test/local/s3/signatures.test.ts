/** Signature Version 4 by the worked examples of Amazon's documentation ("Authenticating Requests", May 2013). */
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { decodeChunked } from '../../../local/s3/chunked.ts';
import { type RequestHead, verifySignature } from '../../../local/s3/sigv4.ts';

const credentials = { AKIAIOSFODNN7EXAMPLE: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const then = Date.UTC(2013, 4, 24);
const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

function head(method: string, url: string, headers: Record<string, string>): RequestHead {
  const all = { host: 'examplebucket.s3.amazonaws.com', ...headers };
  return { method, url, headers: all, rawHeaders: Object.entries(all).flat() };
}

const authorization = (signedHeaders: string, signature: string) =>
  `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${signedHeaders},Signature=${signature}`;

const getObject = (change: Record<string, string> = {}) =>
  head('GET', '/test.txt', {
    range: 'bytes=0-9',
    'x-amz-content-sha256': emptyHash,
    'x-amz-date': '20130524T000000Z',
    authorization: authorization(
      'host;range;x-amz-content-sha256;x-amz-date',
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ),
    ...change,
  });

const presigned = (expires = 86400) =>
  '/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request' +
  `&X-Amz-Date=20130524T000000Z&X-Amz-Expires=${expires}&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404`;

describe('a signed request', () => {
  it('is taken as Amazon signs it', () => {
    expect(verifySignature(getObject(), credentials, then).accessKeyId).toBe('AKIAIOSFODNN7EXAMPLE');
    const put = head('PUT', '/test%24file.text', {
      date: 'Fri, 24 May 2013 00:00:00 GMT',
      'x-amz-date': '20130524T000000Z',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
      authorization: authorization(
        'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
        '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
      ),
    });
    expect(() => verifySignature(put, credentials, then)).not.toThrow();
    const lifecycle = head('GET', '/?lifecycle', {
      'x-amz-date': '20130524T000000Z',
      'x-amz-content-sha256': emptyHash,
      authorization: authorization(
        'host;x-amz-content-sha256;x-amz-date',
        'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
      ),
    });
    expect(() => verifySignature(lifecycle, credentials, then)).not.toThrow();
  });

  it.each([
    ['a changed header', getObject({ range: 'bytes=0-99' }), 'SignatureDoesNotMatch'],
    ['a header that was not signed', getObject({ 'x-amz-copy-source': '/other/key' }), 'AccessDenied'],
    ['no signature', head('GET', '/test.txt', {}), 'AccessDenied'],
    ['another scheme', getObject({ authorization: 'Basic dGVzdDp0ZXN0' }), 'AuthorizationHeaderMalformed'],
    [
      'another service',
      getObject({ authorization: getObject().headers.authorization!.replace('/s3/', '/sqs/') }),
      'AuthorizationHeaderMalformed',
    ],
    ['a path that is not UTF-8', { ...getObject(), url: '/%ff' }, 'InvalidURI'],
  ])('with %s is refused', (_, request, code) => {
    expect(() => verifySignature(request, credentials, then)).toThrow(expect.objectContaining({ code }));
  });

  it('is let in with an unknown key where strangers are, its chunks unchecked', () => {
    const signed = verifySignature(getObject(), { test: 'test' }, then, true);
    expect([signed.accessKeyId, signed.key]).toEqual(['AKIAIOSFODNN7EXAMPLE', undefined]);
  });

  it('is refused with an unknown key, a wrong secret, or a quarter of an hour late', () => {
    expect(() => verifySignature(getObject(), { test: 'test' }, then)).toThrow(expect.objectContaining({ code: 'InvalidAccessKeyId' }));
    expect(() => verifySignature(getObject(), { AKIAIOSFODNN7EXAMPLE: 'x' }, then)).toThrow(
      expect.objectContaining({ code: 'SignatureDoesNotMatch' }),
    );
    expect(() => verifySignature(getObject(), credentials, then + 901_000)).toThrow(
      expect.objectContaining({ code: 'RequestTimeTooSkewed' }),
    );
  });
});

describe('a presigned URL', () => {
  it('is taken until it expires', () => {
    expect(verifySignature(head('GET', presigned(), {}), credentials, then + 86_400_000).payload).toBe('UNSIGNED-PAYLOAD');
    expect(() => verifySignature(head('GET', presigned(), {}), credentials, then + 86_400_001)).toThrow('Request has expired');
    expect(() => verifySignature(head('GET', presigned(), {}), credentials, then - 901_000)).toThrow('not yet valid');
  });

  it('cannot be stretched', () => {
    expect(() => verifySignature(head('GET', presigned(86401), {}), credentials, then)).toThrow(
      expect.objectContaining({ code: 'SignatureDoesNotMatch' }),
    );
    expect(() => verifySignature(head('GET', presigned(604801), {}), credentials, then)).toThrow('must be less than a week');
    expect(() => verifySignature(head('DELETE', presigned(), {}), credentials, then)).toThrow(
      expect.objectContaining({ code: 'SignatureDoesNotMatch' }),
    );
  });
});

describe('a body in signed chunks', () => {
  const request = head('PUT', '/examplebucket/chunkObject.txt', {
    host: 's3.amazonaws.com',
    'x-amz-date': '20130524T000000Z',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'content-encoding': 'aws-chunked',
    'x-amz-decoded-content-length': '66560',
    'content-length': '66824',
    authorization: authorization(
      'content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class',
      '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
    ),
  });
  const signatures = [
    'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
    '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
    'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
  ];
  const chunk = (size: number, signature: string) => `${size.toString(16)};chunk-signature=${signature}\r\n${'a'.repeat(size)}\r\n`;
  const body = [chunk(65536, signatures[0]!), chunk(1024, signatures[1]!), chunk(0, signatures[2]!)].join('');

  async function* pieces(text: string, size: number): AsyncGenerator<Buffer> {
    for (let i = 0; i < text.length; i += size) yield Buffer.from(text.slice(i, i + size));
  }
  const decoded = (text: string, size = 1000) =>
    buffer(decodeChunked(pieces(text, size), verifySignature(request, credentials, then), new Map()));

  it.each([1, 7, 1000, 100_000])('is taken as Amazon signs it, in pieces of %i bytes', async (size) => {
    expect((await decoded(body, size)).equals(Buffer.from('a'.repeat(66560)))).toBe(true);
  });

  it('is refused where a byte is changed, or a chunk or the end is missing', async () => {
    await expect(decoded(body.replace('aaa', 'aba'))).rejects.toMatchObject({ code: 'SignatureDoesNotMatch' });
    await expect(decoded(chunk(1024, signatures[1]!) + chunk(0, signatures[2]!))).rejects.toMatchObject({ code: 'SignatureDoesNotMatch' });
    await expect(decoded(body.slice(0, 66000))).rejects.toMatchObject({ code: 'IncompleteBody' });
    await expect(decoded(`nonsense\r\n${body}`)).rejects.toMatchObject({ code: 'IncompleteBody' });
  });

  it('may end with trailers', async () => {
    const trailers = new Map<string, string>();
    const text = '5\r\nhello\r\n0\r\nX-Amz-Checksum-CRC32: NhCmhg==\r\n\r\n';
    expect((await buffer(decodeChunked(pieces(text, 3), undefined, trailers))).toString()).toBe('hello');
    expect([...trailers]).toEqual([['x-amz-checksum-crc32', 'NhCmhg==']]);
  });
});
