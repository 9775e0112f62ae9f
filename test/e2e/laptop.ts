import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

const root = resolve(import.meta.dirname, '../..');

export interface Outputs {
  ApiUrl: string;
  ApiKey: string;
  ApiKeyId: string;
  DataBucket: string;
  ModelBucket: string;
  StateMachineArn: string;
  AlarmTopicArn: string;
  ConsoleUrl: string;
  EndpointUrl: string;
}

/** A laptop cloud started as a user starts it, driven through nothing but its outputs. */
/** A small grid. */
export const little = { grids: { forest: { nEstimators: [20], maxDepth: [null, 10] } } };

export class Laptop {
  readonly home: string;
  readonly port: number;
  readonly outputs: Outputs;
  readonly s3: S3Client;
  private readonly child: ChildProcess;
  private readonly printed: string[];

  private constructor(home: string, port: number, outputs: Outputs, child: ChildProcess, printed: string[]) {
    this.home = home;
    this.port = port;
    this.outputs = outputs;
    this.child = child;
    this.printed = printed;
    this.s3 = new S3Client({
      endpoint: outputs.EndpointUrl,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
  }

  static async start(options: { home?: string; port?: number; example?: boolean; env?: NodeJS.ProcessEnv } = {}): Promise<Laptop> {
    const home = options.home ?? mkdtempSync(join(tmpdir(), 'ingot-home-'));
    const port = options.port ?? (await freePort());
    const printed: string[] = [];
    const child = spawn(process.execPath, ['local/start.ts'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, INGOT_HOME: home, INGOT_PORT: String(port), INGOT_EXAMPLE: options.example ? 'on' : 'off', ...options.env },
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => printed.push(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => printed.push(text));
    for (let waited = 0; waited < 90_000; waited += 50) {
      if (child.exitCode !== null) throw new Error(`the laptop cloud ended with ${child.exitCode}:\n${printed.join('')}`);
      const outputs = await readyOutputs(home, port);
      if (outputs) return new Laptop(home, port, outputs, child, printed);
      await sleep(50);
    }
    child.kill('SIGKILL');
    throw new Error(`the laptop cloud was not ready within 90 s:\n${printed.join('')}`);
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** What it has printed so far. */
  get output(): string {
    return this.printed.join('');
  }

  /** Environment of a program that knows the endpoint and the credentials, and nothing else. */
  get clientEnv(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      AWS_ENDPOINT_URL: this.outputs.EndpointUrl,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_DEFAULT_REGION: 'us-east-1',
    };
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(new URL(path, this.outputs.ApiUrl), { ...init, headers: { 'x-api-key': this.outputs.ApiKey, ...init.headers } });
  }

  /** GET a path that must answer 200, as JSON. */
  async get<T>(path: string): Promise<T> {
    const response = await this.fetch(path);
    if (response.status !== 200) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** Polls until `probe` gives something; a probe that throws counts as "not yet". */
  async until<T>(what: string, probe: () => Promise<T | undefined>, seconds = 150): Promise<T> {
    let last: unknown;
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(100)) {
      try {
        const found = await probe();
        if (found !== undefined) return found;
      } catch (error) {
        last = error;
      }
    }
    throw new Error(`${what}: not within ${seconds} s (${last})\n${this.output.slice(-4000)}`);
  }

  /** Has the dataset searched by a small grid, where how good its model is does not matter. */
  async searchLittle(dataset: string): Promise<void> {
    const spec = JSON.stringify(little);
    await this.s3.send(new PutObjectCommand({ Bucket: this.outputs.DataBucket, Key: `raw/${dataset}/dataset.json`, Body: spec }));
  }

  /** Waits until the dataset's newest run has ended. */
  async finished(dataset: string, seconds = 150): Promise<RunSummary> {
    return this.until(
      `the run of ${dataset}`,
      async () => {
        const { runs } = await this.get<{ runs: RunSummary[] }>('runs');
        return runs.find((run) => run.dataset === dataset && run.status !== 'RUNNING');
      },
      seconds,
    );
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill(signal);
      await ended;
    }
    this.s3.destroy();
    return this.child.exitCode;
  }
}

export interface RunSummary {
  id: string;
  dataset: string;
  revision: string;
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  stage: string;
  progress: number;
  startedAt: string;
  error?: { code: string; message: string };
}

async function readyOutputs(home: string, port: number): Promise<Outputs | undefined> {
  const file = join(home, 'outputs.json');
  if (!existsSync(file)) return undefined;
  try {
    const outputs = JSON.parse(readFileSync(file, 'utf8')) as Outputs;
    if (new URL(outputs.EndpointUrl).port !== String(port)) return undefined;
    const response = await fetch(new URL('v2/health/ready', outputs.ApiUrl));
    return response.status === 200 ? outputs : undefined;
  } catch {
    return undefined;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
