import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { python, pythonHas } from '../python.ts';
import { firstRelease, objectsIn } from '../upgrade/first-release.ts';
import { becomeFirstStack } from '../upgrade/first-stack.ts';
import { type MiniStack, startMiniStack } from './ministack.ts';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const hasJudge = pythonHas('ministack', 'boto3');

type Answer = [status: number, body: { error?: { code: string; message: string; fix: string } }];

interface Predicted {
  status: number;
  body: { model: string; version: number; predictions: { label: string; probabilities: Record<string, number> }[] };
}

interface Model {
  versions: { version: number }[];
  aliases: { live: { version: number } };
}

/** Answers by their paths. */
type Answers = Record<string, [status: number, body: unknown]>;

/** What deploy.py prints after it has put what the first release left into its stack's buckets, and after the upgrade. */
interface Old {
  /** Which functions the bucket told of uploads. */
  told: { LambdaFunctionConfigurations: object[] };
  asked: Answers;
}
interface Kept {
  /** Objects that are not as they were. */
  changed: string[];
  asked: Answers;
}

/** What it prints of its first part. */
interface First {
  base: string;
  apiKey: string;
  run: { status: string; cause: string | null };
  labels: string[];
  predicted: Predicted;
  listed: { output_data: number[][] };
  withoutKey: Answer;
  wrongKey: Answer;
  health: Answer;
  models: [number, { models: { name: string }[] }];
  runs: [number, { runs: { dataset: string; status: string }[] }];
  rejected: { status: string; error: { code: string; fix: string } };
  failed: { status: string; record: { stage: string; code: string; fix: string } };
}

/** Of its second part, after the upgrade. */
interface Upgraded {
  before: Predicted;
  run: { status: string; cause: string | null };
  predicted: Predicted;
  jobs: string[];
  versions: Record<string, { model: Model; bytes: number }>;
  watch: { told: Record<string, unknown>[]; waits: [error: string | null, rule: string]; nothing: [error: string | null, rule: string] };
}

/** Of its third part. */
interface Graphics {
  run: { status: string; cause: string | null };
  lane: { name: string; reason: string };
  predicted: Predicted;
  jobs: string[];
}

/** What is asked about prices, by name or in the body. */
const ofPrices = (path: string) => path === 'predict' || path.includes('prices');

describe.skipIf(!hasJudge)(
  `the stack on an emulator that we didn't write${hasJudge ? '' : ' (skipped: no Python with ministack and boto3)'}`,
  () => {
    let ministack: MiniStack;
    let expected: Answers;
    let old: Old;
    let kept: Kept;
    let found: First;
    let upgraded: Upgraded;
    let graphics: Graphics;
    let left: { DataBucket: string[]; ModelBucket: string[] };
    let home: string;
    let outputs: Record<'first' | 'before' | 'after', Record<string, string>>;
    let goneStatus: number;
    // What a later release may bring: other settings of functions, one more key, encryption with a key of the stack's.
    const upgrade = ['-c', 'ingot:logDays=60', '-c', 'ingot:keys={"mobile":{}}', '-c', 'ingot:customerKey=true'];
    const ownSubnets = ['-c', 'ingot:subnetIds=subnet-0123456789abcdef0', '-c', 'ingot:securityGroupIds=sg-0123456789abcdef0'];
    const withGpu = [...upgrade, ...ownSubnets, '-c', 'ingot:gpu=on'];

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
      const assembly = join(home, 'cdk.out');
      const cdk = (...args: string[]) => run(join(root, 'node_modules/.bin/cdk'), [...args, '--no-notices'], { cwd: root, env });
      // An emulator runs the functions as processes of this machine.
      const made = ['-c', 'ingot:processor=native', '--output', assembly];
      const deploy = async (...settings: string[]): Promise<Record<string, string>> => {
        await cdk('deploy', '--all', ...settings, '--outputs-file', join(home, 'outputs.json'));
        return (JSON.parse(await readFile(join(home, 'outputs.json'), 'utf8')) as { Ingot: Record<string, string> }).Ingot;
      };
      const play = async <T>(part: 'old' | 'kept' | 'first' | 'batch' | 'gpu' | 'gone', outputs: Record<string, string>): Promise<T> => {
        const child = run(python, [join(import.meta.dirname, 'deploy.py')], { env, maxBuffer: 1 << 26 });
        const example = join(root, 'examples/breast-cancer/breast-cancer.csv');
        child.child.stdin!.end(JSON.stringify({ part, outputs, endpoint: ministack.endpoint, example, objects, questions }));
        return JSON.parse((await child).stdout) as T;
      };
      const release = firstRelease();
      const objects = (await objectsIn(release.home))
        .filter(({ key }) => key.split('/')[1]!.startsWith('prices'))
        .map(({ body, ...object }) => ({ ...object, body: body.toString('base64') }));
      await rm(release.home, { recursive: true });
      // Runs are told of by their executions too, which no object has.
      const questions = Object.fromEntries(Object.entries(release.answers).filter(([path]) => !path.startsWith('runs/') && ofPrices(path)));
      expected = Object.fromEntries(Object.entries(questions).map(([path, { status, answer }]) => [path, [status, answer]]));

      await cdk('bootstrap', ...made);
      await cdk('synth', '--quiet', ...made);
      becomeFirstStack(assembly);
      const first = await deploy('--app', assembly);
      old = await play<Old>('old', first);
      // Runs begin on today's state machine: the first release's knew no second rung of a search. It had no Batch.
      const before = await deploy(...made, '-c', 'ingot:batch=off');
      kept = await play<Kept>('kept', before);
      found = await play<First>('first', before);
      const after = await deploy(...made, ...upgrade);
      outputs = { first, before, after };
      upgraded = await play<Upgraded>('batch', after);
      graphics = await play<Graphics>('gpu', await deploy(...made, ...withGpu));
      await cdk('destroy', '--all', '--force', ...made, ...withGpu);
      goneStatus = (await fetch(`${found.base}v2/health/ready`)).status;
      left = await play('gone', after);
    }, 1_200_000);

    afterAll(async () => {
      await ministack?.stop();
      if (home) await rm(home, { recursive: true, force: true });
    });

    test("an upgrade from the first release's stack keeps buckets, key and address, and all that was in the buckets answers as it did then", () => {
      expect(old.told.LambdaFunctionConfigurations.length).toBeGreaterThan(0);
      expect(Object.keys(expected).length).toBeGreaterThanOrEqual(12);
      expect(old.asked).toEqual(expected);
      expect(outputs.before).toEqual(outputs.first);
      expect(kept).toEqual({ asked: expected, changed: [] });
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
      expect(found.models[1].models.map(({ name }) => name)).toEqual(['cells', 'prices']);
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

    test('an upgrade in place keeps buckets, key, address, models, their versions and answers, and brings the lane of jobs', () => {
      expect(outputs.after).toEqual({ ...outputs.before, ApiKeyIdMobile: expect.any(String) });
      expect(upgraded.before).toEqual(found.predicted);
      expect(upgraded.run).toEqual({ status: 'SUCCEEDED', cause: null });
      expect(upgraded.jobs.length).toBeGreaterThanOrEqual(2);
      expect(new Set(upgraded.jobs)).toEqual(new Set(['SUCCEEDED']));
      // The same data through jobs and through functions: the same model.
      expect(upgraded.predicted.body.predictions).toEqual(found.predicted.body.predictions);
      for (const { model, bytes } of Object.values(upgraded.versions)) {
        expect(model.versions.map(({ version }) => version)).toEqual([1]);
        expect(model.aliases.live.version).toBe(1);
        expect(bytes).toBeGreaterThan(1000);
      }
    });

    test('another upgrade brings subnets of one’s own and the lane of GPUs, whose model is the same', () => {
      expect(graphics.run).toEqual({ status: 'SUCCEEDED', cause: null });
      expect(graphics.lane).toMatchObject({ name: 'gpu', reason: expect.stringMatching(/No family .* makes use of a GPU/) });
      expect(graphics.jobs.length).toBeGreaterThanOrEqual(2);
      expect(new Set(graphics.jobs)).toEqual(new Set(['SUCCEEDED']));
      expect(graphics.predicted.body.predictions).toEqual(found.predicted.body.predictions);
    });

    test("the deployed function that Batch's events call tells how jobs end and queues wait, and switches its clock", () => {
      const { told, waits, nothing } = upgraded.watch;
      const sum = (name: string) => told.reduce((total, line) => total + Number(line[name] ?? 0), 0);
      // The children of the search, and the job that finishes.
      expect(sum('JobsSucceeded')).toBeGreaterThanOrEqual(2);
      expect(sum('JobsFailed')).toBe(0);
      expect(new Set(told.map(({ JobQueue }) => JobQueue)).size).toBe(1);
      expect(told.some((line) => ['JobsWaiting', 'OldestJobWaiting', 'JobsRunning'].every((name) => name in line))).toBe(true);
      expect(waits).toEqual([null, 'ENABLED']);
      expect(nothing).toEqual([null, 'DISABLED']);
    });

    test('removal leaves the buckets and what is in them, and nothing that answers', () => {
      expect(goneStatus).toBe(404);
      expect(left.DataBucket).toEqual(expect.arrayContaining(['raw/cells/cells.csv', 'raw/jobs/cells.csv', 'raw/prices/prices.csv']));
      expect(left.ModelBucket).toEqual(
        expect.arrayContaining([
          'models/cells/versions/1/model.onnx',
          'models/prices/versions/2/model.onnx',
          'models/jobs/versions/1/card.json',
          'models/jobs/aliases/live.json',
        ]),
      );
    });
  },
);
