/**
 * What a job's container starts with, in any image with Node: it fetches the code, checks that it is what was deployed, and runs it. Bundled and
 * minified by infra/assets.ts into the command of the job definition, so it uses nothing but Node's own modules, and is short. On a laptop the
 * code is a folder already.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inflateRawSync } from 'node:zlib';
import { type Credentials, signedHeaders } from '../../aws/signature.ts';
import { environment } from '../../core/names.ts';

const { env } = process;
const attempts = 3;

/** Where Fargate and ECS give a task the credentials of its role. */
const credentialsHost = 'http://169.254.170.2';

async function credentials(): Promise<Credentials> {
  const { AWS_ACCESS_KEY_ID: AccessKeyId, AWS_SECRET_ACCESS_KEY: SecretAccessKey = '', AWS_SESSION_TOKEN: Token } = env;
  if (AccessKeyId) return { AccessKeyId, SecretAccessKey, Token };
  return (await (await fetch(credentialsHost + env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'])).json()) as Credentials;
}

async function download(address: string): Promise<Buffer> {
  const url = new URL(new URL(address).pathname, env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'] ?? address);
  const response = await fetch(url, { headers: signedHeaders(await credentials(), url, 's3', env['AWS_REGION']!) });
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
