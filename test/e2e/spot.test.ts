import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { modelKeys } from '../../core/keys.ts';
import type { RunDetail } from '../../core/registry/runs.ts';
import type { Plan, RungTrials } from '../../core/search/plan.ts';
import { type RunningCloud, startCloud } from '../../local/start-cloud.ts';
import { synthesize } from '../../local/synth.ts';
import { call } from '../../local/watch.ts';
import { uploadToBatch } from './batch.ts';

/** Attempts that lose their machine; `INGOT_INTERRUPTIONS=200 npx vitest run test/e2e/spot.test.ts` is the whole test. */
const wanted = Number(process.env['INGOT_INTERRUPTIONS'] ?? 4);
const seed = Number(process.env['INGOT_SPOT_SEED'] ?? 20261125);
/** Of attempts that take a second or two each, about every third is interrupted. */
const perMinute = 15;
/** Runs that are under way at a time. */
const together = 3;
const csv = readFileSync(resolve(import.meta.dirname, '../../examples/breast-cancer/breast-cancer.csv'));
const assembly = synthesize();

test(`under ${wanted} interruptions no trial is lost or done twice over, and the models have the bytes of undisturbed ones`, {
  timeout: 240_000 + wanted * 20_000,
}, async () => {
  const fitted: Buffer[] = [];
  let graph: Buffer | undefined;
  const spot = await start(perMinute);
  try {
    for (let wave = 0, interrupted = 0; interrupted < wanted; wave++) {
      const datasets = Array.from({ length: together }, (_, place) => `spot-${wave}-${place}`);
      for (const dataset of datasets) await uploadToBatch(spot, dataset, csv);
      for (const dataset of datasets) {
        const run = await spot.finished(dataset);
        expect([dataset, run.status, run.error]).toEqual([dataset, 'SUCCEEDED', undefined]);
        const plan = await spot.json<Plan>(modelKeys.plan(run.id));
        const later = plan.rungs!.slice(1).map((_, place) => spot.json<RungTrials>(modelKeys.rung(run.id, place + 1)));
        const planned = [...plan.trials, ...(await Promise.all(later)).flatMap((rung) => rung.trials)];
        const trials = planned.map(({ id }) => modelKeys.trial(run.id, id));
        expect(spot.keys(modelKeys.trials(run.id))).toEqual(trials.sort());
        expect(trials.flatMap((key) => spot.answers.get(key) ?? [])).toContain(200);
        // Nobody came with the result of a trial that another attempt had finished.
        expect(trials.filter((key) => (spot.answers.get(key) ?? []).length > 1)).toEqual([]);
        fitted.push(await spot.object(modelKeys.fitted(run.id)));
        graph ??= await spot.object(modelKeys.model(dataset, 1));
      }
      const { jobs, attempts } = attemptsOf(spot.cloud);
      interrupted = interruptionsOf(spot.cloud);
      console.log(`${fitted.length} runs, ${jobs.length} jobs, ${attempts.length} attempts, ${interrupted} of them interrupted`);
    }
  } finally {
    await spot.close();
  }

  const calm = await start(0);
  try {
    await uploadToBatch(calm, 'spot-0-0', csv);
    const run = await calm.finished('spot-0-0');
    expect(Buffer.compare(await calm.object(modelKeys.model('spot-0-0', 1)), graph!)).toBe(0);
    // The graphs of other datasets bear other names; what they are made of is the same.
    const undisturbed = await calm.object(modelKeys.fitted(run.id));
    expect(fitted.map((each) => Buffer.compare(each, undisturbed))).toEqual(fitted.map(() => 0));
  } finally {
    await calm.close();
  }
});

function attemptsOf({ batch }: RunningCloud['cloud']) {
  const jobs = batch.jobs().flatMap((job) => (job.isArray ? job.children : job));
  return { jobs, attempts: jobs.flatMap(({ state }) => state.attempts) };
}

const interruptionsOf = (cloud: RunningCloud['cloud']) =>
  attemptsOf(cloud).attempts.filter(({ statusReason }) => statusReason === 'Your Spot Task was interrupted.').length;

async function start(interruptions: number) {
  const home = mkdtempSync(join(tmpdir(), 'ingot-spot-'));
  const batch = { vcpus: 4, spot: { seed, perMinute: interruptions } };
  const running = await startCloud({ assembly, home, port: 0, batch });
  const { outputs, cloud, url } = running;
  const api = { url: outputs['ApiUrl']!, key: outputs['ApiKey']! };
  const s3 = new S3Client({
    endpoint: url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const object = async (Key: string): Promise<Buffer> => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: outputs['ModelBucket']!, Key }));
    return Buffer.from(await Body!.transformToByteArray());
  };
  return {
    cloud,
    outputs: { ...outputs, DataBucket: outputs['DataBucket']!, EndpointUrl: url },
    s3,
    answers: noteWrites(running),
    keys: (prefix: string) => cloud.s3.list(outputs['ModelBucket']!, prefix).map(({ key }) => key),
    finished: async (dataset: string): Promise<RunDetail> => {
      for (const end = Date.now() + 240_000; Date.now() < end; await sleep(200)) {
        const { runs } = await call<{ runs: RunDetail[] }>(api, 'runs');
        const run = runs.find((each) => each.dataset === dataset && each.status !== 'RUNNING');
        if (run) return run;
        // On a busy machine attempts take long, and would be interrupted again and again: enough is enough.
        if (interruptionsOf(cloud) >= wanted) batch.spot.perMinute = 0;
      }
      throw new Error(`The run of ${dataset} does not end.`);
    },
    object,
    json: async <T>(key: string): Promise<T> => JSON.parse((await object(key)).toString()) as T,
    close: async () => {
      s3.destroy();
      await running.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** What those were answered who wrote an object of the model bucket, by its key: 412 where it was there already. */
function noteWrites({ cloud, outputs }: RunningCloud): Map<string, number[]> {
  const answers = new Map<string, number[]>();
  const { s3 } = cloud;
  const prefix = `/${outputs['ModelBucket']}/`;
  cloud.s3 = {
    ...s3,
    handle: (request, response) => {
      const path = decodeURIComponent(request.url!.split('?')[0]!);
      if (request.method === 'PUT' && path.startsWith(prefix)) {
        const key = path.slice(prefix.length);
        response.once('finish', () => answers.set(key, [...(answers.get(key) ?? []), response.statusCode]));
      }
      return s3.handle(request, response);
    },
  };
  return answers;
}
