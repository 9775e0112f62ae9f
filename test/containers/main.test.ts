import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { S3ObjectStore, s3Client } from '../../aws/s3-object-store.ts';
import { modelKeys } from '../../core/keys.ts';
import { environment, type JobStage } from '../../core/names.ts';
import { getJson } from '../../core/object-store.ts';
import type { Plan, TrialResult } from '../../core/search/plan.ts';
import { plan } from '../../functions/plan.lambda.ts';
import { select } from '../../functions/select.lambda.ts';
import { buildAsset, buildBootstrap, targetOf } from '../../infra/assets.ts';
import { createS3, type S3 } from '../../local/s3/s3.ts';
import { batchEnvironment, FakeBatch } from '../functions/batch.ts';
import { Laboratory } from '../functions/laboratory.ts';

const spec = { folds: 4, lane: 'cpu', grids: { forest: { nEstimators: [5], maxDepth: [null], minSamplesSplit: [2] } } };
const table = `a,b,y\n${Array.from({ length: 400 }, (_, i) => `${(i * 37) % 101},${(i * 53) % 97},${(i * 37) % 101 > 50}`).join('\n')}\n`;

/** The jobs of one dataset as Batch starts them, each a process that has the built asset and S3, and nothing else. */
describe('the job of each stage', () => {
  const home = mkdtempSync(join(tmpdir(), 'ingot-jobs-'));
  const asset = buildAsset('pipeline', targetOf('native'));
  const started: string[] = [];
  let s3: S3;
  let server: Server;
  let jobEnvironment: Record<string, string>;
  let [data, models]: S3ObjectStore[] = [];
  let event: { run: string; dataset: string; revision: string };

  beforeAll(async () => {
    s3 = await createS3({ root: home });
    server = createServer((request, response) => {
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
    const client = s3Client({
      endpoint,
      forcePathStyle: true,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    for (const Bucket of ['data', 'models']) await client.send(new CreateBucketCommand({ Bucket }));
    [data, models] = [new S3ObjectStore('data', client), new S3ObjectStore('models', client)];
    for (const [file, Body] of [
      ['data.csv', table],
      ['dataset.json', JSON.stringify(spec)],
    ] as const)
      await client.send(new PutObjectCommand({ Bucket: 'data', Key: `raw/d/${file}`, Body }));
    jobEnvironment = {
      PATH: process.env['PATH']!,
      TMPDIR: home,
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      [environment.dataBucket]: 'data',
      [environment.modelBucket]: 'models',
      [environment.stateMachineArn]: 'arn:aws:states:us-east-1:000000000000:stateMachine:m',
      [environment.jobAsset]: asset.path,
      [environment.jobMemory]: '2048',
    };
    process.env[environment.batch] = batchEnvironment;
  });

  afterAll(async () => {
    delete process.env[environment.batch];
    await new Promise((done) => server.close(done));
    rmSync(home, { recursive: true, force: true });
  });

  const job = (stage: JobStage, about: object, index = 0): ChildProcess =>
    spawn(process.execPath, ['-e', buildBootstrap()], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: {
        ...jobEnvironment,
        AWS_BATCH_JOB_ARRAY_INDEX: String(index),
        [environment.jobStage]: stage,
        [environment.jobEvent]: JSON.stringify(about),
      },
    });
  const exitOf = async (child: ChildProcess) => (await once(child, 'exit'))[0] as number | null;
  const trials = async () => {
    const found: string[] = [];
    for await (const { key } of models!.list(modelKeys.trials(event.run))) found.push(key.split('/').at(-1)!);
    return found.sort();
  };

  test('an upload is cleaned, and its features are made and its run started', { timeout: 120_000 }, async () => {
    const source = { key: 'raw/d/data.csv', sequencer: '01', eventTime: '2026-11-25T08:00:00Z' };
    expect(await exitOf(job('Clean', source))).toBe(0);
    const { revision, status } = (await getJson<{ revision: string; status: string }>(data!, 'clean/d/current.json'))!;
    expect(status).toBe('CLEAN');
    expect(await exitOf(job('Transform', { dataset: 'd', revision }))).toBe(0);
    expect(started).toEqual([expect.stringMatching(/^d-/)]);
    event = { run: started[0]!, dataset: 'd', revision };
  });

  test('a child of the search does its slice of the trials, and those that are done not again', { timeout: 120_000 }, async () => {
    const { services } = new Laboratory();
    Object.assign(services, { data, models, jobs: async () => new FakeBatch() });
    await plan(event, services);
    const { trials: planned } = (await getJson<Plan>(models!, modelKeys.plan(event.run)))!;
    expect(await exitOf(job('Search', { ...event, rung: 0, children: 2 }, 1))).toBe(0);
    expect(await trials()).toEqual([planned[1]!, planned[3]!].map(({ id }) => `${id}.json`));
    const first = await getJson<TrialResult>(models!, modelKeys.trial(event.run, planned[1]!.id));
    expect(await exitOf(job('Search', { ...event, rung: 0, children: 1 }))).toBe(0);
    expect(await trials()).toHaveLength(4);
    expect(await getJson<TrialResult>(models!, modelKeys.trial(event.run, planned[1]!.id))).toEqual(first);
    await select(event, services);
  });

  test('a machine that is taken away ends with the code of its signal, and the next attempt does the rest', {
    timeout: 120_000,
  }, async () => {
    const child = job('Finish', event);
    for await (const line of child.stdout!) if (String(line).includes('started')) break;
    child.kill('SIGTERM');
    expect(await exitOf(child)).toBe(143);
    expect(await exitOf(job('Finish', event))).toBe(0);
    for (const key of [modelKeys.fit, modelKeys.optimised, modelKeys.gate]) expect(await models!.head(key(event.run))).toBeDefined();
  });

  test('an error is told where Plan finds it, with its stage, and ends with 1, which is not retried', { timeout: 120_000 }, async () => {
    const nobody = { ...event, run: 'nobody' };
    expect(await exitOf(job('Finish', nobody))).toBe(1);
    expect(await getJson(models!, modelKeys.jobFailure('nobody'))).toMatchObject({
      code: 'NotFound',
      stage: 'Fit',
      fix: expect.any(String),
    });
  });
});
