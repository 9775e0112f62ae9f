/** Jobs as Batch starts them: each a process that has the built asset and S3, and nothing else; and, where asked for, no more memory than it was given. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { S3ObjectStore, s3Client } from '../../aws/s3-object-store.ts';
import { allocatorEnvironment, environment, type JobStage } from '../../core/names.ts';
import { buildAsset, buildBootstrap, targetOf } from '../../infra/assets.ts';
import { memoryHeld } from '../../local/batch/usage.ts';
import { heapLimitMb } from '../../local/lambda/process.ts';
import { createS3 } from '../../local/s3/s3.ts';

export class JobMachine {
  readonly data: S3ObjectStore;
  readonly models: S3ObjectStore;
  /** The names of the runs that were started. */
  readonly started: string[];
  private readonly home: string;
  private readonly server: Server;
  private readonly variables: Record<string, string>;

  private constructor(home: string, server: Server, client: S3Client, variables: Record<string, string>, started: string[]) {
    this.home = home;
    this.server = server;
    this.variables = variables;
    this.started = started;
    [this.data, this.models] = [new S3ObjectStore('data', client), new S3ObjectStore('models', client)];
  }

  static async start(): Promise<JobMachine> {
    const home = mkdtempSync(join(tmpdir(), 'ingot-jobs-'));
    const s3 = await createS3({ root: home });
    const started: string[] = [];
    const server = createServer((request, response) => {
      if (!request.headers['x-amz-target']) {
        s3.handle(request, response);
        return;
      }
      // Step Functions, which only has to take the run.
      request.on('data', (body: Buffer) => started.push(JSON.parse(body.toString()).name));
      request.on('end', () => response.end(JSON.stringify({ executionArn: 'arn', startDate: 0 })));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const client = s3Client({ endpoint, forcePathStyle: true, region: 'us-east-1', credentials });
    for (const Bucket of ['data', 'models']) await client.send(new CreateBucketCommand({ Bucket }));
    const variables = {
      PATH: process.env['PATH']!,
      ...allocatorEnvironment,
      TMPDIR: home,
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      [environment.dataBucket]: 'data',
      [environment.modelBucket]: 'models',
      [environment.stateMachineArn]: 'arn:aws:states:us-east-1:000000000000:stateMachine:m',
      [environment.jobAsset]: buildAsset('pipeline', targetOf('native')).path,
    };
    return new JobMachine(home, server, client, variables, started);
  }

  async stop(): Promise<void> {
    await new Promise((done) => this.server.close(done));
    rmSync(this.home, { recursive: true, force: true });
  }

  /** @param memory MB that the job is told that it has */
  job(stage: JobStage, about: object, { index = 0, memory = 2048, more = {} }: JobOptions = {}): ChildProcess {
    return spawn(process.execPath, ['-e', buildBootstrap()], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...this.variables,
        NODE_OPTIONS: `--max-old-space-size=${heapLimitMb(memory)}`,
        AWS_BATCH_JOB_ARRAY_INDEX: String(index),
        [environment.jobMemory]: String(memory),
        [environment.jobStage]: stage,
        [environment.jobEvent]: JSON.stringify(about),
        ...more,
      },
    });
  }

  /** The exit code. */
  async run(stage: JobStage, about: object, options: JobOptions = {}): Promise<number | null> {
    return exitOf(this.job(stage, about, options));
  }

  /** Kills a job as soon as it holds more than its memory, as a container's limit does. */
  async runWithin(memory: number, stage: JobStage, about: object, options: JobOptions = {}): Promise<Held> {
    return within(memory, this.job(stage, about, { ...options, memory }));
  }

  /** The same of a function that only decides. */
  async callWithin(memory: number, name: string, event: object): Promise<Held> {
    const file = join(buildAsset('control', targetOf('native')).path, 'dist', `${name}.mjs`);
    const call = `const { handler } = await import(${JSON.stringify(file)}); await handler(${JSON.stringify(event)}, {}); process.exit(0);`;
    const env = { ...this.variables, NODE_OPTIONS: `--max-old-space-size=${heapLimitMb(memory)}` };
    return within(memory, spawn(process.execPath, ['--input-type=module', '-e', call], { stdio: ['ignore', 'pipe', 'pipe'], env }));
  }
}

async function within(memory: number, child: ChildProcess): Promise<Held> {
  let peak = 0;
  const looking = setInterval(() => {
    peak = Math.max(peak, memoryHeld(child.pid!) ?? 0);
    if (peak > memory) child.kill('SIGKILL');
  }, 20);
  let said = '';
  for (const output of [child.stdout!, child.stderr!]) output.on('data', (text: Buffer) => (said = `${said}${text}`.slice(-2000)));
  const code = await exitOf(child);
  clearInterval(looking);
  return { code, peak, said };
}

/** The exit code (null where it was killed), the most MB that it was seen to hold, and its last words. */
export interface Held {
  code: number | null;
  peak: number;
  said: string;
}

interface JobOptions {
  index?: number;
  memory?: number;
  /** Environment variables. */
  more?: Record<string, string>;
}

export async function exitOf(child: ChildProcess): Promise<number | null> {
  child.stdout?.resume();
  child.stderr?.resume();
  return (await once(child, 'exit'))[0] as number | null;
}
