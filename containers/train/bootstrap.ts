/**
 * What a job's container starts with, in any image with Node: it fetches the code, checks that it is what was deployed, and runs it. Bundled and
 * minified by infra/assets.ts into the command of the job definition, so it uses nothing but Node's own modules, and is short. On a laptop the
 * code is a folder already.
 */
import { createHash, createHmac } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inflateRawSync } from 'node:zlib';
import { environment } from '../../core/names.ts';

const { env } = process;
const attempts = 3;

/** Where Fargate and ECS give a task the credentials of its role. */
const credentialsHost = 'http://169.254.170.2';

interface Credentials {
  AccessKeyId: string;
  SecretAccessKey: string;
  Token?: string | undefined;
}

async function credentials(): Promise<Credentials> {
  const { AWS_ACCESS_KEY_ID: AccessKeyId, AWS_SECRET_ACCESS_KEY: SecretAccessKey = '', AWS_SESSION_TOKEN: Token } = env;
  if (AccessKeyId) return { AccessKeyId, SecretAccessKey, Token };
  return (await (await fetch(credentialsHost + env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'])).json()) as Credentials;
}

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** A GET as AWS signs it: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
async function download(address: string): Promise<Buffer> {
  const { AccessKeyId, SecretAccessKey, Token } = await credentials();
  const url = new URL(new URL(address).pathname, env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'] ?? address);
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = [time.slice(0, 8), env['AWS_REGION']!, 's3', 'aws4_request'];
  const headers: Record<string, string> = {
    host: url.host,
    'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
    'x-amz-date': time,
    ...(Token && { 'x-amz-security-token': Token }),
  };
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const request = ['GET', url.pathname, '', lines.join(''), names, 'UNSIGNED-PAYLOAD'].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope.join('/'), sha256(request)].join('\n');
  const signature = hmac(scope.reduce<string | Buffer>(hmac, `AWS4${SecretAccessKey}`) as Buffer, toSign).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${AccessKeyId}/${scope.join('/')}, SignedHeaders=${names}, Signature=${signature}`;
  const response = await fetch(url, { headers: { ...headers, authorization } });
  if (!response.ok) throw new Error(`${url} answers ${response.status}: ${await response.text()}`);
  return Buffer.from(await response.arrayBuffer());
}

/** A zip's files, by its central directory: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
function unzip(zip: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const end = zip.lastIndexOf(Buffer.from('504b0506', 'hex'));
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const nameEnd = at + 46 + zip.readUInt16LE(at + 28);
    const name = zip.toString('utf8', at + 46, nameEnd);
    const header = zip.readUInt32LE(at + 42);
    const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
    const body = zip.subarray(start, start + zip.readUInt32LE(at + 20));
    if (!name.endsWith('/')) files.set(name, zip.readUInt16LE(at + 10) === 0 ? body : inflateRawSync(body));
    at = nameEnd + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return files;
}

/** The hash of a built asset, see infra/assets.ts. */
function hashOf(files: Map<string, Buffer>): string {
  const hash = createHash('sha256');
  for (const path of [...files.keys()].sort()) hash.update(`${path}\0${files.get(path)!.length}\0`).update(files.get(path)!);
  return hash.digest('hex');
}

async function unpack(): Promise<string> {
  const files = unzip(await download(env[environment.jobCode]!));
  if (hashOf(files) !== env[environment.jobHash]) throw new Error('The code is not what was deployed.');
  const folder = mkdtempSync(join(tmpdir(), 'ingot-job-'));
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  return folder;
}

async function patiently<T>(work: () => Promise<T>, left = attempts): Promise<T> {
  return work().catch(async (error: unknown) => {
    if (left <= 1) throw error;
    await new Promise((done) => setTimeout(done, 1000 * 2 ** (attempts - left)));
    return patiently(work, left - 1);
  });
}

async function start(): Promise<void> {
  const folder = env[environment.jobAsset] ?? (await patiently(unpack));
  const { main } = (await import(pathToFileURL(join(folder, 'dist/main.mjs')).href)) as { main(): Promise<void> };
  await main();
}

void start();
