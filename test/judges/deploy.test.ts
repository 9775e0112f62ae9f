import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { python, pythonHas } from '../python.ts';
import { type MiniStack, startMiniStack } from './ministack.ts';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const hasJudge = pythonHas('ministack', 'boto3');

type Answer = [status: number, body: { error?: { code: string; message: string; fix: string } }];

interface Model {
  versions: { version: number }[];
  aliases: { live: { version: number } };
}

/** What deploy.py prints. */
interface Found {
  base: string;
  apiKey: string;
  run: { status: string; cause: string | null };
  labels: string[];
  predicted: {
    status: number;
    body: { model: string; version: number; predictions: { label: string; probabilities: Record<string, number> }[] };
  };
  listed: { output_data: number[][] };
  withoutKey: Answer;
  wrongKey: Answer;
  health: Answer;
  models: [number, { models: { name: string }[] }];
  runs: [number, { runs: { dataset: string; status: string }[] }];
  rejected: { status: string; error: { code: string; fix: string } };
  failed: { status: string; record: { stage: string; code: string; fix: string } };
}

describe.skipIf(!hasJudge)(
  `the stack on an emulator that we didn't write${hasJudge ? '' : ' (skipped: no Python with ministack and boto3)'}`,
  () => {
    let ministack: MiniStack;
    let found: Found;
    let home: string;
    let upgraded: { before: Record<string, string>; after: Record<string, string>; model: Model };
    let left: string[];
    let goneStatus: number;
    // What a later release may bring: other settings of functions, one more key, encryption with a key of the stack's.
    const upgrade = ['-c', 'ingot:logDays=60', '-c', 'ingot:keys={"mobile":{}}', '-c', 'ingot:customerKey=true'];

    beforeAll(async () => {
      ministack = await startMiniStack();
      home = await mkdtemp(join(tmpdir(), 'ingot-deploy-'));
      const env = {
        ...process.env,
        PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
        AWS_ENDPOINT_URL: ministack.endpoint,
        AWS_ENDPOINT_URL_S3: ministack.endpoint,
        // The CDK remembers accounts by access key, so each emulator has a key of its own.
        AWS_ACCESS_KEY_ID: `INGOTDEPLOY${Date.now()}`,
        AWS_SECRET_ACCESS_KEY: 'none',
        AWS_REGION: 'us-east-1',
        AWS_DEFAULT_REGION: 'us-east-1',
        CDK_DISABLE_CLI_TELEMETRY: 'true',
      };
      // An emulator runs the functions as processes of this machine.
      const cdk = (...args: string[]) =>
        run(
          join(root, 'node_modules/.bin/cdk'),
          [...args, '-c', 'ingot:processor=native', '--output', join(home, 'cdk.out'), '--no-notices'],
          {
            cwd: root,
            env,
          },
        );
      await cdk('bootstrap');
      await cdk('deploy', '--all', '--outputs-file', join(home, 'outputs.json'));
      const { Ingot: outputs } = JSON.parse(await readFile(join(home, 'outputs.json'), 'utf8')) as { Ingot: Record<string, string> };
      const example = join(root, 'examples/breast-cancer/breast-cancer.csv');
      const child = run(python, [join(import.meta.dirname, 'deploy.py')], { env, maxBuffer: 1 << 26 });
      child.child.stdin!.end(JSON.stringify({ outputs, endpoint: ministack.endpoint, example }));
      found = JSON.parse((await child).stdout) as Found;
      await cdk('deploy', '--all', ...upgrade, '--outputs-file', join(home, 'upgraded.json'));
      const { Ingot: then } = JSON.parse(await readFile(join(home, 'upgraded.json'), 'utf8')) as { Ingot: Record<string, string> };
      const models = await fetch(`${found.base}models/cells`, { headers: { 'x-api-key': found.apiKey } });
      upgraded = { before: outputs, after: then, model: (await models.json()) as Model };
      await cdk('destroy', '--all', '--force', ...upgrade);
      goneStatus = (await fetch(`${found.base}v2/health/ready`)).status;
      left = await keysIn(env, outputs['DataBucket']!, outputs['ModelBucket']!);
    }, 900_000);

    afterAll(async () => {
      await ministack?.stop();
      if (home) await rm(home, { recursive: true, force: true });
    });

    test('an uploaded table becomes a model that answers rightly', () => {
      expect(found.run).toEqual({ status: 'SUCCEEDED', cause: null });
      expect(found.predicted).toMatchObject({ status: 200, body: { model: 'cells', version: 1 } });
      const right = found.predicted.body.predictions.filter(({ label }, row) => label === found.labels[row]).length;
      expect(right).toBeGreaterThanOrEqual(57);
      expect(found.listed.output_data.map((probabilities) => probabilities.reduce((sum, each) => sum + each))).toEqual([
        expect.closeTo(1, 5),
        expect.closeTo(1, 5),
      ]);
      expect(found.models[1].models.map(({ name }) => name)).toEqual(['cells']);
      expect(found.runs[1].runs).toContainEqual(expect.objectContaining({ dataset: 'cells', status: 'SUCCEEDED' }));
    });

    test('the API asks for its key, in the shape of its errors, but not for its health', () => {
      for (const [status, { error }] of [found.withoutKey, found.wrongKey]) {
        expect(status).toBe(403);
        expect(error).toEqual({ code: 'Forbidden', message: expect.any(String), fix: expect.any(String) });
      }
      expect(found.health[0]).toBe(200);
    });

    test('a file that cannot be used is rejected with a reason', () => {
      expect(found.rejected).toMatchObject({ status: 'REJECTED', error: { code: 'EmptyDataset', fix: expect.any(String) } });
    });

    test('a run that fails says at which stage, what, and what to do', () => {
      expect(found.failed).toMatchObject({
        status: 'FAILED',
        record: { stage: 'Plan', code: 'NotFound', fix: expect.any(String) },
      });
    });

    test('an upgrade in place keeps buckets, key, address, models and their versions', () => {
      const { before, after, model } = upgraded;
      expect(after).toEqual({ ...before, ApiKeyIdMobile: expect.any(String) });
      expect(model.versions.map(({ version }) => version)).toEqual([1]);
      expect(model.aliases.live.version).toBe(1);
    });

    test('removal leaves the buckets and what is in them, and nothing that answers', () => {
      expect(goneStatus).toBe(404);
      expect(left).toEqual(
        expect.arrayContaining(['raw/cells/cells.csv', 'models/cells/aliases/live.json', 'models/cells/versions/1/model.onnx']),
      );
    });
  },
);

/** The keys of all objects in buckets. */
async function keysIn(env: Record<string, string | undefined>, ...buckets: string[]): Promise<string[]> {
  const credentials = { accessKeyId: env['AWS_ACCESS_KEY_ID']!, secretAccessKey: env['AWS_SECRET_ACCESS_KEY']! };
  const client = new S3Client({ endpoint: env['AWS_ENDPOINT_URL']!, region: 'us-east-1', forcePathStyle: true, credentials });
  const lists = await Promise.all(buckets.map((Bucket) => client.send(new ListObjectsV2Command({ Bucket }))));
  client.destroy();
  return lists.flatMap(({ Contents = [] }) => Contents.map(({ Key }) => Key!));
}
